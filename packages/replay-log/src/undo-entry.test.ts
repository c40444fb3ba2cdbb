/** Verifies: H-3 */

import { accountId, boxEpoch, claimId, entrySeq, mailboxId, type StoredTargets, UidSet } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { acceptOperation } from './accept-operation.ts'
import { decodeEntry, encodeEntry } from './codec.ts'
import type { Entry } from './entry.ts'
import { transition } from './transition.ts'
import { discardEntry, undoEntry, undoQueued } from './undo-entry.ts'

const ON: StoredTargets = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11), uids: UidSet.parse('1:4') }
const FIRST: StoredTargets = { ...ON, uids: UidSet.of(1) }
const queued: Entry = acceptOperation(
  { kind: 'move', to: mailboxId(2) },
  { seq: entrySeq(3), firstLocal: 9 as never, targets: [ON] },
  { accountId: accountId('a'), now: 5 },
).entry
const sending = transition(queued, FIRST, { kind: 'claim', claimId: claimId('c') }).entry

describe('undoEntry', () => {
  it('takes back what is wholly queued, with a receipt', () => {
    const result = undoEntry(queued, 60)
    expect(result).toMatchObject({
      kind: 'undone',
      receipt: { seq: 3, settledAt: 60, outcomes: [{ outcome: 'undone', targets: ON }] },
    })
  })

  it('refuses when one target was sent', () => {
    expect(undoEntry(sending, 60)).toEqual({ kind: 'refused', reason: 'sent' })
    expect(undoEntry(transition(sending, FIRST, { kind: 'lost' }).entry, 60)).toEqual({ kind: 'refused', reason: 'sent' })
  })

  it('refuses when one target was sent, and is to be sent again without a look', () => {
    const lost = transition(sending, FIRST, { kind: 'lost' }).entry
    const again = transition(lost, FIRST, { kind: 'repeat', mayBeDone: [{ flag: '\\Seen', uids: UidSet.of(1) }] }).entry
    expect(again.progress.map(({ state }) => state)).toEqual(['queued', 'queued'])
    expect(undoEntry(again, 60)).toEqual({ kind: 'refused', reason: 'sent' })
    expect(undoQueued(again).progress).toMatchObject([{ targets: FIRST, mayBeDone: [{ flag: '\\Seen' }] }])
    expect(decodeEntry(encodeEntry(again))).toEqual(again)
  })

  it('refuses when one target is settled or parked', () => {
    const settled = transition(sending, FIRST, { kind: 'answered-ok', evidence: { kind: 'tagged-ok' } }).entry
    expect(undoEntry(settled, 60)).toEqual({ kind: 'refused', reason: 'settled' })
    const parked = transition(queued, FIRST, { kind: 'park', parkedFor: 'mass-delete' }).entry
    expect(undoEntry(parked, 60)).toEqual({ kind: 'refused', reason: 'parked' })
  })

  it('takes back what was sent and answered as not done', () => {
    expect(undoEntry(transition(sending, FIRST, { kind: 'not-sent' }).entry, 60).kind).toBe('undone')
  })
})

describe('discardEntry', () => {
  it('gives up what is parked and queued', () => {
    const parked = transition(queued, FIRST, { kind: 'park', parkedFor: 'uncertain' }).entry
    const result = discardEntry(parked)
    expect(result).toMatchObject({ kind: 'discarded', entry: { progress: [] } })
    expect(result.kind === 'discarded' && result.entry.settled.every(({ outcome }) => outcome === 'discarded')).toBe(true)
  })

  it('leaves what is being sent in the log', () => {
    const result = discardEntry(sending)
    expect(result).toMatchObject({ kind: 'discarded', entry: { progress: [{ state: 'sending', targets: FIRST }] } })
  })

  it('refuses when all of it is being sent', () => {
    const all = transition(queued, ON, { kind: 'claim', claimId: claimId('c') }).entry
    expect(discardEntry(all)).toEqual({ kind: 'refused', reason: 'sent' })
  })
})
