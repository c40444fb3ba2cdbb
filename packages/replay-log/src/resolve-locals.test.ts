/** Verifies: H-18, DC-4549-5.1c */

import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  foldView,
  type LocalTargets,
  mailboxId,
  type StoredTargets,
  type Targets,
  UidPairs,
  UidSet,
} from '@tidemail/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptOperation, type OperationRequest } from './accept-operation.ts'
import { effectsOf } from './effects-of.ts'
import type { Entry } from './entry.ts'
import { placedOf } from './progress-groups.ts'
import { rewriteTargets } from './resolve-locals.ts'
import { transition } from './transition.ts'

const DRAFTS = { mailboxId: mailboxId(1), box: boxEpoch(11) }
const ARCHIVE = mailboxId(2)
const LOCALS: LocalTargets = { kind: 'local', mailboxId: DRAFTS.mailboxId, locals: UidSet.parse('3:5') }
const DRAFT = { kind: 'stored' as const, ...DRAFTS }

function accepted(request: OperationRequest, targets: Targets): Entry {
  const context = { seq: entrySeq(6), firstLocal: 20 as never, targets: [targets] }
  return acceptOperation(request, context, { accountId: accountId('a'), now: 5 }).entry
}

function landed(...pairs: (readonly [number, number])[]): UidPairs {
  return new UidPairs(pairs.map(([from, to]) => ({ from, to, length: 1 })))
}

const moved = accepted({ kind: 'move', to: ARCHIVE }, LOCALS)

describe('rewriteTargets', () => {
  it('names landed messages by their UID, and keeps the others', () => {
    const entry = rewriteTargets(moved, { from: { kind: 'local' }, to: DRAFTS, pairs: landed([3, 70], [5, 71]) })
    expect(entry.progress.map(({ targets }) => targets)).toEqual([
      { ...LOCALS, locals: UidSet.of(4) },
      { ...DRAFT, uids: UidSet.parse('70:71') },
    ])
    expect(entry.operation).toBe(moved.operation)
  })

  it('keeps apart a UID and a local of the same number', () => {
    const entry = rewriteTargets(moved, { from: { kind: 'local' }, to: DRAFTS, pairs: landed([3, 4]) })
    const four: StoredTargets = { ...DRAFT, uids: UidSet.of(4) }
    expect(placedOf(entry, four).get(4)).toBe(20)
    expect(placedOf(entry, { ...LOCALS, locals: UidSet.of(4) }).get(4)).toBe(21)
    const [placed] = foldView({ mailboxId: ARCHIVE, box: boxEpoch(12) }, effectsOf(entry)).placed
    expect(placed).toMatchObject({ local: 20, origin: { kind: 'stored', box: 11, uid: 4 } })
  })

  it('follows messages that moved to another mailbox', () => {
    const flagged = accepted({ kind: 'flag', add: ['\\Seen'], remove: [] }, { ...DRAFT, uids: UidSet.parse('1:9') })
    const to = { mailboxId: ARCHIVE, box: boxEpoch(12) }
    const entry = rewriteTargets(flagged, {
      from: { kind: 'stored', box: boxEpoch(11) },
      to,
      pairs: new UidPairs([{ from: 4, to: 1, length: 3 }]),
    })
    expect(entry.progress.map(({ targets }) => targets)).toEqual([
      { ...DRAFT, uids: UidSet.parse('1:3,7:9') },
      { kind: 'stored', ...to, uids: UidSet.parse('1:3') },
    ])
  })

  it('leaves what a claim carries under the name it was sent with', () => {
    const sending = transition(moved, { ...LOCALS, locals: UidSet.of(3) }, { kind: 'claim', claimId: claimId('c') }).entry
    const forward = { from: { kind: 'local' as const }, to: DRAFTS, pairs: landed([3, 70]) }
    expect(rewriteTargets(sending, forward)).toBe(sending)
    const parked = transition(moved, LOCALS, { kind: 'park', parkedFor: 'mass-delete' }).entry
    expect(rewriteTargets(parked, forward).progress).toHaveLength(2)
  })

  it('gives back the same entry when it names nothing of the forward', () => {
    expect(rewriteTargets(moved, { from: { kind: 'local' }, to: DRAFTS, pairs: landed([9, 70]) })).toBe(moved)
    expect(rewriteTargets(moved, { from: { kind: 'stored', box: boxEpoch(11) }, to: DRAFTS, pairs: landed([3, 70]) })).toBe(moved)
  })

  it('keeps every local where it shows, in whatever order messages land', () => {
    const names = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(names, fc.shuffledSubarray([3, 4, 5]), (uids, order) => {
        const uidOf = new Map([3, 4, 5].map((local, i) => [local, uids[i] as number]))
        let entry = moved
        for (const local of order) {
          entry = rewriteTargets(entry, {
            from: { kind: 'local' },
            to: DRAFTS,
            pairs: landed([local, uidOf.get(local) as number]),
          })
        }
        for (const [local, shownAs] of [
          [3, 20],
          [4, 21],
          [5, 22],
        ] as const) {
          const isLanded = order.includes(local)
          const number = isLanded ? (uidOf.get(local) as number) : local
          const at: Targets = isLanded ? { ...DRAFT, uids: UidSet.of(number) } : { ...LOCALS, locals: UidSet.of(number) }
          expect(placedOf(entry, at).ranges).toEqual([{ from: number, to: shownAs, length: 1 }])
        }
      }),
    )
  })
})
