/** Verifies: I-SYNC-2, I-STORE-2 */

import {
  accountId,
  boxEpoch,
  entrySeq,
  localId,
  type MailboxRecord,
  mailboxId,
  missingRows,
  modSeq,
  UidSet,
  uid,
  uidValidity,
  wantedRows,
} from '@tidemail/core'
import { acceptOperation, type Entry, type OperationRequest } from '@tidemail/replay-log'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import {
  backfilled,
  DAY_MS,
  planEviction,
  planReturn,
  planWindow,
  planWindowSearch,
  windowOfDays,
  windowTaking,
} from './held-window.ts'
import type { Hold } from './policy.ts'
import { stepNamer } from './step-ids.ts'

const NOON = Date.UTC(2026, 0, 20, 12)
const MIDNIGHT = Date.UTC(2026, 0, 20)
const set = (text: string): UidSet => UidSet.parse(text)

function local(known: string, covered = known, window: MailboxRecord['window'] = null): MailboxRecord {
  const checkpoint = { uidNext: (set(known).max ?? 0) + 1, highestModSeq: modSeq(9), known: set(known), covered: set(covered) }
  return { ...sampleMailbox(mailboxId(1), { accountId: accountId('a') }), uidValidity: uidValidity(7), checkpoint, window }
}

/** The mailbox after the window was decided; `dates` are those of messages, in days before today. */
function held(mailbox: MailboxRecord, hold: Hold, options: { now?: number; dates?: Record<number, number> } = {}): MailboxRecord {
  const { now = NOON, dates = {} } = options
  const question = { mailbox, hold, now }
  const plan = planWindow(question)
  if (plan.kind === 'unmoved') return mailbox
  if (plan.kind === 'moved') return { ...mailbox, window: plan.window }
  const messages = Object.entries(dates).map(([key, ago]) => ({ uid: uid(Number(key)), internalDate: MIDNIGHT - ago * DAY_MS }))
  const covered = mailbox.checkpoint?.covered ?? UidSet.EMPTY
  const found =
    plan.kind === 'dates'
      ? null
      : UidSet.from(messages.filter(({ internalDate }) => internalDate >= plan.since).map((one) => one.uid))
  const window = windowOfDays(question, { held: messages.filter((one) => covered.has(one.uid)), found })
  return { ...mailbox, window }
}

const wanted = (mailbox: MailboxRecord): string => wantedRows(mailbox).toString()

describe('the newest messages', () => {
  it.each<[string, string, string]>([
    ['1:10', '8:10', 'the highest UIDs'],
    ['1,5,9', '1,5,9', 'all, where there are not more'],
    ['2,7,40:41', '7,40:41', 'whatever is missing in between'],
    ['', '', 'of nothing, nothing'],
  ])('of %s are %s: %s', (known, expected) => {
    expect(wanted(held(local(known, ''), { lastMessages: 3 }))).toBe(expected)
  })

  it('are others when one came', () => {
    const before = held(local('1:10'), { lastMessages: 3 })
    expect(planWindow({ mailbox: before, hold: { lastMessages: 3 }, now: NOON })).toEqual({ kind: 'unmoved' })
    const after = { ...local('1:11'), window: before.window ?? null }
    expect(wanted(after)).toBe('8:11')
    expect(wanted(held(after, { lastMessages: 3 }))).toBe('9:11')
  })
})

describe('the messages of the last days', () => {
  const dates = { 1: 40, 2: 9, 3: 3, 4: 2, 5: 0 }

  it('are asked for by the day before the first, since the day of the server may be another', () => {
    const mailbox = local('1:5', '')
    expect(planWindow({ mailbox, hold: { lastDays: 3 }, now: NOON })).toEqual({ kind: 'search', since: MIDNIGHT - 3 * DAY_MS })
    expect(wanted(held(mailbox, { lastDays: 3 }, { dates }))).toBe('3:5')
  })

  it('are known by their dates where all of them are held', () => {
    const mailbox = local('1:5')
    expect(planWindow({ mailbox, hold: { lastDays: 3 }, now: NOON })).toEqual({ kind: 'dates', of: set('1:5') })
    expect(wanted(held(mailbox, { lastDays: 3 }, { dates }))).toBe('3:5')
  })

  it('are the same all day, and fewer the next, without a search', () => {
    const mailbox = held(local('1:5', '3:5'), { lastDays: 3 }, { dates })
    expect(planWindow({ mailbox, hold: { lastDays: 3 }, now: NOON + DAY_MS / 2 - 1 })).toEqual({ kind: 'unmoved' })
    expect(planWindow({ mailbox, hold: { lastDays: 3 }, now: NOON + DAY_MS })).toEqual({ kind: 'dates', of: set('3:5') })
    expect(wanted(held(mailbox, { lastDays: 3 }, { dates, now: NOON + DAY_MS }))).toBe('4:5')
  })

  it('are asked for again when the policy wants more, and not when it wants fewer', () => {
    const mailbox = held(local('1:5', '3:5'), { lastDays: 3 }, { dates })
    expect(planWindow({ mailbox, hold: { lastDays: 30 }, now: NOON }).kind).toBe('search')
    expect(planWindow({ mailbox, hold: { lastDays: 1 }, now: NOON }).kind).toBe('dates')
    expect(wanted(held(mailbox, { lastDays: 30 }, { dates }))).toBe('2:5')
  })

  it('keep what is wanted and was not fetched yet', () => {
    const mailbox = held(local('1:5', '5'), { lastDays: 3 }, { dates })
    expect(missingRows(held(mailbox, { lastDays: 3 }, { dates, now: NOON + DAY_MS })).toString()).toBe('3:4')
  })

  it('begin with everything that is new, whatever its date', () => {
    const before = held(local('1:5', '3:5'), { lastDays: 3 }, { dates })
    expect(wanted({ ...local('1:9', '3:5'), window: before.window ?? null })).toBe('3:9')
  })

  it('gain what turns up below what was known', () => {
    const before = held(local('1:2,5', '5'), { lastDays: 3 }, { dates: { 5: 0 } })
    expect(windowTaking(before, set('4'))?.dated.toString()).toBe('4:5')
    expect(windowTaking(before, set('6'))).toBe(before.window)
  })
})

