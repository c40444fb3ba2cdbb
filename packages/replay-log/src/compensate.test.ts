/** Verifies: H-3 */

import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  localId,
  type MailboxIdentity,
  mailboxId,
  type StoredTargets,
  type Targets,
  UidPairs,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { sampleLocalMessage } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { acceptOperation, type OperationRequest } from './accept-operation.ts'
import { type CompensationTerms, compensationOf } from './compensate.ts'
import type { Entry, Evidence } from './entry.ts'
import { receiptOf } from './receipt-of.ts'
import { transition } from './transition.ts'
import { undoEntry, undoQueued } from './undo-entry.ts'

const INBOX = mailboxId(1)
const ARCHIVE = mailboxId(2)
const ON: StoredTargets = { kind: 'stored', mailboxId: INBOX, box: boxEpoch(11), uids: UidSet.parse('1:4') }
const ARCHIVE_NOW: MailboxIdentity = { path: 'Archive', uidValidity: uidValidity(7) }
const PAIRS = new UidPairs([{ from: 1, to: 51, length: 4 }])
const TERMS: CompensationTerms = {
  isDeleted: () => false,
  delimiter: '/',
  mailboxNamed: ({ path, uidValidity: validity }) =>
    path === 'Archive' && validity === 7 ? { id: ARCHIVE, box: boxEpoch(12) } : null,
}

function accepted(request: OperationRequest, ...targets: readonly Targets[]): Entry {
  const context = { seq: entrySeq(3), firstLocal: localId(9), targets }
  return acceptOperation(request, context, { accountId: accountId('a'), now: 5 }).entry
}

function applied(entry: Entry, evidence: Evidence, targets: Targets = ON): Entry {
  const sending = transition(entry, targets, { kind: 'claim', claimId: claimId('c') }).entry
  return transition(sending, targets, { kind: 'answered-ok', evidence }).entry
}

const sending = (entry: Entry): Entry =>
  entry.progress.reduce((rest, { targets }) => transition(rest, targets, { kind: 'claim', claimId: claimId('c') }).entry, entry)

const COPY_UID: Evidence = { kind: 'copy-uid', target: ARCHIVE_NOW, pairs: PAIRS }

