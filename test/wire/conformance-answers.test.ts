/** Verifies rows of docs/spec/conformance.md on answers that a client must bear: in another order, twice, too early, or with what it does not know. */

import { UID_MAX, UidSet } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import { message } from '../sim/engine-lab.ts'
import { type Peer, startScript } from './scripted-server.ts'
import {
  clockMovedBy,
  closeScripted,
  collect,
  connectScripted,
  idleOnce,
  ofKind,
  outcomes,
  remoteOf,
  selectLines,
  step,
} from './scripted-session.ts'
import type { WireAccount } from './wire-account.ts'
import { closeAccounts, sentBy, settleEqual, startAccount } from './wire-lab.ts'

afterEach(async () => {
  await closeScripted()
  await closeAccounts()
})

/** News of a rival, and work of ours, taken in and sent on a server that speaks so. */
async function workOn(account: WireAccount): Promise<void> {
  account.arrive('INBOX', 6)
  account.arrive('Archive', 2)
  await settleEqual(account)
  account.arrive('INBOX', 3)
  account.model.inbox.store(UidSet.parse('2:4'), { direction: 'add', flags: ['\\Flagged'] })
  account.model.inbox.remove(UidSet.parse('1,5'))
  const [first, second] = await account.references('INBOX')
  if (first === undefined || second === undefined) throw new Error('There are too few messages.')
  await account.engine.flag(first, { add: ['\\Seen'] }).accepted
  await account.engine.move(second, await account.id('Archive')).accepted
  await account.engine.append({ to: await account.id('Work'), bytes: message('Upload') }).accepted
  await settleEqual(account)
  expect(await account.engine.entries()).toEqual([])
}

const TIERS = [
  ['qresync', []],
  ['condstore', ['QRESYNC']],
  ['plain', ['QRESYNC', 'CONDSTORE']],
] as const

describe('a server that answers FETCH in any order, twice, and with rows that have no UID', () => {
  it.each(TIERS)('is understood in the tier %s', async (_, without) => {
    // Verifies: FIELD-9
    let held: string[] = []
    let disordered = 0
    const account = await startAccount({
      without,
      proxy: {
        rewriteLine: (line) => {
          if (/^\* \d+ FETCH \(.*\)$/.test(line)) {
            held.push(line)
            return null
          }
          const rows = held.toReversed()
          held = []
          if (rows.length > 1) disordered += 1
          return [...rows, ...rows.slice(0, 2), ...(rows.length > 0 ? ['* 1 FETCH (FLAGS (\\Answered))'] : []), line].join('\r\n')
        },
      },
    })
    await workOn(account)
    expect(disordered).toBeGreaterThan(1)
  })
})