describe('new messages', () => {
  it('are those from the first look on', () => {
    const mailbox = held(local('1:5', ''), 'new-only')
    expect(wanted(mailbox)).toBe('')
    expect(wanted({ ...local('1:7', ''), window: mailbox.window ?? null })).toBe('6:7')
    expect(planWindow({ mailbox, hold: 'new-only', now: NOON + 90 * DAY_MS })).toEqual({ kind: 'unmoved' })
  })

  it('are asked for by the time of the first look under a new UIDVALIDITY', () => {
    const { window } = held(local('1:5', ''), 'new-only')
    const mailbox = { ...local('1:3', '', window ?? null), box: boxEpoch(99) }
    expect(wanted(mailbox)).toBe('1:3')
    expect(planWindow({ mailbox, hold: 'new-only', now: NOON + 9 * DAY_MS })).toEqual({ kind: 'search', since: NOON - DAY_MS })
    const after = held(mailbox, 'new-only', { now: NOON + 9 * DAY_MS, dates: { 2: 1, 3: -2 } })
    expect([wanted(after), after.window?.since]).toEqual(['3', NOON])
  })
})

describe('a mailbox that is held whole', () => {
  it('has no window, and loses the one that it had', () => {
    expect(planWindow({ mailbox: local('1:5'), hold: 'whole', now: NOON })).toEqual({ kind: 'unmoved' })
    const windowed = held(local('1:5'), { lastMessages: 2 })
    expect(planWindow({ mailbox: windowed, hold: 'whole', now: NOON })).toEqual({ kind: 'moved', window: null })
  })

  it('is undecided before it was taken in', () => {
    const mailbox = { ...local('1'), checkpoint: null }
    expect(planWindow({ mailbox, hold: { lastMessages: 2 }, now: NOON })).toEqual({ kind: 'unmoved' })
  })
})

describe('backfill', () => {
  it('takes the newest of what is left out, and once more the next', () => {
    const first = held(local('1:20', '16:20'), { lastMessages: 5 })
    const second = { ...first, window: backfilled(first, 3) }
    const third = { ...second, window: backfilled(second, 4) }
    expect([wanted(second), wanted(third)]).toEqual(['13:20', '9:20'])
    expect(wanted(held(third, { lastMessages: 2 }))).toBe('9:15,19:20')
    expect(wanted({ ...third, window: backfilled(third, 0) })).toBe('16:20')
  })

  it('is of no use where everything is held', () => expect(backfilled(local('1:20'), 3)).toBeNull())
})

describe('eviction', () => {
  const box = boxEpoch(11)
  const targets = { kind: 'stored' as const, mailboxId: mailboxId(1), box, uids: set('3:4') }
  const entry = (request: OperationRequest, of = targets): Entry =>
    acceptOperation(request, { seq: entrySeq(1), firstLocal: localId(1), targets: [of] }, { accountId: accountId('a'), now: 5 })
      .entry
  const mailbox = held(local('1:9', '1:9'), { lastMessages: 4 })

  it('takes what is held and not wanted', () => {
    expect(planEviction(mailbox, []).toString()).toBe('1:5')
    expect(planEviction(local('1:9'), []).isEmpty).toBe(true)
  })

  it.each<OperationRequest>([
    { kind: 'flag', add: ['\\Seen'], remove: [] },
    { kind: 'move', to: mailboxId(2) },
    { kind: 'copy', to: mailboxId(2) },
    { kind: 'expunge' },
  ])('leaves what waits for an operation: $kind', (request) => {
    expect(planEviction(mailbox, [entry(request)]).toString()).toBe('1:2,5')
  })

  it('is taken back for what an operation names, and nothing else', () => {
    const evicted = { ...mailbox, checkpoint: local('1:9', '4,6:9').checkpoint }
    expect(planReturn(evicted, [entry({ kind: 'expunge' })]).toString()).toBe('3')
    expect(planReturn(evicted, []).isEmpty).toBe(true)
    expect(planReturn({ ...mailbox, checkpoint: local('4,6:9').checkpoint }, [entry({ kind: 'expunge' })]).isEmpty).toBe(true)
  })

  it('takes what only has the same number in another box', () => {
    expect(planEviction(mailbox, [entry({ kind: 'expunge' }, { ...targets, box: boxEpoch(5) })]).toString()).toBe('1:5')
  })
})

it('asks for dates in a mailbox that is opened to be read only', () => {
  expect(planWindowSearch(local('1:5'), MIDNIGHT, stepNamer())).toMatchObject([
    { kind: 'open', access: 'examine' },
    { kind: 'search', uids: UidSet.ALL, since: MIDNIGHT },
  ])
})
