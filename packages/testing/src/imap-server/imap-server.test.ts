import { connect, type Socket } from 'node:net'
import { UidSet } from '@tidemail/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { RawImap } from '../raw-imap.ts'
import { sampleMessages } from '../sample-mail.ts'
import { ImapServer, type ImapServerOptions } from './imap-server.ts'

const ALICE = { name: 'alice', password: 'opensesame' }
const letter = Buffer.from('Subject: letter\r\n\r\nhello\r\n')

describe('ImapServer', () => {
  let server: ImapServer
  const clients: RawImap[] = []
  const sockets: Socket[] = []

  async function start(options: Partial<ImapServerOptions> = {}): Promise<void> {
    server = await ImapServer.start({ users: { alice: ALICE.password }, ...options })
  }

  async function greeted(): Promise<RawImap> {
    const client = await RawImap.connect({ host: server.host, port: server.port, silenceMs: 5_000 })
    clients.push(client)
    return client
  }

  async function loggedIn(...commands: string[]): Promise<RawImap> {
    const client = await greeted()
    await client.login(ALICE)
    for (const command of commands) await client.ok(command)
    return client
  }

  function bare(): { socket: Socket; received: () => string; until: (text: string) => Promise<void> } {
    const socket = connect(server.port, server.host)
    sockets.push(socket)
    let text = ''
    let look: () => void = () => undefined
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      look()
    })
    const until = (wanted: string): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (text.includes(wanted)) resolve()
        }
        look()
      })
    return { socket, received: () => text, until }
  }

  const texts = ({ lines }: { lines: readonly { text: string }[] }): string[] => lines.map(({ text }) => text)

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    await server.close()
  })

  it('logs in by LOGIN and by AUTHENTICATE PLAIN, with and without an initial response', async () => {
    await start()
    await loggedIn('NOOP')
    const response = Buffer.from(`\0alice\0${ALICE.password}`).toString('base64')
    await (await greeted()).ok(`AUTHENTICATE PLAIN ${response}`)
    const slow = bare()
    slow.socket.write('a AUTHENTICATE PLAIN\r\n')
    await slow.until('+ \r\n')
    slow.socket.write(`${response}\r\nb CAPABILITY\r\n`)
    await slow.until('b OK')
    expect(slow.received()).toContain('a OK [CAPABILITY IMAP4rev1')
    const stranger = await greeted()
    expect(await stranger.command('LOGIN alice wrong')).toMatchObject({
      status: 'NO',
      text: expect.stringContaining('[AUTHENTICATIONFAILED]'),
    })
    expect(await stranger.command('LOGIN nobody x')).toMatchObject({ status: 'NO' })
    expect(await stranger.command('SELECT INBOX')).toMatchObject({ status: 'BAD' })
  })

  it('records commands without passwords and without literals', async () => {
    await start()
    const client = await loggedIn()
    await client.ok(['APPEND INBOX ', letter])
    await (await greeted()).command(['LOGIN alice ', Buffer.from(ALICE.password)])
    expect(server.commands).toEqual(['r1 LOGIN ***', 'r2 CAPABILITY', `r3 APPEND INBOX {${letter.length}+}`, 'r1 LOGIN ***'])
    expect(server.commands.join()).not.toContain(ALICE.password)
  })

  it('reads commands and literals however the stream is cut', async () => {
    await start()
    const raw = bare()
    const stream = `a LOGIN "alice" {${ALICE.password.length}+}\r\n${ALICE.password}\r\nb APPEND "INBOX" (\\Seen) {${letter.length}+}\r\n${letter}\r\nc SELECT INBOX\r\n`
    for (const character of stream) raw.socket.write(character)
    await raw.until('c OK')
    expect(server.account('alice').inbox.get(1)).toMatchObject({ flags: ['\\Seen'], bytes: new Uint8Array(letter) })
  })

  it('asks for a literal that the client holds back', async () => {
    await start()
    const raw = bare()
    raw.socket.write('a LOGIN alice opensesame\r\nb APPEND INBOX {10}\r\n')
    await raw.until('+ OK')
    raw.socket.write('Subject: x')
    raw.socket.write('\r\n')
    await raw.until('b OK')
    expect(server.account('alice').inbox.messages).toHaveLength(1)
  })

  it('takes no unasked literal without LITERAL+, and only short ones under LITERAL-', async () => {
    await start({ without: ['LITERAL+'] })
    const raw = bare()
    raw.socket.write('a LOGIN {5+}\r\nalice opensesame\r\nb APPEND INBOX {4097+}\r\nc NOOP\r\n')
    await raw.until('c OK')
    expect(raw.received()).toMatch(/LITERAL-[^+]*\r\n/)
    expect(raw.received()).toContain('a OK')
    expect(raw.received()).toContain('b BAD')
  })

  it('answers BAD to a line that is too long, and goes on', async () => {
    await start()
    const client = await loggedIn('SELECT INBOX')
    const set = Array.from({ length: 12_000 }, (_, i) => 2 * i + 100_000).join(',')
    expect(await client.command(`UID FETCH ${set} FLAGS`)).toMatchObject({ status: 'BAD' })
    await client.ok('NOOP')
  })

  it('tells the news during IDLE, as they happen', async () => {
    await start()
    server.account('alice').append(
      'INBOX',
      sampleMessages({ count: 3, seed: 1 }).map((sample) => ({ ...sample, flags: [] })),
    )
    const client = await loggedIn('ENABLE QRESYNC', 'SELECT INBOX')
    client.send('i IDLE\r\n')
    expect((await client.nextResponse()).text).toBe('+ idling')
    const { inbox } = server.account('alice')
    inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Flagged'] })
    expect((await client.nextResponse()).text).toBe('* 2 FETCH (UID 2 MODSEQ (3) FLAGS (\\Flagged))')
    inbox.remove(UidSet.of(1, 3))
    expect((await client.nextResponse()).text).toBe('* VANISHED 1,3')
    server.account('alice').append('INBOX', [{ flags: [], internalDate: 0, bytes: letter }])
    expect((await client.nextResponse()).text).toBe('* 2 EXISTS')
    expect((await client.nextResponse()).text).toBe('* 0 RECENT')
    client.send('DONE\r\n')
    expect((await client.nextResponse()).text).toMatch(/^i OK/)
  })

  it('notifies of mailboxes that are not selected', async () => {
    await start()
    const client = await loggedIn('SELECT INBOX')
    const set = await client.ok(
      'NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge FlagChange MailboxName))',
    )
    expect(texts(set)).toHaveLength(5)
    const account = server.account('alice')
    account.append('Archive', [{ flags: [], internalDate: 0, bytes: letter }])
    const { uidValidity } = account.open('Archive')
    expect((await client.nextResponse()).text).toBe(
      `* STATUS Archive (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ${uidValidity} UNSEEN 1 HIGHESTMODSEQ 2)`,
    )
    account.create('New')
    expect((await client.nextResponse()).text).toBe('* LIST () "/" New')
    await client.ok('NOTIFY NONE')
    account.create('Newer')
    expect(texts(await client.ok('NOOP'))).toEqual([])
    expect(await client.command('NOTIFY SET (personal (FlagChange))')).toMatchObject({ status: 'BAD' })
  })

  it('replaces a message as one, and gives object ids', async () => {
    await start()
    server.account('alice').append('Drafts', [{ flags: ['\\Draft'], internalDate: 0, bytes: letter }])
    const client = await loggedIn('ENABLE QRESYNC', 'SELECT Drafts')
    const { lines, text } = await client.ok(['UID REPLACE 1 Drafts (\\Draft) ', Buffer.from('Subject: second\r\n\r\n')])
    const { uidValidity, objectId } = server.account('alice').open('Drafts')
    expect(lines[0]?.text).toMatch(`* OK [APPENDUID ${uidValidity} 2]`)
    expect(lines.map((line) => line.text)).toContain('* VANISHED 1')
    expect(text).toMatch(/^\[HIGHESTMODSEQ \d+\]/)
    expect(texts(await client.ok('UID FETCH 1:* (EMAILID)'))).toEqual(['* 1 FETCH (UID 2 EMAILID (M2))'])
    expect(texts(await client.ok('STATUS Archive (MAILBOXID)'))[0]).toContain('MAILBOXID (F')
    expect(texts(await client.ok('EXAMINE Drafts'))).toContain(`* OK [MAILBOXID (${objectId})] Ok`)
  })

  it('neither advertises nor obeys what is switched off, and sends none of its codes', async () => {
    await start({
      without: [
        'UIDPLUS',
        'MOVE',
        'CONDSTORE',
        'ENABLE',
        'ESEARCH',
        'LIST-EXTENDED',
        'IDLE',
        'UNSELECT',
        'MULTIAPPEND',
        'OBJECTID',
        'SPECIAL-USE',
        'NAMESPACE',
        'ID',
        'NOTIFY',
      ],
    })
    const client = await loggedIn('SELECT INBOX')
    for (const name of ['UIDPLUS', 'MOVE', 'CONDSTORE', 'QRESYNC', 'ESEARCH', 'LIST-STATUS', 'REPLACE', 'SPECIAL-USE', 'IDLE']) {
      expect(client.has(name), name).toBe(false)
    }
    expect((await client.ok(['APPEND INBOX ', letter])).text).toBe('Append completed')
    expect((await client.ok('UID COPY 1 Archive')).text).toBe('Copy completed')
    for (const refused of [
      'UID MOVE 1 Archive',
      'UID EXPUNGE 1',
      'ENABLE QRESYNC',
      'SELECT INBOX (CONDSTORE)',
      'STATUS INBOX (HIGHESTMODSEQ)',
      'LIST "" "*" RETURN (SUBSCRIBED)',
      'IDLE',
      'NAMESPACE',
      'ID NIL',
      'NOTIFY NONE',
    ]) {
      expect((await client.command(refused)).status, refused).toBe('BAD')
    }
    await client.ok('SELECT INBOX')
    for (const refused of [
      'UID FETCH 1 (MODSEQ)',
      'UID FETCH 1 (EMAILID)',
      'UID SEARCH RETURN (ALL) ALL',
      'UID STORE 1 (UNCHANGEDSINCE 1) +FLAGS (x)',
      'UNSELECT',
    ]) {
      expect((await client.command(refused)).status, refused).toBe('BAD')
    }
    expect((await client.command(['APPEND INBOX ', letter, ' ', letter])).status).toBe('BAD')
    expect(texts(await client.ok('LIST "" Sent'))).toEqual(['* LIST (\\HasNoChildren) "/" Sent'])
    expect(texts(await client.ok('UID STORE 1 +FLAGS.SILENT (\\Seen)'))).toEqual([])
  })

  it('says BYE to who has a mailbox open that is deleted or loses its UIDs', async () => {
    await start()
    const first = await loggedIn('SELECT Archive')
    server.account('alice').delete('Archive')
    expect((await first.nextResponse()).text).toMatch(/^\* BYE /)
    const second = await loggedIn('SELECT INBOX')
    server.account('alice').inbox.bumpUidValidity()
    expect((await second.nextResponse()).text).toMatch(/^\* BYE /)
    await expect(second.command('NOOP')).rejects.toThrow()
  })

  it('makes a VANISHED superset when the expunges were forgotten', async () => {
    await start()
    const account = server.account('alice')
    account.append('INBOX', sampleMessages({ count: 6, seed: 2 }))
    account.inbox.remove(UidSet.of(1))
    const { uidValidity, highestModSeq } = account.inbox
    account.inbox.remove(UidSet.of(6))
    const client = await loggedIn('ENABLE QRESYNC')
    expect(texts(await client.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${highestModSeq}))`))).toContain('* VANISHED (EARLIER) 6')
    account.inbox.forgetExpunges()
    expect(texts(await client.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${highestModSeq}))`))).toContain(
      '* VANISHED (EARLIER) 1,6',
    )
  })

  it('leaves out of the superset what a sample of numbers shows to be known, and nothing of what it remembers', async () => {
    // Verifies: DC-7162-3.2.5c
    await start()
    const account = server.account('alice')
    account.append('INBOX', sampleMessages({ count: 6, seed: 2 }))
    account.inbox.remove(UidSet.of(1))
    const { uidValidity, highestModSeq } = account.inbox
    account.inbox.remove(UidSet.of(4))
    const client = await loggedIn('ENABLE QRESYNC')
    const vanished = async (sample: string): Promise<string[]> => {
      const lines = texts(await client.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${highestModSeq} 1:6 (${sample})))`))
      return lines.filter((line) => line.includes('VANISHED'))
    }
    expect(await vanished('1:4 2:3,5:6')).toEqual(['* VANISHED (EARLIER) 4'])
    account.inbox.forgetExpunges()
    expect(await vanished('2,4:5 3,5:6')).toEqual(['* VANISHED (EARLIER) 4'])
    expect(await vanished('4:5 5:6')).toEqual(['* VANISHED (EARLIER) 1,4'])
    expect(await vanished('1:4 2:3,5:6')).toEqual([])
  })

  it('answers OVERQUOTA, TOOBIG and NOPERM as the model decides', async () => {
    await start()
    const account = server.account('alice')
    const client = await loggedIn()
    account.appendLimitOctets = 10
    expect((await client.command(['APPEND INBOX ', letter])).text).toMatch(/^\[TOOBIG\]/)
    expect(texts(await client.ok('CAPABILITY'))[0]).toContain('APPENDLIMIT=10')
    account.appendLimitOctets = null
    account.quotaOctets = 10
    expect((await client.command(['APPEND INBOX ', letter])).text).toMatch(/^\[OVERQUOTA\]/)
    account.quotaOctets = null
    account.inbox.isReadOnly = true
    expect((await client.command(['APPEND INBOX ', letter])).text).toMatch(/^\[NOPERM\]/)
    expect((await client.ok('SELECT INBOX')).text).toMatch(/^\[READ-ONLY\]/)
  })

  it('keeps names in modified UTF-7 and in quotes', async () => {
    await start()
    const account = server.account('alice')
    account.create('Entwürfe & mehr')
    account.create('日本語')
    const client = await loggedIn()
    const listed = texts(await client.ok('LIST "" "*"'))
    expect(listed).toContain('* LIST (\\HasNoChildren) "/" "Entw&APw-rfe &- mehr"')
    expect(listed).toContain('* LIST (\\HasNoChildren) "/" &ZeVnLIqe-')
    await client.ok('SELECT &ZeVnLIqe-')
    expect(await client.command('SELECT "&Zeng"')).toMatchObject({ status: 'BAD' })
  })

  it('answers every command with its tag, whatever is in it', async () => {
    await start()
    server.account('alice').append('INBOX', sampleMessages({ count: 3, seed: 5 }))
    const client = await loggedIn('ENABLE QRESYNC', 'SELECT INBOX')
    const word = fc.constantFrom(
      ...[
        'UID',
        'FETCH',
        'STORE',
        'SEARCH',
        'COPY',
        'MOVE',
        'EXPUNGE',
        'SELECT',
        'LIST',
        'STATUS',
        'NOTIFY',
        'SET',
        'RETURN',
        'APPEND',
      ],
      ...[
        'INBOX',
        'Nope',
        '"a b"',
        '""',
        '1:*',
        '0',
        '*:1',
        '99999999999',
        '1,2,,3',
        '()',
        '(',
        ')',
        '(FLAGS',
        '(FLAGS UID)',
        'BODY[',
        'BODY[1.]',
      ],
      ...[
        'BODY.PEEK[1.2.3.HEADER]<5.0>',
        '(CHANGEDSINCE 99999999999999999999)',
        '(QRESYNC (1 1))',
        '+FLAGS',
        '(\\Seen)',
        'x\\',
        '"\\',
        'ALL',
        '&Zeng',
      ],
    )
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 7 }), async (words) => {
        const { status } = await client.command(words.join(' '))
        expect(['OK', 'NO', 'BAD']).toContain(status)
      }),
      { numRuns: 400, seed: 11 },
    )
  })

  it('tells of a MOVE that stops part way what it moved', async () => {
    await start()
    const account = server.account('alice')
    account.append('INBOX', sampleMessages({ count: 3, seed: 5 }))
    account.moveStopsAfter = 1
    const client = await loggedIn('ENABLE QRESYNC', 'SELECT INBOX')
    const { status, lines } = await client.command('UID MOVE 1:3 Trash')
    expect(status).toBe('NO')
    expect(lines.map(({ text }) => text)).toEqual([
      `* OK [COPYUID ${account.open('Trash').uidValidity} 1 1] Moved UIDs.`,
      '* VANISHED 1',
    ])
  })

  it('drops connections on request, with and without a word', async () => {
    await start()
    const first = await loggedIn()
    server.disconnectAll({ withBye: true })
    expect((await first.nextResponse()).text).toMatch(/^\* BYE /)
    const second = await loggedIn()
    server.disconnectAll({ withBye: false })
    await expect(second.command('NOOP')).rejects.toThrow()
  })
})
