/** Verifies: H-1, H-3, I-LOG-2, I-LOG-3, DC-4549-5.1-4 */

import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  mailboxId,
  numbersOf,
  SyncError,
  type Targets,
  UidPairs,
  UidSet,
  withNumbers,
} from '@tidemail/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, Progress, TargetState } from './entry.ts'
import { type Happening, LIFECYCLE, type TargetEvent } from './entry-lifecycle.ts'
import type { Operation } from './operation.ts'
import { withProgress } from './progress-groups.ts'
import { receiptOf } from './receipt-of.ts'
import { isSettled, transition } from './transition.ts'

const STATES: readonly TargetState[] = ['queued', 'sending', 'unknown', 'recovering', 'copied', 'parked']
const PLACE = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11) } as const
const OK = { kind: 'tagged-ok' } as const

const HAPPENINGS: Readonly<Record<TargetEvent, Happening>> = {
  claim: { kind: 'claim', claimId: claimId('next') },
  'answered-ok': { kind: 'answered-ok', evidence: OK },
  'answered-copied': { kind: 'answered-copied' },
  'answered-rejected-for-good': { kind: 'answered-rejected-for-good', evidence: OK },
  'answered-rejected-for-now': { kind: 'answered-rejected-for-now', notBefore: 500 },
  'not-sent': { kind: 'not-sent' },
  stale: { kind: 'stale' },
  lost: { kind: 'lost' },
  'probe-started': { kind: 'probe-started' },
  'probe-certain': { kind: 'probe-certain', evidence: OK },
  'probe-copied': { kind: 'probe-copied' },
  'probe-none': { kind: 'probe-none' },
  'probe-possible': { kind: 'probe-possible' },
  'probe-gone': { kind: 'probe-gone', evidence: OK },
  'target-vanished': { kind: 'target-vanished', evidence: OK },
  'mailbox-reset': { kind: 'mailbox-reset', parkedFor: 'mailbox-gone' },
  superseded: { kind: 'superseded', evidence: OK },
  undo: { kind: 'undo' },
  discard: { kind: 'discard' },
  retry: { kind: 'retry' },
  repeat: { kind: 'repeat', mayBeDone: [] },
  park: { kind: 'park', parkedFor: 'mass-delete' },
  conflict: { kind: 'conflict', conflicts: [] },
  'give-up': { kind: 'give-up', evidence: OK },
}

function targets(text: string): Targets {
  return { ...PLACE, uids: UidSet.parse(text) }
}

/** A move of UIDs 1 to 9, which became locals 101 to 109. */
const PLACED = new UidPairs([{ from: 1, to: 101, length: 9 }])

function group(state: TargetState, text: string): Progress {
  const hasClaim = state === 'sending' || state === 'unknown' || state === 'recovering'
  return {
    state,
    targets: targets(text),
    claimId: hasClaim ? claimId('claim') : null,
    parkedFor: state === 'parked' ? 'uncertain' : null,
    placed: state === 'copied' ? UidPairs.EMPTY : PLACED.restrict(UidSet.parse(text)),
  }
}

function entry(
  progress: readonly Progress[],
  operation: Operation = { kind: 'move', targets: targets('1:9'), to: mailboxId(2) },
): Entry {
  const rest = { placed: UidPairs.EMPTY, progress: [], settled: [], rejections: 0, notBefore: 0, conflicts: [] }
  return withProgress({ seq: entrySeq(4), accountId: accountId('a'), revision: 3, acceptedAt: 10, operation, ...rest }, progress)
}

function stateOf(result: Entry, uid: number): TargetState | undefined {
  return result.progress.find(({ targets }) => numbersOf(targets).has(uid))?.state
}

/** What the entry says of each UID: its state, or its outcome. */
function fates(result: Entry): Map<number, string[]> {
  const all = new Map<number, string[]>()
  const note = (numbers: UidSet, fate: string): void => {
    for (const number of numbers.values()) all.set(number, [...(all.get(number) ?? []), fate])
  }
  for (const { state, targets } of result.progress) note(numbersOf(targets), state)
  for (const { outcome, targets } of result.settled) note(numbersOf(targets), outcome)
  return all
}

