/** A day's work done offline arrives on real servers, also where a rival had his hands on the same messages. */

import { type MailboxId, type MessageReference, UidSet } from '@tidemail/core'
import type { Receipt } from '@tidemail/engine'
import { expect, it } from 'vitest'
import { numbered, numberedRange, numberOf, placesOf } from './numbered-mail.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'

/** Numbers of messages: which are flagged, moved, removed, and new. Half of the moved ones are flagged before. */
interface Workload {
  readonly flagged: readonly [number, number]
  readonly moved: readonly [number, number]
  readonly expunged: readonly [number, number]
  readonly appended: readonly [number, number]
}

const WORKLOAD: Workload = { flagged: [1, 500], moved: [401, 600], expunged: [601, 650], appended: [801, 850] }
const SEEDED = 700
const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '$Work'] as const
const APPENDED = { flags: ['\\Seen', '$Work'], sizeBytes: 2_000 } as const

/** Some of every kind of target: flagged, flagged and moved, moved, expunged. */
const FLAGGED_BY_RIVAL = UidSet.parse('1:100,431:440,521:530,631:640')
const EXPUNGED_BY_RIVAL = UidSet.parse('111:120,411:420,501:510,611:620')
const MOVED_BY_RIVAL = UidSet.parse('121:130,421:430,511:520,621:630')
const NEW_BY_RIVAL = 701
const DRAINED = { outcome: 'done', entriesPending: 0, entriesParked: 0, entriesUncertain: 0, problems: [] } as const

onServers(ALL_SERVERS, (server) => {
  it('takes 500 flag changes, 200 moves, 50 appends and 50 expunges made offline', async () => {
    // Verifies: I-LOG-1, I-LOG-2, I-LOG-3, I-SYNC-1, I-SYNC-5, H-1, H-2
    await withAccount(server(), {}, async (account) => {
      await seed(account)
      await account.sync()
      await work(account)
      expect(await account.sync()).toMatchObject(DRAINED)
      await expectEvidence(account)
      expect(await misplaced(account, placeAfter)).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    })
  })

  it('takes them also where a rival changed, removed and moved the same messages', async () => {
    // Verifies: I-LOG-2, I-LOG-3, I-SYNC-1, I-SYNC-2, DC-4549-5.1-4, DC-4549-5.1-5
    await withAccount(server(), {}, async (account) => {
      await seed(account)
      await account.sync()
      await work(account)
      await interfere(account)
      expect(await account.sync()).toMatchObject(DRAINED)
      expect(await misplaced(account, placeAfterRival)).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
      const outcomes = (await account.engine.receipts({ limit: 2_000 })).flatMap((receipt) => receipt.outcomes)
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['applied', 'skipped']))
    })
  })
})

async function seed(account: RealAccount): Promise<void> {
  if (account.server.name === 'courier') for (const name of ['Archive', 'Trash']) await account.create(name)
  await account.seed(
    'INBOX',
    numberedRange(1, SEEDED).map((message, index) => ({ ...message, flags: flagsSeeded(index + 1) })),
  )
}

function flagsSeeded(number: number): readonly string[] {
  return number % 2 === 0 ? ['\\Seen'] : []
}

/** Operations are about one message, nine, or five, in turn: with a rival about, their targets come to different ends (H-1). */
function* operationsOn([first, last]: readonly [number, number]): Generator<readonly number[]> {
  const sizes = [1, 9, 5] as const
  for (let from = first, turn = 0; from <= last; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    yield [...among([from, Math.min(from + size - 1, last)])]
    from += size
  }
}

interface FlagChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

const FLAG_CHANGES: ReadonlyMap<number, FlagChange> = new Map(
  [...operationsOn(WORKLOAD.flagged)].flatMap((numbers, turn) => {
    const flag = FLAGS[turn % FLAGS.length] ?? '\\Seen'
    const change = turn % 5 === 0 ? { add: [], remove: ['\\Seen'] } : { add: [flag], remove: [] }
    return numbers.map((number) => [number, change] as const)
  }),
)

async function work(account: RealAccount): Promise<void> {
  const { engine } = account
  const references = await referencesIn(account, 'INBOX')
  const archive: MailboxId = await account.mailboxId('Archive')
  const of = (numbers: readonly number[]): readonly MessageReference[] =>
    numbers.map((number) => references.get(number) ?? expect.fail(`message ${number} is not in the store`))
  for (const numbers of operationsOn(WORKLOAD.flagged)) {
    const change = FLAG_CHANGES.get(numbers[0] ?? 0) ?? { add: [], remove: [] }
    await engine.flag(of(numbers), change).accepted
  }
  for (const numbers of operationsOn(WORKLOAD.moved)) await engine.move(of(numbers), archive).accepted
  for (const numbers of operationsOn(WORKLOAD.expunged)) await engine.expunge(of(numbers)).accepted
  for (const number of among(WORKLOAD.appended)) await engine.append({ to: archive, ...numbered(number, APPENDED) }).accepted
}

