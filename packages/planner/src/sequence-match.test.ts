/** The sample of message numbers is exact, and given only to a server that has shown that it forgets. Verifies: DC-7162-3.2.5c */

import {
  accountId,
  type Checkpoint,
  type Done,
  type MailboxRecord,
  mailboxId,
  modSeq,
  type Observation,
  type OpenStep,
  type Rejection,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ForwardPlan, type ForwardRequest, planForward } from './plan-forward.ts'
import { namesLongGone, SEQUENCE_MATCH_PAIRS_MAX, sequenceMatchOf } from './sequence-match.ts'
import { stepNamer } from './step-ids.ts'
import { takeForward } from './take-forward.ts'

const UV = uidValidity(7)

function checkpoint(known: UidSet, changes: Partial<Checkpoint> = {}): Checkpoint {
  return { uidNext: (known.max ?? 0) + 1, highestModSeq: modSeq(31), known, covered: known, ...changes }
}

const parsed = (known: string, changes: Partial<Checkpoint> = {}): Checkpoint => checkpoint(UidSet.parse(known), changes)

/** Every second UID up to 400: too long to be told as it is. */
const HALVES = UidSet.from(Array.from({ length: 200 }, (_, i) => 2 * i + 2))

/** `7=20`: the seventh message has UID 20. */
function pairs(point: Checkpoint): string {
  const sample = sequenceMatchOf(point)
  if (sample === null) return 'none'
  const uids = [...sample.uids.values()]
  return [...sample.numbers.values()].map((number, i) => `${number}=${uids[i]}`).join(' ')
}

describe('the sample', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 40 }))
  const sets = fc.array(range, { minLength: 1, maxLength: 60 })

  it('pairs numbers with the UIDs that have them, ascending, however the mailbox looks', () => {
    fc.assert(
      fc.property(sets, (ranges) => {
        const known = UidSet.fromRanges(ranges.map(([first, more]) => ({ first, last: first + more })))
        const all = [...known.values()]
        const sample = sequenceMatchOf(checkpoint(known))
        const uids = [...(sample?.uids.values() ?? [])]
        const numbers = [...(sample?.numbers.values() ?? [])]
        expect(numbers.length).toBe(uids.length)
        expect(numbers.map((number) => all[number - 1])).toEqual(uids)
        expect(numbers.at(-1)).toBe(all.length)
        // Twice the distance each, until there is no more: nobody is told of more than twice what lies behind the oldest loss.
        expect(numbers.map((number) => all.length - number + 1).reverse()).toEqual(numbers.map((_, i) => 2 ** i))
        expect((numbers[0] ?? 0) - 1).toBeLessThanOrEqual(all.length / 2)
      }),
    )
  })

  it('has few pairs, and a short line, in the largest mailbox there can be', () => {
    const sample = sequenceMatchOf(checkpoint(UidSet.range(1, 4_294_967_294)))
    expect(sample?.numbers.size).toBe(SEQUENCE_MATCH_PAIRS_MAX)
    expect(`(${sample?.numbers} ${sample?.uids})`.length).toBeLessThan(1_000)
  })

  it('leaves out what we put there ourselves, as others may have come before it', () => {
    expect(pairs(parsed('2,4,8'))).toBe('2=4 3=8')
    expect(pairs(parsed('2,4,8,20', { uidNext: 9 }))).toBe('2=4 3=8')
  })

  it('is none where a message may have gone after the mod-sequence, or there is no message', () => {
    expect(pairs(parsed('2,4,8', { goneSince: UidSet.of(3) }))).toBe('none')
    expect(pairs(parsed('2,4,8', { goneSince: UidSet.EMPTY }))).toBe('2=4 3=8')
    expect(pairs(parsed(''))).toBe('none')
    expect(pairs(parsed('20', { uidNext: 1 }))).toBe('none')
  })
})

describe('a server that tells of messages that were gone before', () => {
  it.each([
    ['what was there', '2,8', {}, false],
    ['what was gone', '3', {}, true],
    ['a range over all', '1:4294967295', {}, true],
    ['what came and went since', '2,9:12', {}, false],
    ['what we removed', '2:3', { goneSince: UidSet.of(3) }, false],
    ['more than we removed', '2:3,5', { goneSince: UidSet.of(3) }, true],
    ['something of an empty mailbox that was never used', '1:5', { uidNext: 1, known: UidSet.EMPTY }, false],
  ] as const)('%s', (_, vanished, changes, expected) => {
    expect(namesLongGone(parsed('2,4,8', changes), UidSet.parse(vanished))).toBe(expected)
  })
})

function mailboxAt(point: Checkpoint): MailboxRecord {
  return { ...sampleMailbox(mailboxId(1), { accountId: accountId('a') }), uidValidity: UV, checkpoint: point }
}

function plan(point: Checkpoint, changes: Partial<ForwardRequest> = {}): ForwardPlan {
  const request = {
    mailbox: mailboxAt(point),
    status: null,
    tier: 'qresync',
    newMessages: 'fetch',
    expunges: 'forgotten',
  } as const
  return planForward({ ...request, ...changes }, stepNamer())
}

