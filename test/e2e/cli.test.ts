/** The command line from the first sync to the receipts, against a mail server in memory. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UidSet } from '@tidemail/core'
import { ImapServer, sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TranscriptTap } from '../wire/transcript-tap.ts'
import { failed, type JsonLine, Sandbox, succeeded } from './cli-process.ts'

const SAMPLES = 30
const EVIL =
  'Subject: \u001b[2J\u001b]0;owned\u0007evil\r\nMessage-ID: <evil@x>\r\nContent-Type: text/plain\r\n\r\nred \u001b[31malert\u0007\r\n'

let server: ImapServer
let sandbox: Sandbox
let tap: TranscriptTap
let account: readonly string[]

beforeEach(async () => {
  const accounts = { mailboxes: { Archive: 'archive', Papierkorb: 'trash' } } as const
  server = await ImapServer.start({ users: { alice: 'secret' }, accounts })
  const mail = server.account('alice')
  mail.append('INBOX', sampleMessages({ count: SAMPLES, seed: 7 }))
  mail.append('INBOX', [{ flags: [], internalDate: Date.UTC(2030, 0, 1), bytes: Buffer.from(EVIL, 'latin1') }])
  tap = await TranscriptTap.start(server.port)
  sandbox = new Sandbox()
  account = [
    '--host',
    '127.0.0.1',
    '--port',
    String(tap.port),
    '--user',
    'alice',
    '--security',
    'none',
    '--password-file',
    sandbox.passwordFile,
  ]
})

afterEach(async () => {
  sandbox.remove()
  await server.close()
  await tap.close()
})

const run = async (...words: string[]): Promise<string> => succeeded(await sandbox.run(words)).output
const json = async (...words: string[]): Promise<JsonLine[]> => succeeded(await sandbox.run([...words, '--json'])).json()
const firstSync = () => run('sync', ...account)
const onServer = (path = 'INBOX') => server.account('alice').open(path)

describe('sync', () => {
  it('takes the mail in, and needs no settings the second time', async () => {
    expect(await firstSync()).toMatch(/^3 mailboxes checked, .*; 31 messages fetched.*\n$/)
    expect(await run('sync')).toMatch(/; 0 messages fetched, 0 removed, 0 flags changed/)
  })

  it('tells its progress and its result as NDJSON', async () => {
    const lines = await json('sync', ...account)
    expect(lines.slice(0, -1).every(({ kind }) => kind === 'progress')).toBe(true)
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.at(-1)).toMatchObject({
      kind: 'result',
      outcome: 'done',
      mailboxesChecked: 3,
      messagesFetched: 31,
      entriesPending: 0,
    })
  })

  it('fetches the texts it is asked for, now and at the next sync', async () => {
    expect((await json('sync', ...account, '--bodies', 'none')).at(-1)).toMatchObject({ partsFetched: 0 })
    expect((await json('sync')).at(-1)).toMatchObject({ partsFetched: 0 })
    expect((await json('sync', '--bodies', 'text')).at(-1)?.['partsFetched']).toBeGreaterThan(10)
  })

  it('fetches a large text only where everything is asked for', async () => {
    const bytes = Buffer.from(`Subject: large\r\n\r\n${'All work and no play.\r\n'.repeat(20_000)}`)
    server.account('alice').append('Archive', [{ flags: [], internalDate: Date.UTC(2030, 0, 1), bytes }])
    await firstSync()
    expect(await run('show', 'Archive', '1')).toContain('[The text is not stored: `tidemail sync --bodies text`')
    await run('sync', '--bodies', 'all')
    expect(await run('show', 'Archive', '1')).toContain('All work and no play.')
  })

  // Verifies: I-SEC-1
  it('keeps where the password is, and the password nowhere', async () => {
    await firstSync()
    const files = readdirSync(sandbox.store, { recursive: true, encoding: 'utf8' }).map((name) => join(sandbox.store, name))
    const content = files
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'latin1'))
      .join('\n')
    expect(content).toContain(sandbox.passwordFile)
    expect(content).not.toMatch(/\bsecret\b/)
  })

  it('takes settings from variables and from a config file', async () => {
    const config = sandbox.file(
      'c.json',
      JSON.stringify({ host: '127.0.0.1', port: tap.port, security: 'none', store: 'from-config' }),
    )
    const variables = { TIDEMAIL_USER: 'alice', TIDEMAIL_PASSWORD: 'secret' }
    succeeded(await sandbox.run(['sync', '--config', config], { variables }))
    succeeded(await sandbox.run(['sync', ...account.slice(0, -2), '--password-command', 'echo secret']))
  })

  it('lets a mistyped first host be put right', async () => {
    const wrong = account.map((word) => (word === '127.0.0.1' ? '127.9.9.9' : word))
    expect((await sandbox.run(['sync', ...wrong, '--timeout', '5'])).status).toBe(69)
    await firstSync()
  })
})

describe('list and show', () => {
  it('lists mailboxes with their counts, by path and role', async () => {
    await firstSync()
    expect(await run('list')).toMatch(/TOTAL\s+UNREAD\s+MAILBOX[\s\S]*\b31\b.*INBOX[\s\S]*Papierkorb {2}\\trash/)
    const lines = await json('list')
    expect(lines.find(({ path }) => path === 'INBOX')).toMatchObject({
      ...{ kind: 'mailbox', total: 31, role: 'inbox', toFetch: 0 },
      namespace: 'personal',
    })
    expect(lines.at(-1)).toEqual({ kind: 'result', mailboxes: 3 })
  })

  it('lists the messages of a mailbox as the server has them, newest first', async () => {
    await firstSync()
    const lines = await json('list', 'inbox')
    const messages = lines.slice(0, -1)
    expect(lines.at(-1)).toEqual({ kind: 'result', mailbox: 'INBOX', messages: 31 })
    const dates = messages.map(({ date }) => String(date))
    expect(dates).toEqual([...dates].sort().reverse())
    for (const { uid, flags, date, size } of messages) {
      const there = onServer().get(Number(uid))
      expect({ flags, date, size }).toEqual({
        flags: [...(there?.flags ?? [])].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
        date: new Date(there?.internalDate ?? 0).toISOString().replace('.000', ''),
        size: there?.bytes.length,
      })
    }
    expect(await json('list', 'INBOX', '--limit', '4')).toHaveLength(5)
    expect(await run('list', 'Archive')).toBe('No messages in Archive.\n')
  })

  it('shows headers and text, and lets no message command the terminal', async () => {
    await firstSync()
    const uid = String(onServer().messages.at(-1)?.uid)
    const text = await run('show', 'INBOX', uid)
    expect(text).toContain('␛[2J␛]0;owned␇evil')
    expect(text).toContain('red ␛[31malert␇')
    const outputs = [text, await run('list', 'INBOX'), succeeded(await sandbox.run(['show', 'INBOX', uid, '--json'])).output]
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out.
    for (const output of outputs) expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  })

  it('fetches what is attached, from the server once, and writes it to a file as it was', async () => {
    const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 256))
    const file = content.toString('base64').replace(/.{76}/g, '$&\r\n')
    const part = `Content-Type: application/pdf; name=f.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${file}`
    const bytes = Buffer.from(
      `Subject: file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n${part}\r\n--b--\r\n`,
    )
    server.account('alice').append('Archive', [{ flags: [], internalDate: Date.UTC(2030, 0, 1), bytes }])
    await firstSync()
    expect(await run('fetch', 'Archive', '1', '--part', '2', '--out', 'f.pdf')).toMatch(
      /^Part 2 is stored: \d+ octets\.\nf\.pdf: 3000000 octets\.\n$/,
    )
    expect(readFileSync(join(sandbox.folder, 'f.pdf')).equals(content)).toBe(true)
    expect((await json('fetch', 'Archive', '1', '--part', 'whole')).at(-1)).toEqual({
      kind: 'result',
      parts: 1,
      octets: bytes.length,
    })
    expect(await run('fetch', 'Archive', '1')).toBe('All parts are stored.\n')
  })

  it('shows the message that is attached to a message, or says that there is one', async () => {
    const inner = 'From: Bob <bob@x>\r\nSubject: the inner one\r\n\r\nfrom inside\r\n'
    const head = (subject: string): string => `Subject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type:`
    const attached = `Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=fwd.eml\r\n\r\n${inner}`
    const beside = `${head('beside')} multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n${attached}\r\n--b--\r\n`
    const alone = `${head('alone')} message/rfc822\r\n\r\n${inner}`
    for (const text of [beside, alone]) {
      server.account('alice').append('Archive', [{ flags: [], internalDate: Date.UTC(2030, 0, 1), bytes: Buffer.from(text) }])
    }
    await firstSync()
    await run('sync', '--bodies', 'text')
    expect(await run('show', 'Archive', '1')).toMatch(
      /\n\nsee below\n\n\[Part 2 is an attached message, not stored: `tidemail fetch` fetches it\.\]\n$/,
    )
    expect(await run('show', 'Archive', '2')).toMatch(/\n\n\[Part 1 is an attached message, not stored: .*\]\n$/)
    await run('sync', '--bodies', 'all')
    const shown = /From: +Bob <bob@x>\nSubject: +the inner one\n[\s\S]*\nfrom inside\n$/
    expect(await run('show', 'Archive', '1')).toMatch(/\n\nsee below\n\n\[Attached message fwd\.eml:\]\n/)
    for (const uid of ['1', '2']) {
      expect(await run('show', 'Archive', uid)).toMatch(shown)
      expect((await json('show', 'Archive', uid))[0]).toMatchObject({ text: expect.stringContaining('from inside') })
    }
    await run('append', 'Archive', sandbox.file('local.eml', beside))
    expect(await run('show', 'Archive', 'local:1')).toMatch(shown)
  })

  it('shows every message of the mailbox', async () => {
    await firstSync()
    for (const { uid } of onServer().messages.slice(0, 6)) {
      const [message, result] = await json('show', 'INBOX', String(uid))
      expect(message).toMatchObject({ kind: 'message', uid, mailbox: 'INBOX', text: expect.any(String) })
      expect(result).toEqual({ kind: 'result', messages: 1 })
    }
  })
})

describe('operations', () => {
  it('are accepted offline, planned, sent, and told of with their evidence', async () => {
    await firstSync()
    const sent = server.commands.length
    const eml = sandbox.file('m.eml', 'Subject: new one\r\nMessage-ID: <new@here>\r\n\r\nhello\r\n')
    expect(await run('flag', 'INBOX', '1:2', '--add', 'FLAGGED,$Work', '--remove', 'seen')).toMatch(
      /^#1 .*2 messages in INBOX\n$/,
    )
    expect(await run('move', 'INBOX', '3', '\\Trash')).toMatch(/^#2 move 1 message from INBOX to Papierkorb\n$/)
    expect(await run('copy', 'INBOX', '4,5', 'Archive')).toMatch(/^#3 copy 2 messages from INBOX to Archive\n$/)
    expect(await run('expunge', 'INBOX', '6')).toMatch(/^#4 /)
    expect(await run('append', 'Archive', eml, '--flags', 'seen', '--date', '2026-01-31T09:30:00Z')).toMatch(/^#5 /)
    expect(server.commands).toHaveLength(sent)

    const inbox = await json('list', 'INBOX')
    expect(inbox.find(({ uid }) => uid === 1)).toMatchObject({
      flags: expect.arrayContaining(['\\Flagged', '$Work']),
      isPending: true,
    })
    expect(inbox.filter(({ uid }) => uid === 3 || uid === 6)).toEqual([])
    const archive = (await json('list', 'Archive')).slice(0, -1)
    expect(archive.map(({ id }) => String(id).split(':')[0])).toEqual(['local', 'local', 'local'])
    const local = String(archive.find(({ messageId }) => messageId === '<new@here>')?.['id'])
    expect(await run('show', 'Archive', local)).toMatch(/Subject: +new one[\s\S]*hello/)
    expect(await run('flag', 'Archive', local, '--add', 'answered')).toMatch(/^#6 /)

    const plan = await run('plan')
    expect(plan).toContain('replay:')
    expect(plan).toMatch(/because /)
    expect((await json('plan', '--offline')).some(({ kind }) => kind === 'step')).toBe(true)
    expect((await json('ops')).filter(({ kind }) => kind === 'entry')).toHaveLength(6)
    expect(onServer().get(3)).toBeDefined()

    expect((await json('sync')).at(-1)).toMatchObject({ kind: 'result', outcome: 'done', entriesSettled: 6, entriesPending: 0 })
    expect(onServer().get(1)?.flags).toEqual(expect.arrayContaining(['\\Flagged', '$Work']))
    expect(onServer().get(3)).toBeUndefined()
    expect(onServer().get(6)).toBeUndefined()
    expect(onServer('Papierkorb').messages).toHaveLength(1)
    const landed = onServer('Archive').messages.find(({ bytes }) => Buffer.from(bytes).includes('<new@here>'))
    expect(landed).toMatchObject({
      internalDate: Date.UTC(2026, 0, 31, 9, 30),
      flags: expect.arrayContaining(['\\Seen', '\\Answered']),
    })

    const ops = await json('ops')
    expect(ops.filter(({ kind }) => kind === 'receipt')).toHaveLength(6)
    expect(ops.at(-1)).toEqual({ kind: 'result', waiting: 0, settled: 6 })
    expect(await run('ops')).toMatch(/#2 move 1 message[\s\S]*applied: 3; .*COPYUID/)
  })

  it('can be undone while nothing was sent', async () => {
    await firstSync()
    await run('expunge', 'INBOX', '1:4294967295')
    expect(await run('list', 'INBOX')).toBe('No messages in INBOX.\n')
    expect(await run('undo', '#1')).toMatch(/^#1 undone: /)
    expect((await json('list', 'INBOX')).at(-1)).toMatchObject({ messages: 31 })
    expect((await json('sync')).at(-1)).toMatchObject({ outcome: 'done' })
    expect(onServer().messages).toHaveLength(31)
  })

  it('are taken back by the opposite once they were sent', async () => {
    await firstSync()
    await run('move', 'INBOX', '1:2', 'Archive')
    await run('sync')
    expect(onServer('Archive').messages).toHaveLength(2)
    expect(await run('undo', '1')).toBe('#1 taken back by #2 move 2 messages from Archive to INBOX\n')
    await run('sync')
    expect(onServer('Archive').messages).toHaveLength(0)
    expect(onServer().messages).toHaveLength(31)
  })

  it('delete: to Trash first, and then for good', async () => {
    await firstSync()
    const before = onServer('Papierkorb').messages.length
    expect(await run('delete', 'INBOX', '1')).toBe('#1 move 1 message from INBOX to Papierkorb\n')
    await run('sync')
    expect(onServer('Papierkorb').messages).toHaveLength(before + 1)
    const uids = onServer('Papierkorb').uids.toString()
    expect(await run('delete', '\\Trash', uids)).toMatch(/^#2 remove \d+ messages? from Papierkorb for good\n$/)
    await run('sync')
    expect(onServer('Papierkorb').messages).toHaveLength(0)
    expect(await run('delete', 'INBOX', '2', '--to', 'Archive')).toBe('#3 move 1 message from INBOX to Archive\n')
  })

  it('save drafts, each in place of the version before', async () => {
    await firstSync()
    const draft = (text: string): string => sandbox.file('draft.eml', `Subject: ${text}\n\n${text}\n`)
    expect(await run('draft', 'Archive', draft('one'))).toBe('#1 save a draft in Archive\n')
    expect(await run('draft', 'Archive', draft('two'), '--replaces', 'local:1')).toBe(
      '#2 save a draft in Archive in place of the version before\n',
    )
    await run('sync')
    const [two] = onServer('Archive').messages
    expect(onServer('Archive').messages).toHaveLength(1)
    expect(await run('ops')).toMatch(/#1 save a draft[\s\S]*superseded/)
    await run('draft', 'Archive', draft('three'), '--replaces', String(two?.uid))
    await run('sync')
    expect(onServer('Archive').messages.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
      'Subject: three\r\n\r\nthree\r\n',
    ])
  })

  it('go to another mailbox when the first one will not take them', async () => {
    await firstSync()
    await run('copy', 'INBOX', '1', 'Archive')
    server.account('alice').delete('Archive')
    await run('sync')
    expect(await run('ops', 'retarget', '1', '\\Trash')).toBe('#1 queued again: copy 1 message from INBOX to Papierkorb\n')
    const before = onServer('Papierkorb').messages.length
    await run('sync')
    expect(onServer('Papierkorb').messages).toHaveLength(before + 1)
  })

  it('are sent again, or given up, when they are parked', async () => {
    await firstSync()
    server.account('alice').quotaOctets = 1
    await run('copy', 'INBOX', '1', 'Archive')
    expect(await run('sync')).toMatch(/1 parked/)
    expect(await run('ops')).toContain('over-quota')
    server.account('alice').quotaOctets = null
    expect(await run('ops', 'retry', '1')).toMatch(/^#1 queued again: copy 1 message from INBOX to Archive/)
    await run('sync')
    expect(onServer('Archive').messages).toHaveLength(1)
    server.account('alice').quotaOctets = 1
    await run('copy', 'INBOX', '2', 'Archive')
    await run('sync')
    expect(await run('ops', 'discard', '2')).toMatch(/^#2 discarded: /)
    expect(await run('ops')).toMatch(/discarded: 2/)
  })

  it('show how others changed what was to be changed only if nobody did, and do it all the same when told to', async () => {
    await firstSync()
    const uid = await appendedUid('Archive')
    await run('flag', 'Archive', uid, '--add', 'flagged', '--if-unchanged')
    onServer('Archive').store(UidSet.parse(uid), { direction: 'add', flags: ['$Work', '\\Answered'] })
    expect(await run('sync')).toMatch(/1 parked/)
    const theirs = ['$Work', '\\Answered']
    expect((await json('ops')).find(({ kind }) => kind === 'entry')).toMatchObject({
      groups: [{ state: 'parked', parkedFor: 'conflict' }],
      conflicts: [{ uid: Number(uid), base: [], theirs }],
    })
    expect(await run('ops')).toContain(
      `      parked (conflict): ${uid}\n      ${uid} was without flags when you changed it; now it is ${theirs.join(' ')}\n`,
    )
    await run('ops', 'retry', '1')
    await run('sync')
    expect(onServer('Archive').messages[0]?.flags.toSorted()).toEqual([...theirs, '\\Flagged'])
    expect(await run('ops')).not.toContain('was without flags')
  })

  it('name a mailbox that is gone as it was called, while they wait and afterwards', async () => {
    await firstSync()
    await run('flag', 'Papierkorb', await appendedUid('Papierkorb'), '--add', 'flagged')
    await run('move', 'INBOX', '1', 'Papierkorb')
    server.account('alice').delete('Papierkorb')
    expect(await run('sync')).toMatch(/2 parked/)
    const ops = await run('ops')
    expect(ops).toMatch(/^#1 add \\Flagged to 1 message in Papierkorb \(gone\)\n +parked \(mailbox-gone\)/m)
    expect(ops).toMatch(/^#2 move 1 message from INBOX to Papierkorb \(gone\)\n +parked \(mailbox-gone\)/m)
    expect(await run('ops', 'discard', '2')).toBe('#2 discarded: move 1 message from INBOX to Papierkorb (gone)\n')
    expect(await run('ops')).toContain('#2 move 1 message from INBOX to Papierkorb (gone) (settled ')
    const receipt = (await json('ops')).find(({ kind }) => kind === 'receipt')
    expect(receipt).toMatchObject({ seq: 2, description: 'move 1 message from INBOX to Papierkorb (gone)' })
  })

  it('follow a mailbox that somebody renamed', async () => {
    await firstSync()
    await run('move', 'INBOX', '1', 'Papierkorb')
    server.account('alice').rename('Papierkorb', 'Old')
    const synced = await run('sync')
    expect(synced).not.toMatch(/parked/)
    // MAILBOXID proves it: it is no guess.
    expect(synced).not.toMatch(/is taken to be/)
    expect(await run('ops')).toMatch(/^#1 move 1 message from INBOX to Old \(settled /m)
  })

  it('follow it by a guess that is told, where the server has no MAILBOXID', async () => {
    const accounts = { mailboxes: { Papierkorb: 'trash', Work: null } } as const
    const other = await ImapServer.start({ users: { alice: 'secret' }, accounts, without: ['OBJECTID'] })
    try {
      other.account('alice').append('Work', sampleMessages({ count: 2, seed: 8 }))
      await run('sync', ...account.map((word) => (word === String(tap.port) ? String(other.port) : word)))
      other.account('alice').rename('Work', 'Job')
      const lines = await json('sync')
      expect(lines).toContainEqual({ kind: 'rename-guessed', from: 'Work', to: 'Job' })
      expect(lines.at(-1)).toMatchObject({ kind: 'result', messagesFetched: 0 })
    } finally {
      await other.close()
    }
  })

  it('say, when they are parked, what to do in place of an undo', async () => {
    await firstSync()
    await run('move', 'INBOX', '1', 'Archive')
    server.account('alice').delete('Archive')
    await run('sync')
    const { notes } = failed(await sandbox.run(['undo', '1']), 'input.not-undoable', 65)
    expect(notes).toBe(
      'tidemail: Operation #1 is parked: it waits for a decision and cannot be undone. (input.not-undoable)\n' +
        'hint: Run `tidemail ops retry 1` to send it again, or `tidemail ops discard 1` to give it up.\n',
    )
    await run('ops', 'discard', '1')
    expect((await json('list', 'INBOX')).at(-1)).toMatchObject({ messages: 31 })
  })

  it('take a message from the standard input, and several from files', async () => {
    await firstSync()
    const a = sandbox.file('a.eml', 'Subject: a\n\na\n')
    const input = 'Subject: from stdin\n\nx\n'
    const { output } = succeeded(await sandbox.run(['append', 'INBOX', a, '-', '--json'], { input }))
    expect(
      output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as JsonLine)
        .at(-1),
    ).toEqual({ kind: 'result', accepted: [1, 2] })
    await run('sync')
    expect(
      onServer()
        .messages.slice(-2)
        .map(({ bytes }) => Buffer.from(bytes).toString()),
    ).toEqual(['Subject: a\r\n\r\na\r\n', 'Subject: from stdin\r\n\r\nx\r\n'])
  })

  // Verifies: I-LOG-1
  it('are all there when many commands run at once on one store', async () => {
    await firstSync()
    const runs = await Promise.all(UID_LIST.map((uid) => sandbox.run(['flag', 'INBOX', uid, '--add', 'flagged'])))
    expect(runs.map(({ status }) => status)).toEqual(UID_LIST.map(() => 0))
    await run('sync')
    expect(
      onServer()
        .select(UidSet.parse('1:6'))
        .every(({ flags }) => flags.includes('\\Flagged')),
    ).toBe(true)
  })
})

/** The rival appends a message, which is taken in. */
async function appendedUid(path: string): Promise<string> {
  server.account('alice').append(path, sampleMessages({ count: 1, seed: 1 }))
  await run('sync')
  return String(onServer(path).messages.at(-1)?.uid)
}

const UID_LIST = ['1', '2', '3', '4', '5', '6']