describe('compensationOf', () => {
  it('takes a change of flags back, flag by flag, but where nothing was changed', () => {
    const entry = applied(accepted({ kind: 'flag', add: ['\\Seen', '$Work'], remove: ['$Old'] }, ON), { kind: 'flags-seen' })
    const settled = entry.settled.map((one) => ({ ...one, unaltered: [{ flag: '$work', uids: UidSet.parse('1:2') }] }))
    expect(compensationOf(receiptOf({ ...entry, settled }, 9), TERMS)).toEqual({
      kind: 'possible',
      requests: [
        { request: { kind: 'flag', add: [], remove: ['$Work'] }, targets: [{ ...ON, uids: UidSet.parse('3:4') }] },
        { request: { kind: 'flag', add: ['$Old'], remove: ['\\Seen'] }, targets: [ON] },
      ],
    })
  })

  it('reads what a claim knows of flags that are on their way', () => {
    const entry = sending(accepted({ kind: 'flag', add: ['\\Seen'], remove: [] }, ON))
    const unaltered = [{ flag: '\\Seen', uids: UidSet.parse('2:4') }]
    expect(compensationOf(entry, { ...TERMS, unaltered })).toMatchObject({
      requests: [{ request: { remove: ['\\Seen'] }, targets: [{ uids: UidSet.of(1) }] }],
    })
    expect(compensationOf(entry, { ...TERMS, unaltered: [{ flag: '\\Seen', uids: ON.uids }] })).toEqual({
      kind: 'refused',
      reason: 'nothing',
    })
  })

  it('reads of what may be done what it was sent with', () => {
    const lost = transition(sending(accepted({ kind: 'flag', add: ['\\Seen'], remove: [] }, ON)), ON, { kind: 'lost' }).entry
    const again = transition(lost, ON, { kind: 'repeat', mayBeDone: [{ flag: '\\Seen', uids: UidSet.parse('2:4') }] }).entry
    expect(compensationOf(undoQueued(again), TERMS)).toMatchObject({
      requests: [{ request: { remove: ['\\Seen'] }, targets: [{ uids: UidSet.of(1) }] }],
    })
  })

  it('moves back what has moved, by its old name, and what is moving, by its locals', () => {
    const first = { ...ON, uids: UidSet.of(1) }
    const entry = sending(applied(accepted({ kind: 'move', to: ARCHIVE }, ON), COPY_UID, first))
    expect(compensationOf(entry, TERMS)).toEqual({
      kind: 'possible',
      requests: [
        { request: { kind: 'move', to: INBOX }, targets: [first] },
        {
          request: { kind: 'move', to: INBOX },
          targets: [{ kind: 'local', mailboxId: ARCHIVE, locals: UidSet.parse('10:12') }],
        },
      ],
    })
  })

  it('removes copies that COPYUID named, while their mailbox lives the same life', () => {
    const entry = applied(accepted({ kind: 'copy', to: ARCHIVE }, ON), COPY_UID)
    const there: Targets = { kind: 'stored', mailboxId: ARCHIVE, box: boxEpoch(12), uids: UidSet.parse('51:54') }
    expect(compensationOf(entry, TERMS)).toEqual({
      kind: 'possible',
      requests: [{ request: { kind: 'expunge' }, targets: [there] }],
    })
    expect(compensationOf(entry, { ...TERMS, mailboxNamed: () => null })).toEqual({ kind: 'refused', reason: 'nothing' })
    const probed = applied(accepted({ kind: 'copy', to: ARCHIVE }, ON), { kind: 'probe', verdict: 'certain', found: [uid(51)] })
    expect(compensationOf(probed, TERMS)).toEqual({ kind: 'refused', reason: 'nothing' })
  })

  it('removes an upload by its local', () => {
    const own: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(9) }
    const entry = accepted(APPEND)
    for (const subject of [sending(entry), applied(entry, { kind: 'tagged-ok' }, own)]) {
      expect(compensationOf(subject, TERMS)).toEqual({
        kind: 'possible',
        requests: [{ request: { kind: 'expunge' }, targets: [own] }],
      })
    }
  })

  it('keeps a draft that a probe found, for a REPLACE may have taken the version before away (Verifies: I-STORE-2)', () => {
    const own: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(9) }
    const entry = accepted({ ...APPEND, kind: 'draft' }, ON)
    const found: Evidence = { kind: 'probe', verdict: 'certain', found: [uid(51)] }
    expect(compensationOf(undoQueued(applied(entry, found, own)), TERMS)).toEqual({ kind: 'refused', reason: 'replaced' })
    expect(compensationOf(undoQueued(applied(entry, { kind: 'tagged-ok' }, own)), TERMS).kind).toBe('possible')
  })

  it('keeps a draft whose version before is gone, or going', () => {
    const own: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(9) }
    const entry = accepted({ ...APPEND, kind: 'draft' }, ON)
    const uploaded = applied(entry, { kind: 'tagged-ok' }, own)
    const removed = applied(uploaded, { kind: 'vanished', uids: ON.uids })
    for (const subject of [sending(entry), sending(uploaded), removed]) {
      expect(compensationOf(subject, TERMS)).toEqual({ kind: 'refused', reason: 'replaced' })
    }
    const kept = transition(uploaded, ON, { kind: 'undo' }).entry
    expect(compensationOf(kept, TERMS)).toMatchObject({ kind: 'possible' })
  })

  it('keeps a draft that others were folded into, for nothing else is left of them (Verifies: I-STORE-2)', () => {
    const own: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(9) }
    const plain = accepted({ ...APPEND, kind: 'draft' })
    const heir: Entry = { ...plain, operation: { ...plain.operation, isHeir: true } as Entry['operation'] }
    expect(compensationOf(sending(plain), TERMS).kind).toBe('possible')
    for (const subject of [heir, sending(heir), applied(heir, { kind: 'tagged-ok' }, own)]) {
      expect(compensationOf(subject, TERMS)).toEqual({ kind: 'refused', reason: 'replaced' })
    }
    expect(undoEntry(plain, 9).kind).toBe('undone')
    expect(undoEntry(heir, 9)).toEqual({ kind: 'refused', reason: 'settled' })
  })

  it('renames back, and subscribes the other way', () => {
    const done = (request: OperationRequest): Entry => {
      const entry = accepted(request)
      return entry.progress.reduce((rest, { targets }) => applied(rest, { kind: 'listed' }, targets), entry)
    }
    const rename = done({ kind: 'rename-mailbox', mailboxId: INBOX, from: 'Old', path: 'New' })
    expect(compensationOf(rename, TERMS)).toMatchObject({
      requests: [{ request: { kind: 'rename-mailbox', from: 'New', path: 'Old' }, targets: [] }],
    })
    const upwards = done({ kind: 'rename-mailbox', mailboxId: INBOX, from: 'New/Below', path: 'New' })
    expect(compensationOf(upwards, TERMS)).toEqual({ kind: 'refused', reason: 'final' })
    const subscribe = done({ kind: 'subscribe-mailbox', mailboxId: INBOX, path: 'Old', isSubscribed: true })
    expect(compensationOf(subscribe, TERMS)).toMatchObject({ requests: [{ request: { isSubscribed: false } }] })
  })

  it.each([
    ['expunge', accepted({ kind: 'expunge' }, ON)],
    ['create-mailbox', accepted({ kind: 'create-mailbox', mailboxId: INBOX, path: 'New' })],
    ['delete-mailbox', accepted({ kind: 'delete-mailbox', mailboxId: INBOX, path: 'Old' })],
  ])('has no opposite of %s', (_, entry) => {
    expect(compensationOf(sending(entry), TERMS)).toEqual({ kind: 'refused', reason: 'final' })
  })

  it('leaves to the user what is parked, and finds nothing where nothing took effect', () => {
    const entry = accepted({ kind: 'move', to: ARCHIVE }, ON)
    const parked = transition(entry, ON, { kind: 'park', parkedFor: 'over-quota' }).entry
    expect(compensationOf(parked, TERMS)).toEqual({ kind: 'refused', reason: 'parked' })
    const skipped = transition(entry, ON, { kind: 'target-vanished', evidence: { kind: 'nothing-sent' } }).entry
    expect(compensationOf(receiptOf(skipped, 9), TERMS)).toEqual({ kind: 'refused', reason: 'nothing' })
  })
})

const APPEND = {
  kind: 'append' as const,
  to: ARCHIVE,
  digest: 'd',
  message: sampleLocalMessage(),
}