/** What is told in SELECT behind the mod-sequence. */
function told({ steps, openId }: ForwardPlan): string {
  const open = steps.find((step): step is OpenStep => step.id === openId && step.kind === 'open')
  const { knownUids, sequenceMatch } = open?.known ?? {}
  return `${knownUids ?? '-'} ${sequenceMatch === undefined ? '-' : 'sampled'}`
}

describe('the open of a mailbox', () => {
  it('carries the sample, with one range over all that is known, where the server forgets and the known UIDs are long', () => {
    expect(told(plan(checkpoint(HALVES)))).toBe('1:400 sampled')
    expect(told(plan(checkpoint(HALVES.union(UidSet.of(420)), { uidNext: 411 })))).toBe('1:420 sampled')
  })

  it('carries none where the server was not seen to forget, where the known UIDs say more, or where numbers are not exact', () => {
    const request = { mailbox: mailboxAt(checkpoint(HALVES)), status: null, tier: 'qresync', newMessages: 'fetch' } as const
    expect(told(planForward(request, stepNamer()))).toBe('- -')
    expect(told(plan(parsed('1:3,5')))).toBe('1:3,5 -')
    expect(told(plan(checkpoint(HALVES, { goneSince: UidSet.of(3) })))).toBe('- -')
    expect(told(plan(checkpoint(HALVES), { tier: 'condstore' }))).toBe('- -')
  })
})

/** `exists` counts what is there at the end. */
function answered(looked: ForwardPlan, exists: number, news: readonly Observation[]): readonly Observation[] {
  const { path } = looked.request.mailbox
  const goneLater = news.reduce((sum, item) => (item.kind === 'vanished' && !item.isEarlier ? sum + item.uids.size : sum), 0)
  const opened: Observation = {
    ...{ kind: 'opened', id: looked.openId, mailbox: { path, uidValidity: UV }, exists: exists + goneLater, uidNext: 401 },
    ...{ highestModSeq: modSeq(40), permanentFlags: [], isReadOnly: false, hasPersistentUids: true, objectId: null },
    isResynced: true,
  }
  return [opened, ...news, ...looked.steps.map(({ id }) => done(id, exists, null))]
}

function done(id: string, exists: number | null, rejection: Rejection | null): Done {
  return { kind: 'done', id, outcome: rejection === null ? 'ok' : 'rejected', rejection, exists }
}

describe('the answer', () => {
  const vanished = (uids: string, isEarlier: boolean): Observation => ({
    ...{ kind: 'vanished', mailbox: { path: 'box1', uidValidity: UV } },
    ...{ uids: UidSet.parse(uids), isEarlier },
  })

  it('shows whether the server forgets', () => {
    const looked = plan(checkpoint(HALVES))
    expect(takeForward(looked, answered(looked, 199, [vanished('2', true)]))).toMatchObject({ isForgetful: false })
    expect(takeForward(looked, answered(looked, 199, [vanished('1:3', true)]))).toMatchObject({ isForgetful: true })
  })

  it('keeps apart what went after the mod-sequence: the server will tell of it again, and has forgotten nothing', () => {
    const looked = plan(checkpoint(HALVES))
    const result = takeForward(looked, answered(looked, 198, [vanished('2', true), vanished('4', false)]))
    const after = result.kind === 'taken' ? result.mailbox.checkpoint : null
    expect(`${after?.goneSince}`).toBe('4')
    expect(after !== null && namesLongGone(after, UidSet.of(4))).toBe(false)
    expect(after !== null && namesLongGone(after, UidSet.of(2))).toBe(true)
    const later = plan(after ?? checkpoint(HALVES))
    const again = takeForward(later, answered(later, 198, [vanished('4', true)]))
    expect(again.kind === 'taken' && again.mailbox.checkpoint).not.toHaveProperty('goneSince')
  })

  it('moves no mod-sequence where flags were not asked for, and keeps what has gone since, with what a list shows to be gone', () => {
    const looked = plan(checkpoint(HALVES, { goneSince: UidSet.of(3) }), { tier: 'condstore', newMessages: 'list' })
    const { path } = looked.request.mailbox
    const uids = HALVES.difference(UidSet.of(2))
    const list: Observation = { kind: 'uids', id: looked.wholeListId ?? '', mailbox: { path, uidValidity: UV }, uids }
    const result = takeForward(looked, answered(looked, 199, [list]))
    expect(result.kind === 'taken' && `${result.mailbox.checkpoint?.goneSince}`).toBe('2:3')
  })

  it('is asked for once more without a sample where the server does not understand it', () => {
    const looked = plan(checkpoint(HALVES))
    const bad: Rejection = { status: 'BAD', code: null, text: 'Invalid QRESYNC parameters' }
    expect(takeForward(looked, [done(looked.openId, null, bad)])).toEqual({ kind: 'sample-refused' })
    expect(takeForward(looked, [done(looked.openId, null, { ...bad, status: 'NO' })])).toMatchObject({ kind: 'refused' })
    const unsampled = plan(parsed('1:3'))
    expect(takeForward(unsampled, [done(unsampled.openId, null, bad)])).toMatchObject({ kind: 'refused' })
  })
})