describe('transition', () => {
  const pairs = STATES.flatMap((state) => (Object.keys(HAPPENINGS) as TargetEvent[]).map((event) => [state, event] as const))

  it.each(pairs)('moves %s targets on %s as the table says, and no others', (state, event) => {
    const before = entry([group(state, '3:5'), group(state === 'queued' ? 'parked' : 'queued', '6')])
    const next = LIFECYCLE[state][event]
    const happen = (): Entry => transition(before, targets('4'), HAPPENINGS[event]).entry
    if (next === 'illegal') {
      expect(happen).toThrow(expect.objectContaining({ code: 'engine.bug' }))
      return
    }
    const after = happen()
    expect(stateOf(after, 4)).toBe(next === 'settled' ? undefined : next === 'unsent' ? 'queued' : next)
    expect([3, 5, 6].map((uid) => stateOf(after, uid))).toEqual([state, state, state === 'queued' ? 'parked' : 'queued'])
    expect(after.settled).toHaveLength(next === 'settled' ? 1 : 0)
  })

  it('sends only what is queued or half moved, and takes back only what is queued', () => {
    expect(STATES.filter((state) => LIFECYCLE[state].claim !== 'illegal')).toEqual(['queued', 'copied'])
    expect(STATES.filter((state) => LIFECYCLE[state].undo !== 'illegal')).toEqual(['queued'])
  })

  it('takes no answer for what was lost: only a probe, a retry, the user, or what it was sent with decides', () => {
    for (const state of ['unknown', 'recovering'] as const) {
      const leaving = Object.entries(LIFECYCLE[state]).filter(([, next]) => !['illegal', 'unknown', 'recovering'].includes(next))
      expect(leaving.map(([event]) => event)).toEqual([
        'probe-certain',
        'probe-copied',
        'probe-none',
        'probe-possible',
        'probe-gone',
        'superseded',
        'retry',
        'repeat',
        'park',
        'give-up',
      ])
    }
  })

  it('loses no target and names none twice, whatever happens', () => {
    const event = fc.constantFrom(...(Object.keys(HAPPENINGS) as TargetEvent[]))
    const some = fc.subarray([1, 2, 3, 4, 5, 6, 7, 8, 9])
    fc.assert(
      fc.property(fc.array(fc.tuple(event, some), { maxLength: 40 }), (events) => {
        let log = entry([group('queued', '1:9')])
        for (const [name, uids] of events) {
          const before = log
          try {
            log = transition(log, withNumbers(targets('1'), UidSet.from(uids)), HAPPENINGS[name]).entry
          } catch (error) {
            expect((error as SyncError).code).toBe('engine.bug')
          }
          const after = fates(log)
          expect([...after.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
          expect([...after.values()].every((fate) => fate.length === 1)).toBe(true)
          for (const uid of [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((number) => !uids.includes(number))) {
            expect(after.get(uid)).toEqual(fates(before).get(uid))
          }
          const withPairs = log.progress.every(({ state, targets, placed }) =>
            state === 'copied' ? placed.ranges.length === 0 : placed.sources.difference(numbersOf(targets)).isEmpty,
          )
          expect(withPairs).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('sends the rest of a half-done move after its copy, never the copy again', () => {
    let log = entry([group('queued', '1:2')])
    log = transition(log, targets('1:2'), { kind: 'claim', claimId: claimId('copy') }).entry
    log = transition(log, targets('1'), { kind: 'answered-copied' }).entry
    log = transition(log, targets('1'), { kind: 'claim', claimId: claimId('expunge') }).entry
    log = transition(log, targets('1'), { kind: 'lost' }).entry
    log = transition(log, targets('2'), { kind: 'not-sent' }).entry
    log = transition(log, targets('1'), { kind: 'retry' }).entry
    expect([stateOf(log, 1), stateOf(log, 2)]).toEqual(['copied', 'queued'])
    log = transition(log, targets('1:2'), { kind: 'target-vanished', evidence: OK }).entry
    expect(fates(log)).toEqual(
      new Map([
        [1, ['applied']],
        [2, ['skipped']],
      ]),
    )
  })

  it('counts the removal of what is gone as done', () => {
    const log = entry([{ ...group('queued', '1'), placed: UidPairs.EMPTY }], { kind: 'expunge', targets: targets('1') })
    expect(transition(log, targets('1'), HAPPENINGS['target-vanished']).settlements).toMatchObject([{ outcome: 'applied' }])
  })

  it('refuses to call copied what is no move', () => {
    const log = entry([group('sending', '1')], { kind: 'copy', targets: targets('1'), to: mailboxId(2) })
    expect(() => transition(log, targets('1'), { kind: 'answered-copied' })).toThrow(SyncError)
  })

  it('counts rejections that may pass, and waits', () => {
    const log = transition(entry([group('sending', '1:3')]), targets('1:2'), HAPPENINGS['answered-rejected-for-now']).entry
    expect(log).toMatchObject({ rejections: 1, notBefore: 500 })
    expect(transition(log, targets('3'), { kind: 'not-sent' }).entry.rejections).toBe(1)
  })

  it('gives back the same entry when nothing changes', () => {
    const log = entry([group('unknown', '1:3')])
    expect(transition(log, targets('1:3'), { kind: 'lost' }).entry).toBe(log)
    expect(transition(log, targets('7'), { kind: 'undo' }).entry).toBe(log)
    expect(transition(log, { ...PLACE, box: boxEpoch(12), uids: UidSet.of(1) }, { kind: 'undo' }).entry).toBe(log)
  })

  it('keeps groups few: what stands alike is one group again', () => {
    let log = entry([group('queued', '1:9')])
    for (const uid of [2, 4, 6, 8, 1, 3, 5, 7, 9]) log = transition(log, targets(String(uid)), HAPPENINGS.claim).entry
    expect(log.progress).toHaveLength(1)
    expect(log.progress[0]?.placed.ranges).toEqual(PLACED.ranges)
  })
})

describe('receiptOf', () => {
  it('carries every outcome, and is refused while something remains', () => {
    const half = transition(entry([group('queued', '1:2')]), targets('1'), { kind: 'discard' }).entry
    expect(isSettled(half)).toBe(false)
    expect(() => receiptOf(half, 99)).toThrow(expect.objectContaining({ code: 'engine.bug' }))
    const done = transition(half, targets('2'), { kind: 'undo' }).entry
    expect(receiptOf(done, 99)).toMatchObject({
      seq: 4,
      acceptedAt: 10,
      settledAt: 99,
      outcomes: [{ outcome: 'discarded' }, { outcome: 'undone' }],
    })
  })
})
