/** The adapter against Dovecot: every step, pipelined as plans are, and checked with an independent eye. */

import { readFileSync } from 'node:fs'
import {
  type BodySource,
  bodyId,
  type Observation,
  type Opened,
  type RemoteSession,
  type Step,
  UidSet,
  type UidValidity,
} from '@tidemail/core'
import { type ImapRemoteOptions, imapRemote } from '@tidemail/imap'
import { type DovecotServer, RawImap, sampleMessages, startDovecot, type TestUser } from '@tidemail/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

let dovecot: DovecotServer
const sessions: RemoteSession[] = []

beforeAll(async () => {
  dovecot = await startDovecot()
})
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()))
})
afterAll(() => dovecot.stop())

const FAR_FUTURE = Date.UTC(2100, 0, 1)
const MAIL = sampleMessages({ count: 40, seed: 11 })
const BODIES: BodySource = {
  bytes: (id) => Promise.resolve(MAIL[Number(id)]?.bytes ?? new TextEncoder().encode(`Subject: ${id}\r\n\r\n${id}\r\n`)),
}
const why = { reason: 'a test' }

async function connect(user: TestUser, options: Partial<ImapRemoteOptions> = {}): Promise<RemoteSession> {
  const remote = imapRemote({
    host: dovecot.host,
    port: dovecot.port,
    security: 'none',
    user: user.name,
    secret: () => Promise.resolve(user.password),
    ...options,
  })
  const session = await remote.connect(new AbortController().signal)
  sessions.push(session)
  return session
}

async function run(session: RemoteSession, ...steps: readonly Step[]): Promise<readonly Observation[]> {
  const seen: Observation[] = []
  for await (const observation of session.run(steps, { bodies: BODIES, signal: new AbortController().signal }))
    seen.push(observation)
  return seen
}

function ofKind<K extends Observation['kind']>(seen: readonly Observation[], kind: K) {
  return seen.filter((one): one is Extract<Observation, { readonly kind: K }> => one.kind === kind)
}

function outcomes(seen: readonly Observation[]): readonly string[] {
  return ofKind(seen, 'done').map(({ outcome }) => outcome)
}

function append(id: string, indexes: readonly number[], target = 'INBOX'): Step {
  return {
    ...why,
    kind: 'append',
    id,
    target,
    notAfter: FAR_FUTURE,
    messages: indexes.map((index) => ({
      bodyId: bodyId(String(index)),
      sizeBytes: MAIL[index]?.bytes.length ?? 0,
      flags: MAIL[index]?.flags ?? [],
      internalDate: MAIL[index]?.internalDate ?? 0,
    })),
  }
}

const open = (id: string, path = 'INBOX'): Step => ({ ...why, kind: 'open', id, path, access: 'select' })

async function openInbox(session: RemoteSession): Promise<Opened> {
  const opened = ofKind(await run(session, open('open')), 'opened')[0]
  if (opened === undefined) throw new Error('not opened')
  return opened
}

