/** Servers that lie: with each, through the real adapter, no message is lost, no loop begins, and store and server end equal. */

import { UidSet } from '@tidemail/core'
import type { Extension } from '@tidemail/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { message } from '../sim/engine-lab.ts'
import { type Lie, LyingServer } from './lying-server.ts'
import { closeAccounts } from './wire-lab.ts'

/** What a look at an account of few mailboxes may take, whatever is doubted on the way. */
const COMMANDS_OF_A_LOOK_MAX = 40
/** Greeting aside: LOGIN, ENABLE, LIST and what one mailbox costs that is doubted each time. */
const COMMANDS_WHEN_QUIET_MAX = 12

afterEach(closeAccounts)

/** Synchronises, and holds the store against the server; nothing may take more commands than this. */
async function settleEqual(server: LyingServer, commandsMax: number = COMMANDS_OF_A_LOOK_MAX): Promise<void> {
  const { outcome, commands } = await server.settle()
  expect(outcome).toBe('done')
  await server.account.expectEqual()
  expect(commands).toBeLessThanOrEqual(commandsMax)
}

function rivalFlags(server: LyingServer, uid: number, flag: string): void {
  server.account.model.inbox.store(UidSet.of(uid), { direction: 'add', flags: [flag] })
}

const withHighest =
  (other: (told: bigint) => string) =>
  (line: string): string =>
    line.replace(/\bHIGHESTMODSEQ (\d+)/, (_all, told: string) => `HIGHESTMODSEQ ${other(BigInt(told))}`)

/** A change is not told with the SELECT that asked for it. */
const isNews = (line: string): boolean => /^\* (?:VANISHED \(EARLIER\)|\d+ FETCH) /.test(line)

