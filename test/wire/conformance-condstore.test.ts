/** Verifies rows of RFC 7162 in docs/spec/conformance.md: what the engine asks of mod-sequences, and what it makes of the answers. */

import { type Observation, type Step, UidSet } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import { closeScripted, connectScripted, known, ofKind, outcomes, selectLines, step } from './scripted-session.ts'
import type { WireAccount } from './wire-account.ts'
import { closeAccounts, sentBy, settleEqual, startAccount } from './wire-lab.ts'

const QRESYNC = 'ENABLE CONDSTORE QRESYNC'
afterEach(async () => {
  await closeScripted()
  await closeAccounts()
})

const rivalFlags = ({ model }: WireAccount, uids: string, flag: string): void =>
  void model.inbox.store(UidSet.parse(uids), { direction: 'add', flags: [flag] })

describe('a server that tells HIGHESTMODSEQ only to those who ask for mod-sequences', () => {
  it('is asked when a mailbox is opened, and then for what changed', async () => {
    // Verifies: DC-7162-3.1.2.1a
    const account = await startAccount({
      without: ['QRESYNC', 'ENABLE', 'LIST-STATUS'],
      proxy: {
        rewriteLine: (line) =>
          /^\* OK \[HIGHESTMODSEQ/.test(line) && !account.server.commands.some((command) => command.includes('(CONDSTORE)'))
            ? null
            : line,
      },
    })
    account.arrive('INBOX', 3)
    await settleEqual(account)
    rivalFlags(account, '2', '\\Flagged')
    const { highestModSeq } = account.model.inbox
    sentBy(account)
    await settleEqual(account)
    expect(sentBy(account)).toContain(`UID FETCH 1:4294967295 (UID FLAGS MODSEQ) (CHANGEDSINCE ${highestModSeq - 1n})`)
  })
})

describe('a mailbox with another UIDVALIDITY', () => {
  it('is asked about under its own, lower mod-sequences from then on', async () => {
    // Verifies: DC-7162-3.1.2.1b
    const account = await startAccount()
    account.arrive('INBOX', 3)
    account.model.inbox.raiseCounters({ highestModSeq: 5_000n })
    await settleEqual(account)
    account.model.inbox.bumpUidValidity()
    await settleEqual(account)
    const { uidValidity, highestModSeq } = account.model.inbox
    expect(highestModSeq).toBeLessThan(5_000n)
    rivalFlags(account, '2', '\\Flagged')
    sentBy(account)
    await settleEqual(account)
    expect(sentBy(account).filter((line) => line.startsWith('SELECT'))).toEqual([
      `SELECT "INBOX" (QRESYNC (${uidValidity} ${highestModSeq} 1:3))`,
    ])
  })
})

describe('a change that comes between the answer to SELECT and the next', () => {
  it.each([
    ['qresync', []],
    ['condstore', ['QRESYNC']],
    ['plain', ['QRESYNC', 'CONDSTORE']],
  ] as const)('is not lost in the tier %s', async (_, without) => {
    // Verifies: DC-7162-3.1.8, H-12
    let isDue = false
    const account = await startAccount({
      without,
      proxy: {
        rewriteLine: (line) => {
          if (isDue && /^\S+ OK \[READ-WRITE\]/.test(line)) {
            isDue = false
            rivalFlags(account, '1', '\\Flagged')
            account.model.inbox.remove(UidSet.of(3))
            account.arrive('INBOX', 1)
          }
          return line
        },
      },
    })
    account.arrive('INBOX', 4)
    await settleEqual(account)
    account.arrive('INBOX', 1)
    isDue = true
    expect(await account.settle()).toBe('done')
    expect(isDue).toBe(false)
    await settleEqual(account)
  })
})

describe('a server on which a STORE that changes nothing raises the mod-sequence', () => {
  it('costs one look more, and neither a conflict nor a loop', async () => {
    // Verifies: DC-7162-3.1.11
    const account = await startAccount({
      proxy: {
        rewriteLine: (line) => {
          if (/^\S+ OK .*\bStore\b/i.test(line)) {
            const target = UidSet.of(2)
            for (const direction of ['add', 'remove'] as const) account.model.inbox.store(target, { direction, flags: ['$bump'] })
          }
          return line
        },
      },
    })
    account.arrive('INBOX', 3)
    await settleEqual(account)
    const [, second] = await account.references('INBOX')
    if (second === undefined) throw new Error('There are too few messages.')
    rivalFlags(account, '2', '\\Seen')
    await account.engine.flag(second, { add: ['\\Seen'] }).accepted
    const before = account.model.inbox.highestModSeq
    await settleEqual(account)
    expect(account.model.inbox.highestModSeq).toBeGreaterThan(before)
    expect(await account.engine.entries()).toEqual([])
    await settleEqual(account)
    sentBy(account)
    await settleEqual(account)
    expect(sentBy(account).filter((line) => /SELECT|FETCH/.test(line))).toEqual([])
  })
})

describe('a conditional STORE', () => {
  const ifUnchanged = (id: string, uids: string): Step => step.store(id, uids, { unchangedSince: 31n } as Partial<Step>)

  it.each([
    ['OK', '[MODIFIED 5,7:9]', 'ok', '5,7'],
    ['NO', '[MODIFIED 5,7:9]', 'rejected', '5,7'],
    ['OK', '[MODIFIED x]', 'ok', '1:7'],
    ['OK', '', 'ok', ''],
  ])('that is answered by %s %s names by their UIDs those left alone', async (status, code, outcome, uids) => {
    // Verifies: DC-7162-3.1.3c
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.answer('UID STORE 1:7 (UNCHANGEDSINCE 31) +FLAGS.SILENT (\\Seen)', `${status} ${code} conditional`)
    })
    const seen = await run(step.open('o'), ifUnchanged('s', '1:7'))
    expect(outcomes(seen)).toBe(`o:ok s:${outcome}`)
    expect(ofKind(seen, 'modified').map(({ uids: left }) => `${left}`)).toEqual(uids === '' ? [] : [uids])
  })
})