describe('Dovecot', () => {
  it('takes in a mailbox whole: set, summaries, bodies, and gives the same bytes back', async () => {
    const session = await connect(dovecot.user())
    const all = MAIL.map((_, index) => index)
    const appended = ofKind(await run(session, append('a', all)), 'appended')[0]
    expect(appended?.uids).toHaveLength(40)
    const { mailbox } = await openInbox(session)
    const seen = await run(
      session,
      { ...why, kind: 'search', id: 's', mailbox, uids: UidSet.ALL },
      { ...why, kind: 'fetch', id: 'f', mailbox, uids: UidSet.ALL, items: 'summary' },
      {
        ...why,
        kind: 'fetch-body',
        id: 'b',
        mailbox,
        parts: (appended?.uids ?? []).map((uid) => ({ uid, section: '', sizeBytes: 0 })),
      },
    )
    expect(outcomes(seen)).toEqual(['ok', 'ok', 'ok'])
    expect(ofKind(seen, 'uids')[0]?.uids.toString()).toBe('1:40')
    const rows = ofKind(seen, 'row')
    expect(rows).toHaveLength(40)
    for (const [index, row] of rows.entries()) {
      expect(row.summary).toMatchObject({ internalDate: MAIL[index]?.internalDate, sizeBytes: MAIL[index]?.bytes.length })
      expect(row.modSeq).not.toBeNull()
      expect(row.summary?.parts.length).toBeGreaterThan(0)
    }
    const bodies = ofKind(seen, 'body')
    expect(bodies.map(({ bytes }) => Buffer.from(bytes ?? []))).toEqual(MAIL.map(({ bytes }) => Buffer.from(bytes)))
  })

  it('opens with QRESYNC and is told what a rival did meanwhile', async () => {
    const user = dovecot.user()
    const session = await connect(user)
    await run(session, append('a', [0, 1, 2, 3, 4]))
    const before = await openInbox(session)
    if (before.highestModSeq === null) throw new Error('no mod-sequences')
    await run(session, { ...why, kind: 'leave', id: 'l' })
    const rival = await connect(user)
    const { mailbox } = await openInbox(rival)
    const notAfter = FAR_FUTURE
    const rivalry = await run(
      rival,
      { ...why, kind: 'store', id: 'del', mailbox, uids: UidSet.parse('2,4'), direction: 'add', flags: ['\\Deleted'], notAfter },
      { ...why, kind: 'expunge', id: 'x', mailbox, uids: UidSet.parse('2,4'), notAfter, requires: ['del'] },
      { ...why, kind: 'store', id: 'flag', mailbox, uids: UidSet.parse('5'), direction: 'add', flags: ['work'], notAfter },
    )
    expect(outcomes(rivalry)).toEqual(['ok', 'ok', 'ok'])
    expect(ofKind(rivalry, 'done').at(-1)?.exists).toBe(3)
    const known = { uidValidity: mailbox.uidValidity, modSeq: before.highestModSeq }
    const seen = await run(session, { ...why, kind: 'open', id: 'o', path: 'INBOX', access: 'select', known })
    expect(seen.map(({ kind }) => kind)).toEqual(['opened', 'vanished', 'row', 'done'])
    expect(ofKind(seen, 'opened')[0]).toMatchObject({ isResynced: true, exists: 3 })
    expect(ofKind(seen, 'vanished')[0]?.uids.toString()).toBe('2,4')
    expect(ofKind(seen, 'row')[0]).toMatchObject({ uid: 5 })
    expect(ofKind(seen, 'row')[0]?.flags).toContain('work')
  })

  it('moves and copies with evidence, and finds another UIDVALIDITY stale', async () => {
    const user = dovecot.user()
    const session = await connect(user)
    await run(session, append('a', [0, 1, 2]))
    const { mailbox } = await openInbox(session)
    const notAfter = FAR_FUTURE
    const other = { ...mailbox, uidValidity: (mailbox.uidValidity + 1) as UidValidity }
    const seen = await run(
      session,
      { ...why, kind: 'copy', id: 'c', mailbox, uids: UidSet.parse('1'), target: 'Archive', notAfter },
      { ...why, kind: 'move', id: 'm', mailbox, uids: UidSet.parse('2:3'), target: 'Archive', notAfter },
      { ...why, kind: 'move', id: 's', mailbox: other, uids: UidSet.parse('1'), target: 'Archive', notAfter },
      { ...why, kind: 'copy', id: 'n', mailbox, uids: UidSet.parse('1'), target: 'Nowhere', notAfter },
      { ...why, kind: 'fetch', id: 'f', mailbox, uids: UidSet.ALL, items: 'flags' },
    )
    expect(outcomes(seen)).toEqual(['ok', 'ok', 'stale', 'rejected', 'ok'])
    // Dovecot tells the evidence of the move before the tagged reply of the copy: each goes to its own step.
    const evidence = ofKind(seen, 'copied').map(({ id, pairs }) => `${id} ${pairs.sources} ${pairs.destinations}`)
    expect(evidence.sort()).toEqual(['c 1 1', 'm 2:3 2:3'])
    expect(ofKind(seen, 'vanished').map(({ uids }) => uids.toString())).toEqual(['2:3'])
    expect(ofKind(seen, 'done').at(-1)?.exists).toBe(1)
    expect(ofKind(seen, 'done')[3]?.rejection?.code).toBe('TRYCREATE')
  })

  it('lists names of every kind, and opens each under the name it was listed by', async () => {
    const user = dovecot.user()
    await (await connect(user)).close()
    const raw = await RawImap.connect({ host: dovecot.host, port: dovecot.port })
    await raw.command(`LOGIN ${user.name} ${user.password}`)
    const names = ['Entw&APw-rfe', '&U,BTFw-', 'A &- B', '50% off', 'a "quoted" name', 'sub/deep']
    for (const name of names) await raw.command(`CREATE "${name.replace(/["\\]/g, '\\$&')}"`)
    await raw.command('LOGOUT')
    const session = await connect(user)
    const seen = await run(session, { ...why, kind: 'list', id: 'l', withStatus: true })
    const paths = ofKind(seen, 'mailbox').map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining(['Entwürfe', '台北', 'A & B', '50% off', 'a "quoted" name', 'sub/deep', 'INBOX']),
    )
    const roles = new Map(ofKind(seen, 'mailbox').map(({ path, role }) => [path, role]))
    expect([roles.get('Sent'), roles.get('Trash'), roles.get('INBOX'), roles.get('sub/deep')]).toEqual([
      'sent',
      'trash',
      'inbox',
      null,
    ])
    const opens = await run(session, ...paths.filter((path) => path !== 'sub').map((path, i) => open(`o${i}`, path)))
    expect(new Set(outcomes(opens))).toEqual(new Set(['ok']))
    expect(ofKind(seen, 'status').length).toBe(paths.length - (paths.includes('sub') ? 1 : 0))
  })

  it('resynchronises many mailboxes in one pipelined plan', async () => {
    const session = await connect(dovecot.user())
    const targets = ['INBOX', 'Sent', 'Archive']
    await run(session, ...targets.map((target, i) => append(`a${i}`, [i, i + 1], target)))
    const opened = ofKind(await run(session, ...targets.map((path) => open(path, path))), 'opened')
    const steps = opened.flatMap(({ mailbox, highestModSeq }): readonly Step[] => {
      if (highestModSeq === null) throw new Error('no mod-sequences')
      const known = { uidValidity: mailbox.uidValidity, modSeq: highestModSeq }
      return [
        { ...why, kind: 'open', id: `o ${mailbox.path}`, path: mailbox.path, access: 'examine', known },
        { ...why, kind: 'fetch', id: `f ${mailbox.path}`, mailbox, uids: UidSet.ALL, items: 'identity' },
      ]
    })
    const seen = await run(session, ...steps)
    expect(new Set(outcomes(seen))).toEqual(new Set(['ok']))
    expect(ofKind(seen, 'row').map(({ mailbox, uid }) => `${mailbox.path} ${uid}`)).toEqual(
      targets.flatMap((path) => [`${path} 1`, `${path} 2`]),
    )
  })

  it('is told of new mail while it watches, and runs a plan in between', async () => {
    const user = dovecot.user()
    const session = await connect(user)
    await openInbox(session)
    const abort = new AbortController()
    const news = session.watch({ path: 'INBOX', beside: [] }, abort.signal)[Symbol.asyncIterator]()
    expect((await news.next()).value).toMatchObject({ kind: 'status', path: 'INBOX' })
    expect((await news.next()).value).toEqual({ kind: 'watching', way: 'idle' })
    const next = news.next()
    const listed = await run(session, { ...why, kind: 'list', id: 'l', withStatus: false })
    expect(outcomes(listed)).toEqual(['ok'])
    // After the plan it is told once more how things are.
    expect((await next).value).toMatchObject({ kind: 'status', path: 'INBOX' })
    expect((await news.next()).value).toEqual({ kind: 'watching', way: 'idle' })
    const stirred = news.next()
    await run(await connect(user), append('a', [0]))
    expect((await stirred).value).toEqual({ kind: 'stirred', path: 'INBOX' })
    const last = news.next()
    abort.abort()
    expect((await last).done).toBe(true)
    expect(outcomes(await run(session, { ...why, kind: 'status', id: 's', path: 'Sent' }))).toEqual(['ok'])
  })

  it('connects by TLS and by STARTTLS, and knows why it does not', async () => {
    const user = dovecot.user()
    const ca = readFileSync(dovecot.caFile ?? '', 'utf8')
    const tls = { port: dovecot.tlsPort ?? 0, security: 'tls' as const, host: 'localhost' }
    expect((await connect(user, { ...tls, ca })).server.enabled).toContain('QRESYNC')
    expect((await connect(user, { security: 'starttls', host: 'localhost', ca })).server.enabled).toContain('QRESYNC')
    const refused = async (options: Partial<ImapRemoteOptions>): Promise<unknown> =>
      connect(user, options).catch((error: unknown) => error)
    expect(await refused(tls)).toMatchObject({ code: 'remote.tls', message: expect.stringContaining('self-signed') })
    expect(await refused({ ...tls, port: dovecot.port })).toMatchObject({ code: 'remote.tls' })
    expect(await refused({ secret: () => Promise.resolve('not the secret') })).toMatchObject({ code: 'remote.auth-rejected' })
  })

  it('ends with what the server said when it is thrown out', async () => {
    const user = dovecot.user()
    const session = await connect(user)
    await openInbox(session)
    await dovecot.doveadm(['kick', user.name])
    const seen = await run(session, open('o', 'Sent'))
    expect(['unknown', 'not-sent']).toContain(outcomes(seen)[0])
    expect(session.ended?.code).toBe('remote.disconnected')
  })
})