/** Whoever never moves tells no changes either. */
const stuck: Lie['tell'] = (line, { isOfOpening }) => (isOfOpening && isNews(line) ? null : withHighest(() => '5')(line))
const withoutModSeqsWhenOpen: Lie['tell'] = (line) => line.replace(/^\* OK \[HIGHESTMODSEQ .*$/, '* OK [NOMODSEQ] none')
const withoutModSeqs: Lie['tell'] = (line, at) => withoutModSeqsWhenOpen(line, at)?.replace(/ HIGHESTMODSEQ \d+/, '') ?? null

describe.each<[string, Lie['tell']]>([
  ['stands still', stuck],
  ['is zero', withHighest(() => '0')],
  ['is missing, with NOMODSEQ', withoutModSeqs],
  ['is told by STATUS, and NOMODSEQ by SELECT', withoutModSeqsWhenOpen],
  ['goes back with every change', withHighest((told) => `${1_000n - told}`)],
])('a server whose HIGHESTMODSEQ %s', (_, tell) => {
  // Verifies: FIELD-3, FIELD-4, I-SYNC-1, I-SYNC-2, DC-4549-6.1b, DC-7162-3.1.2.2, DC-7162-3.1.7
  it.each<[string, readonly Extension[], 'at first' | 'from the start']>([
    ['QRESYNC, after it told the truth', [], 'at first'],
    ['QRESYNC, from the start', [], 'from the start'],
    ['CONDSTORE, after it told the truth', ['QRESYNC'], 'at first'],
    ['CONDSTORE, from the start', ['QRESYNC'], 'from the start'],
  ])('with %s, costs looks at everything, and no message and no flag', async (_name, without, honest) => {
    const server = await LyingServer.start({ without, tell })
    const { account } = server
    account.arrive('INBOX', 6)
    account.arrive('Archive', 3)
    if (honest === 'at first') await settleEqual(server)
    server.isLying = true
    await settleEqual(server)
    account.arrive('INBOX', 1)
    account.model.inbox.remove(UidSet.parse('2:3'))
    rivalFlags(server, 4, '\\Flagged')
    await settleEqual(server)
    rivalFlags(server, 5, '\\Answered')
    await account.engine.flag((await account.references('INBOX')).slice(0, 2), { add: ['\\Seen'] }).accepted
    await settleEqual(server)
    await settleEqual(server, COMMANDS_WHEN_QUIET_MAX)
  })
})

describe('a Cyrus that reports nearly all it has as VANISHED', () => {
  // Verifies: FIELD-1, I-SYNC-2, DC-7162-3.2.6b
  it('loses none of 5,393 messages, and costs one list of UIDs', async () => {
    // As seen after an upgrade of Cyrus: all UIDs of before are named, though most of the messages are there.
    const tell: Lie['tell'] = (line) => (/^\* \d+ EXISTS$/.test(line) ? `${line}\r\n* VANISHED (EARLIER) 1:26185` : line)
    const server = await LyingServer.start({ tell })
    const { account } = server
    for (let blocks = 0; blocks < 53; blocks += 1) {
      account.arrive('INBOX', 100)
      account.model.inbox.raiseCounters({ uidNext: (blocks + 1) * 490 })
    }
    account.arrive('INBOX', 93)
    account.model.inbox.raiseCounters({ uidNext: 26_186 })
    await settleEqual(server)
    account.model.inbox.remove(UidSet.of(4))
    account.arrive('INBOX', 1)
    expect(account.model.inbox.messages).toHaveLength(5_393)
    server.isLying = true
    const report = await account.engine.syncOnce()
    expect(report).toMatchObject({ outcome: 'done', messagesFetched: 1, messagesRemoved: 1 })
    const sent = server.sent()
    expect(sent.filter((line) => line.startsWith('UID SEARCH'))).toHaveLength(1)
    expect(sent.filter((line) => line.startsWith('UID FETCH'))).toHaveLength(1)
    await account.expectEqual()
  })
})

describe('a server that reports every UID there can be as VANISHED', () => {
  const HEAP_BYTES_MAX = 48 * 2 ** 20
  const SETTLE_MS_MAX = 3_000

  // Verifies: FIELD-21, FIELD-1, I-SYNC-2, DC-7162-3.2.6b
  it.each<[string, Lie['tell']]>([
    [
      'as of earlier, when a mailbox is opened',
      (line, { isOfOpening }) =>
        isOfOpening && /^\* \d+ EXISTS$/.test(line) ? `${line}\r\n* VANISHED (EARLIER) 1:4294967295` : line,
    ],
    [
      'as of now, when a mailbox is opened',
      (line, { isOfOpening }) => (isOfOpening && /^\* \d+ EXISTS$/.test(line) ? `${line}\r\n* VANISHED 1:4294967295` : line),
    ],
    [
      'again and again, in pieces',
      (line, { isOfOpening }) =>
        isOfOpening && /^\* \d+ EXISTS$/.test(line)
          ? [line, ...Array.from({ length: 1_000 }, (_, i) => `* VANISHED (EARLIER) ${i + 1}:4294967295`)].join('\r\n')
          : line,
    ],
    [
      'as of now, in answer to FETCH',
      (line) => (/^\S+ OK .*(?:Fetch|FETCH)/.test(line) ? `* VANISHED 1:4294967295\r\n${line}` : line),
    ],
  ])('%s, loses nothing, and takes no more memory for it', async (_, tell) => {
    const server = await LyingServer.start({ tell })
    const { account } = server
    account.arrive('INBOX', 20)
    await settleEqual(server)
    account.arrive('INBOX', 2)
    account.model.inbox.remove(UidSet.of(7))
    const before = memoryNow()
    const startedAt = performance.now()
    server.isLying = true
    await settleEqual(server)
    const after = memoryNow()
    expect(performance.now() - startedAt).toBeLessThan(SETTLE_MS_MAX)
    // A list of so many numbers would be gigabytes; what an array of the few would leave is below the bound.
    expect(after.heapBytes - before.heapBytes).toBeLessThan(HEAP_BYTES_MAX)
    expect(after.peakBytes - before.peakBytes).toBeLessThan(2 * HEAP_BYTES_MAX)
    server.isLying = false
    await settleEqual(server)
  })
})

function memoryNow(): { readonly heapBytes: number; readonly peakBytes: number } {
  return { heapBytes: process.memoryUsage().heapUsed, peakBytes: process.resourceUsage().maxRSS * 1024 }
}

describe('a server that answers ENABLE with OK and confirms nothing', () => {
  // Verifies: DC-7162-3.2.3b, FIELD-5
  it('is not asked for QRESYNC, and nothing it says of what vanished is waited for', async () => {
    const tell: Lie['tell'] = (line) => (/^\* ENABLED/.test(line) ? null : line)
    const server = await LyingServer.start({ tell })
    const { account } = server
    server.isLying = true
    account.arrive('INBOX', 5)
    expect(await account.settle()).toBe('done')
    expect(server.sent()).toContain('ENABLE QRESYNC')
    account.model.inbox.remove(UidSet.parse('2,4'))
    account.arrive('INBOX', 1)
    rivalFlags(server, 1, '\\Flagged')
    expect(await account.settle()).toBe('done')
    const sent = server.sent()
    // The second with the list of UIDs, since the count does not add up.
    expect(sent.filter((line) => line.startsWith('SELECT'))).toHaveLength(2)
    expect(sent.filter((line) => line.includes('CHANGEDSINCE'))).toHaveLength(1)
    expect(sent.filter((line) => /\(QRESYNC|VANISHED/.test(line))).toEqual([])
    await account.expectEqual()
    await settleEqual(server, COMMANDS_WHEN_QUIET_MAX)
  })

  // Verifies: FIELD-1, FIELD-5, I-SYNC-2
  it('and names in VANISHED what is there, is not believed, though it adds up', async () => {
    const tell: Lie['tell'] = (line) => {
      if (/^\* ENABLED/.test(line)) return null
      return /^\S+ OK .*fetch/i.test(line) ? `* VANISHED 1:6\r\n${line}` : line
    }
    const server = await LyingServer.start({ tell })
    const { account } = server
    server.isLying = true
    account.arrive('INBOX', 5)
    await settleEqual(server)
    account.arrive('INBOX', 1)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1, messagesRemoved: 0 })
    await account.expectEqual()
  })
})