describe('what the server is told to be known', () => {
  it('is exactly what is known, and new messages are asked for from UIDNEXT on', async () => {
    // Verifies: DC-7162-3.2.5b, DC-7162-6g
    const account = await startAccount()
    account.arrive('INBOX', 7)
    account.model.inbox.remove(UidSet.parse('2,5:6'))
    await settleEqual(account)
    const { uidValidity, highestModSeq } = account.model.inbox
    account.model.inbox.remove(UidSet.of(3))
    account.arrive('INBOX', 2)
    sentBy(account)
    await settleEqual(account)
    expect(sentBy(account).filter((line) => /^(SELECT|UID FETCH)/.test(line))).toEqual([
      `SELECT "INBOX" (QRESYNC (${uidValidity} ${highestModSeq} 1,3:4,7))`,
      expect.stringMatching(/^UID FETCH 8:4294967295 \(UID FLAGS .*ENVELOPE/),
    ])
  })

  it('is left out where it would be long, and means everything below UIDNEXT then', async () => {
    // Verifies: DC-7162-3.2.5b, H-15
    const account = await startAccount()
    account.arrive('INBOX', 200)
    account.model.inbox.remove(UidSet.from(Array.from({ length: 99 }, (_, i) => 2 * i + 2)))
    await settleEqual(account)
    const { uidValidity, highestModSeq } = account.model.inbox
    account.model.inbox.remove(UidSet.parse('1,99'))
    sentBy(account)
    await settleEqual(account)
    const selects = sentBy(account).filter((line) => line.startsWith('SELECT'))
    expect(selects).toEqual([`SELECT "INBOX" (QRESYNC (${uidValidity} ${highestModSeq}))`])
  })
})

describe('the count of messages', () => {
  const counts = (seen: readonly Observation[]): readonly (number | null)[] => ofKind(seen, 'done').map(({ exists }) => exists)

  it('is not lowered by VANISHED (EARLIER), wherever it comes', async () => {
    // Verifies: DC-7162-3.2.10.1a
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT', ...selectLines(['* VANISHED (EARLIER) 2']))
      await peer.answer('UID FETCH', '* VANISHED (EARLIER) 4:5', 'OK')
    })
    const seen = await run(step.open('o', 'INBOX', known(31)), step.fetch('f', '1:9'))
    expect(ofKind(seen, 'opened')[0]?.exists).toBe(3)
    expect(counts(seen)).toEqual([3, 3])
  })

  it('is lowered by one for each UID of VANISHED, and raised by EXISTS', async () => {
    // Verifies: DC-7162-3.2.10.2, DC-9051-5.2
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT', ...selectLines(['* 7 EXISTS', '* VANISHED 8']))
      await peer.answer('UID FETCH', '* VANISHED 1:2,4', 'OK')
      await peer.answer('UID SEARCH', '* 9 EXISTS', '* SEARCH 3 5 6', 'OK')
      await peer.answer('UID FETCH', '* VANISHED 3', '* 12 EXISTS', 'OK')
    })
    const seen = await run(step.open('o', 'INBOX', known(31)), step.fetch('f', '1:9'), step.search('s'), step.fetch('g', '2:9'))
    expect(ofKind(seen, 'opened')[0]?.exists).toBe(6)
    expect(counts(seen)).toEqual([6, 3, 9, 12])
    expect(ofKind(seen, 'vanished').map(({ uids }) => `${uids}`)).toEqual(['8', '1:2,4', '3'])
  })
})

describe('a set of many single messages', () => {
  it('goes in several commands, none longer than what every server takes', async () => {
    // Verifies: DC-7162-4
    const account = await startAccount()
    account.model.inbox.raiseCounters({ uidNext: 4_000_000_000 })
    account.arrive('INBOX', 3_000)
    await settleEqual(account)
    const { messages } = await account.engine.page({ mailboxId: await account.id('INBOX'), limit: 3_000 })
    const scattered = messages.filter((_, index) => index % 2 === 0)
    await account.engine.flag(
      scattered.map(({ reference }) => reference),
      { add: ['\\Flagged'] },
    ).accepted
    sentBy(account)
    await settleEqual(account)
    const sent = sentBy(account)
    expect(sent.filter((line) => line.startsWith('UID STORE')).length).toBeGreaterThan(1)
    // Servers take 8,000 octets (RFC 2683 §3.2.1.5), those with CONDSTORE some more.
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThan(8_000 - 'T99999 \r\n'.length)
    expect(account.model.inbox.messages.filter(({ flags }) => flags.includes('\\Flagged'))).toHaveLength(1_500)
  })
})