describe('a server that says much that nobody knows', () => {
  it.each(TIERS)('is understood in the tier %s', async (_, without) => {
    // Verifies: DC-9051-7.1a
    let odd = 0
    const say = (pattern: RegExp, replacement: string) => (line: string) => {
      const said = line.replace(pattern, replacement)
      if (said !== line) odd += 1
      return said
    }
    const rewrites = [
      say(/(\[CAPABILITY IMAP4rev1)/, '$1 X-NEW=1 IMAP4rev9 AUTH=X-ODD'),
      say(/^\* LIST \(/, '* LIST (\\X-Odd \\Marvellous '),
      say(/^(\* LIST .*)$/, '$1 ("X-ODD" ("a" (1 NIL)) "CHILDINFO" ("SUBSCRIBED"))'),
      say(/^\* STATUS (.*) \(/, '* STATUS $1 (X-ODD 4 '),
      say(/^\* (\d+) FETCH \(/, '* $1 FETCH (X-ODD (NIL "a" (1 2)) '),
      say(/^(\S+) OK (?!\[)/, '$1 OK [X-ODD 4 "a ] b" (c)] '),
      say(/^\* (\d+) EXISTS$/, '* $1 EXISTS\r\n* X-ODD 1 (a "b")\r\n* 7 X-ODD\r\n* OK [X-ODD] odd'),
      say(/^(\* ESEARCH .*UID)/, '$1 X-ODD 5'),
    ]
    const rewriteLine = (line: string): string => rewrites.reduce((said, rewrite) => rewrite(said), line)
    const account = await startAccount({ without, proxy: { rewriteLine } })
    await workOn(account)
    expect(odd).toBeGreaterThan(30)
  })
})

describe('what comes before a login, or while no mailbox is open', () => {
  const STRANGE = [
    '* 5 EXISTS',
    '* 2 EXPUNGE',
    '* VANISHED 1:3',
    '* 1 FETCH (UID 1 FLAGS (\\Seen))',
    '* FLAGS (\\Seen)',
    '* LIST () "/" "Strange"',
    '* STATUS INBOX (MESSAGES 9 UIDVALIDITY 7)',
    '* SEARCH 1 2',
    '* OK [UIDVALIDITY 99] strange',
  ]

  it('is of no mailbox, and of no answer', async () => {
    // Verifies: DC-9051-11.3
    const script = async (peer: Peer): Promise<void> => {
      peer.send('* OK [CAPABILITY IMAP4rev1 MOVE] ready', '* ENABLED QRESYNC', ...STRANGE)
      const tag = await peer.expect('LOGIN')
      peer.send('* ENABLED QRESYNC', ...STRANGE, `${tag} OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] welcome`, ...STRANGE)
      await peer.answer('ENABLE QRESYNC', ...STRANGE, 'OK')
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID SEARCH ALL', '* SEARCH 7 8 9', 'OK')
    }
    const server = await startScript(script)
    try {
      const session = await remoteOf(server.port).connect(new AbortController().signal)
      expect(session.server).toMatchObject({ capabilities: ['IMAP4REV1', 'ENABLE', 'QRESYNC'], enabled: [] })
      const options = { bodies: { bytes: async () => new Uint8Array() }, signal: new AbortController().signal }
      const seen = await collect(session.run([step.open('o'), step.search('s')], options))
      // What was said of no mailbox is not told of the one that is opened next.
      expect(seen.map((item) => item.kind)).toEqual(['opened', 'done', 'uids', 'done'])
      expect(ofKind(seen, 'done').map(({ exists }) => exists)).toEqual([3, 3])
      expect(ofKind(seen, 'opened')[0]).toMatchObject({ exists: 3, mailbox: { uidValidity: 7 } })
      expect(ofKind(seen, 'uids').map(({ uids }) => `${uids}`)).toEqual(['7:9'])
      await session.close()
    } finally {
      await server.close()
    }
  })
})

describe('IDLE', () => {
  it('is asked for again within 29 minutes', async () => {
    // Verifies: DC-9051-6.3.13b
    const moved = clockMovedBy('* OK tick', 28 * 60_000)
    const startedAt = moved.clock.now()
    const abort = new AbortController()
    const idledAt: number[] = []
    const idle = (): number => idledAt.push(moved.clock.now() - startedAt)
    const { session, run } = await connectScripted(
      'IDLE',
      async (peer) => {
        await peer.answer('SELECT', ...selectLines())
        await idleOnce(peer, ['* OK tick'], idle)
        await idleOnce(peer, [], () => {
          idle()
          abort.abort()
        })
      },
      { ...moved, stepDeadlineMs: Number.MAX_SAFE_INTEGER },
    )
    await run(step.open('o'))
    await collect(session.watch({ path: 'INBOX', beside: [] }, abort.signal))
    expect(idledAt).toEqual([0, 28 * 60_000])
  })
})

describe('an identity of a message', () => {
  it.each([
    ['as it is', '(M6d99ac3275bb4e)', 'M6d99ac3275bb4e'],
    ['in the case it has', '(m6D99AC-_x)', 'm6D99AC-_x'],
    ['up to 255 octets', `(${'a'.repeat(255)})`, 'a'.repeat(255)],
    ['for none where it is longer', `(${'a'.repeat(256)})`, null],
    ['for none where it has a blank', '("a b")', null],
    ['for none where it is empty', '("")', null],
    ['for none where it is not ASCII', '("ä")', null],
    ['for none where it is NIL', 'NIL', null],
    ['for none where there is no value', '()', null],
  ])('is taken %s', async (_, written, emailId) => {
    // Verifies: DC-8474-7
    const { run } = await connectScripted('OBJECTID', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      const row = 'FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 100 ENVELOPE NIL BODYSTRUCTURE NIL'
      await peer.answer('UID FETCH', `* 1 FETCH (UID 5 ${row} EMAILID ${written} THREADID NIL)`, 'OK')
    })
    const seen = await run(step.open('o'), step.fetch('f', '5', 'summary'))
    expect(outcomes(seen)).toBe('o:ok f:ok')
    expect(ofKind(seen, 'row').map(({ summary }) => summary?.emailId)).toEqual([emailId])
  })
})

describe('a UID that was given away and is gone before anybody looked', () => {
  it.each(TIERS)('costs one look in the tier %s, and is not asked for again', async (_, without) => {
    // Verifies: FIELD-8
    const account = await startAccount({ without })
    account.arrive('INBOX', 3)
    await settleEqual(account)
    account.arrive('INBOX', 2)
    account.model.inbox.remove(UidSet.parse('4:5'))
    await settleEqual(account)
    sentBy(account)
    await settleEqual(account)
    const asksForNew = /SEARCH|ENVELOPE/
    const sent = sentBy(account)
    expect(sent.filter((line) => asksForNew.test(line))).toEqual([])
    // Without mod-sequences the flags of everything are looked at each time.
    if (!without.some((name) => name === 'CONDSTORE')) expect(sent.filter((line) => line.startsWith('SELECT'))).toEqual([])
    account.arrive('INBOX', 1)
    await settleEqual(account)
  })
})

describe('a mailbox whose last message has the last UID there is', () => {
  it.each(TIERS)('is looked at, changed and compared like any other in the tier %s', async (_, without) => {
    // Verifies: I-SYNC-1, DC-9051-2.3.1.1
    const account = await startAccount({ without })
    account.arrive('INBOX', 3)
    account.model.inbox.raiseCounters({ uidNext: UID_MAX })
    account.arrive('INBOX', 1)
    await settleEqual(account)
    account.model.inbox.store(UidSet.of(UID_MAX), { direction: 'add', flags: ['\\Flagged'] })
    account.model.inbox.remove(UidSet.of(2))
    await settleEqual(account)
    const [newest] = await account.references('INBOX')
    if (newest === undefined) throw new Error('There is no message.')
    await account.engine.flag(newest, { add: ['\\Seen'] }).accepted
    await settleEqual(account)
    expect(account.model.inbox.get(UID_MAX)?.flags).toEqual(['\\Flagged', '\\Seen'])
    expect((await account.engine.verify()).outcome).toBe('equal')
    await settleEqual(account)
    sentBy(account)
    await settleEqual(account)
    const sent = sentBy(account)
    expect(sent.filter((line) => /SEARCH|ENVELOPE/.test(line))).toEqual([])
    if (!without.some((name) => name === 'CONDSTORE')) expect(sent.filter((line) => line.startsWith('SELECT'))).toEqual([])
  })
})