describe('a server whose mod-sequences no double can hold', () => {
  // Verifies: DC-7162-3.1, DC-7162-3.1.4, I-SYNC-1
  it.each([
    ['above 2^53', 2n ** 53n],
    ['at the end of 63 bits', 2n ** 63n - 10n],
  ])('%s, is asked for what changed since exactly that number', async (_, highestModSeq) => {
    for (const without of [[], ['QRESYNC']] as const) {
      const server = await LyingServer.start({ without, tell: (line) => line })
      const { account } = server
      account.arrive('INBOX', 3)
      account.model.inbox.raiseCounters({ highestModSeq })
      rivalFlags(server, 1, '\\Flagged')
      await settleEqual(server)
      rivalFlags(server, 2, '\\Seen')
      server.sent()
      expect((await account.engine.syncOnce()).flagsChanged).toBe(1)
      const since = highestModSeq + 1n
      const asked = without.length === 0 ? `(QRESYNC (${account.model.inbox.uidValidity} ${since} ` : `(CHANGEDSINCE ${since})`
      expect(server.sent().filter((line) => line.includes(asked))).toHaveLength(1)
      await account.expectEqual()
    }
  })

  it('beyond 63 bits, is one without mod-sequences', async () => {
    const tell: Lie['tell'] = (line) =>
      line.replace(
        /\b(HIGHESTMODSEQ |MODSEQ \()(\d+)/g,
        (_all, before: string, told: string) => before + (2n ** 63n + BigInt(told)),
      )
    const server = await LyingServer.start({ tell })
    const { account } = server
    account.arrive('INBOX', 3)
    await settleEqual(server)
    server.isLying = true
    rivalFlags(server, 1, '\\Flagged')
    await settleEqual(server)
    rivalFlags(server, 2, '\\Seen')
    await settleEqual(server)
  })
})

describe('a server whose UIDNEXT goes back', () => {
  const withUidNext =
    (other: (told: number) => number): Lie['tell'] =>
    (line) =>
      line.replace(/\bUIDNEXT (\d+)/, (_all, told: string) => `UIDNEXT ${Math.max(1, other(Number(told)))}`)

  // Verifies: FIELD-4, I-SYNC-1, I-SYNC-2
  it.each<[string, readonly Extension[], Lie['tell']]>([
    ['QRESYNC, by one', [], withUidNext((told) => told - 1)],
    ['QRESYNC, to the first', [], withUidNext(() => 1)],
    ['QRESYNC, when a mailbox is opened', [], (line, at) => (at.isOfOpening ? withUidNext((told) => told - 2)(line, at) : line)],
    ['CONDSTORE, by one', ['QRESYNC'], withUidNext((told) => told - 1)],
    ['CONDSTORE, to the first', ['QRESYNC'], withUidNext(() => 1)],
    ['neither, to the first', ['QRESYNC', 'CONDSTORE'], withUidNext(() => 1)],
  ])('with %s, is looked at whole, and loses no message and no flag', async (_name, without, tell) => {
    const server = await LyingServer.start({ without, tell })
    const { account } = server
    account.arrive('INBOX', 6)
    await settleEqual(server)
    server.isLying = true
    account.model.inbox.remove(UidSet.of(6))
    await settleEqual(server)
    account.arrive('INBOX', 2)
    rivalFlags(server, 4, '\\Flagged')
    await settleEqual(server)
    account.model.inbox.remove(UidSet.parse('2:3'))
    await settleEqual(server)
    await settleEqual(server, COMMANDS_WHEN_QUIET_MAX)
    server.isLying = false
    account.arrive('INBOX', 1)
    await settleEqual(server)
    await settleEqual(server, COMMANDS_WHEN_QUIET_MAX)
  })
})

describe('a server that refuses to open a mailbox, and does later', () => {
  // Verifies: I-SYNC-1
  it.each([
    ['NO', 'at first'],
    ['BAD', 'at first'],
    ['NO', 'when it was open before'],
    ['BAD', 'when it was open before'],
  ])('with %s, %s, is looked at again, and nothing is missing', async (status, when) => {
    const tell: Lie['tell'] = (line, { isOfOpening }) =>
      isOfOpening ? line.replace(/^([^*+ ]\S*) OK .*$/, `$1 ${status} go away`) : line
    const server = await LyingServer.start({ tell, exempt: {} })
    const { account } = server
    account.arrive('INBOX', 2)
    if (when !== 'at first') await settleEqual(server)
    server.isLying = true
    account.arrive('INBOX', 1)
    await account.engine.syncOnce().catch(() => undefined)
    server.isLying = false
    account.arrive('Work', 1)
    await settleEqual(server)
  })
})

describe('a server whose UIDVALIDITY is another at every SELECT', () => {
  // Verifies: DC-8474-8.4b, FIELD-20, I-STORE-2, DC-4549-3.4
  it('is taken in anew each time, and no oftener; what the user made is sent, and what he changed is kept', async () => {
    let validity = 100
    const tell: Lie['tell'] = (line) =>
      line.replace(/^\* OK \[UIDVALIDITY \d+\]/, () => {
        validity += 1
        return `* OK [UIDVALIDITY ${validity}]`
      })
    const exempt = { 'DC-4549-5.2-3a': 'What was asked with the SELECT is of no use under the UIDVALIDITY that came.' }
    const server = await LyingServer.start({ tell, exempt })
    const { account } = server
    account.arrive('INBOX', 4)
    account.arrive('Work', 2)
    await settleEqual(server)
    server.isLying = true
    await account.engine.append({ to: await account.id('Archive'), bytes: message('Upload') }).accepted
    await account.engine.flag((await account.references('INBOX')).slice(0, 1), { add: ['\\Seen'] }).accepted
    for (let looks = 0; looks < 3; looks += 1) {
      await settleEqual(server)
      account.arrive('INBOX', 1)
    }
    await settleEqual(server)
    expect(account.model.open('Archive').messages).toHaveLength(1)
    const [waiting, ...more] = await account.engine.entries()
    expect(more).toEqual([])
    expect(waiting?.progress).toMatchObject([{ state: 'parked', parkedFor: 'uidvalidity-changed' }])
  })
})