/** UIDs in the inbox are the numbers of the messages. */
async function interfere(account: RealAccount): Promise<void> {
  await account.seed('INBOX', [numbered(NEW_BY_RIVAL)])
  const copied = [
    `UID COPY ${MOVED_BY_RIVAL} ${account.wireName('Trash')}`,
    `UID STORE ${MOVED_BY_RIVAL} +FLAGS.SILENT (\\Deleted)`,
  ]
  await account.rivalIn(
    'INBOX',
    `UID STORE ${FLAGGED_BY_RIVAL} +FLAGS.SILENT (\\Draft)`,
    `UID STORE ${FLAGGED_BY_RIVAL} -FLAGS.SILENT (\\Seen)`,
    ...(account.rival.has('MOVE') ? [`UID MOVE ${MOVED_BY_RIVAL} ${account.wireName('Trash')}`] : copied),
    `UID STORE ${EXPUNGED_BY_RIVAL} +FLAGS.SILENT (\\Deleted)`,
    'EXPUNGE',
  )
}

async function referencesIn(account: RealAccount, name: string): Promise<ReadonlyMap<number, MessageReference>> {
  const messages = await account.messages(name)
  return new Map(messages.map(({ envelope, reference }) => [numberOf(envelope.messageId) ?? 0, reference]))
}

function* among([first, last]: readonly [number, number]): Generator<number> {
  for (let number = first; number <= last; number += 1) yield number
}

function isIn([first, last]: readonly [number, number], number: number): boolean {
  return number >= first && number <= last
}

const everyNumber = (): readonly number[] => [...among([1, SEEDED]), NEW_BY_RIVAL, ...among(WORKLOAD.appended)]

/** Where the message is when our work is done, and with which flags, when it had these before. */
function placeAfter(number: number, flagsBefore = flagsSeeded(number)): readonly string[] {
  if (isIn(WORKLOAD.appended, number)) return [place('Archive', APPENDED.flags)]
  if (number > SEEDED || isIn(WORKLOAD.expunged, number)) return []
  const { add, remove } = FLAG_CHANGES.get(number) ?? { add: [], remove: [] }
  const flags = [...new Set([...flagsBefore, ...add])].filter((flag) => !remove.includes(flag))
  return [place(isIn(WORKLOAD.moved, number) ? 'Archive' : 'INBOX', flags)]
}

/** What the rival did comes first, for our work arrives later. */
function placeAfterRival(number: number): readonly string[] {
  if (number === NEW_BY_RIVAL) return [place('INBOX', [])]
  if (EXPUNGED_BY_RIVAL.has(number)) return []
  if (MOVED_BY_RIVAL.has(number)) return [place('Trash', flagsSeeded(number))]
  return placeAfter(number, FLAGGED_BY_RIVAL.has(number) ? ['\\Draft'] : flagsSeeded(number))
}

function place(name: string, flags: readonly string[]): string {
  return [name, ...[...flags].sort()].join(' ')
}

/** A sentence for each message that is not where it should be, as often as it should be, with the flags it should have. */
async function misplaced(account: RealAccount, expected: (number: number) => readonly string[]): Promise<string[]> {
  const places = placesOf(await account.readServer())
  return everyNumber().flatMap((number) => {
    const [found, wanted] = [(places.get(number) ?? []).join(', '), expected(number).join(', ')]
    return found === wanted ? [] : [`${number}: [${found}] instead of [${wanted}]`]
  })
}

/** The evidence of every receipt is looked up on the server: the UIDs it names must hold these very messages. */
async function expectEvidence(account: RealAccount): Promise<void> {
  const archive = (await account.readServer()).mailboxes.find((mailbox) => mailbox.path === account.path('Archive'))
  const numbersByUid = new Map(archive?.messages.map(({ uid, messageId }) => [uid, numberOf(messageId)]))
  const settled: Partial<Record<Receipt['operation']['kind'], number>> = {}
  for (const { operation, outcomes } of await account.engine.receipts({ limit: 2_000 })) {
    for (const { outcome, evidence, targets } of outcomes) {
      expect(outcome, `${operation.kind} ${JSON.stringify(evidence)}`).toBe('applied')
      const numbers = targets.kind === 'stored' ? targets.uids : targets.locals
      settled[operation.kind] = (settled[operation.kind] ?? 0) + numbers.size
      if (operation.kind === 'append') {
        if (evidence.kind !== 'append-uid') expect.fail(`an append rests on ${evidence.kind}`)
        expect(evidence.target.uidValidity).toBe(archive?.uidValidity)
        expect(`<${numbersByUid.get(evidence.uid)}@numbered.example>`).toBe(operation.message.envelope.messageId)
      } else if (operation.kind === 'move' && account.rival.has('MOVE')) {
        if (evidence.kind !== 'copy-uid') expect.fail(`a move rests on ${evidence.kind}`)
        expect(evidence.target.uidValidity).toBe(archive?.uidValidity)
        const moved = [...among([1, SEEDED])].filter((number) => numbers.has(number))
        expect(moved.map((number) => numbersByUid.get(evidence.pairs.get(number) ?? 0))).toEqual(moved)
      } else {
        // Without MOVE the last thing that happens to a message is that its original goes.
        expect(evidence.kind).toMatch(operation.kind === 'flag' ? /^(flags-seen|tagged-ok)$/ : /^vanished$/)
      }
    }
  }
  expect(settled).toEqual({ flag: 500, move: 200, expunge: 50, append: 50 })
}
