import { accountId, boxEpoch, claimId, entrySeq, type LocalId, localId, mailboxId, type Targets, UidSet } from '@tidemail/core'
import { sampleLocalMessage } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { acceptOperation } from './accept-operation.ts'
import { isLocalApplied, removalsOf, replacedBy, stateOfLocal, uploadOf } from './draft-parts.ts'
import type { Entry } from './entry.ts'
import { transition } from './transition.ts'

const DRAFTS = mailboxId(2)
const TERMS = { accountId: accountId('a'), now: 5 }
const OLD: Targets = { kind: 'stored', mailboxId: DRAFTS, box: boxEpoch(12), uids: UidSet.of(5) }
const local = (number: number): Targets => ({ kind: 'local', mailboxId: DRAFTS, locals: UidSet.of(number) })
const MESSAGE = sampleLocalMessage()
const context = (targets: readonly Targets[]) => ({ seq: entrySeq(3), firstLocal: localId(7), targets })

function draft(...replaces: readonly Targets[]): Entry {
  return acceptOperation({ kind: 'draft', to: DRAFTS, message: MESSAGE, digest: 'd' }, context(replaces), TERMS).entry
}

function landed(entry: Entry, number: number): Entry {
  const sending = transition(entry, local(number), { kind: 'claim', claimId: claimId('c') }).entry
  return transition(sending, local(number), { kind: 'answered-ok', evidence: { kind: 'tagged-ok' } }).entry
}

const submission: Entry = acceptOperation(
  { kind: 'submit', sender: 'a@b', recipients: ['c@d'], to: DRAFTS, message: MESSAGE, digest: 'd' },
  context([]),
  TERMS,
).entry

describe('removalsOf', () => {
  it('is empty until the new version is proved, and then the version before, as the group that it is', () => {
    const entry = draft(OLD)
    expect(removalsOf(entry)).toEqual([])
    const uploaded = landed(entry, 7)
    expect(removalsOf(uploaded)).toEqual([uploaded.progress[0]])
    expect(removalsOf(uploaded)[0]).toBe(uploaded.progress[0])
  })

  it('leaves the version before alone when the new one was given up', () => {
    const parked = transition(draft(OLD), local(7), { kind: 'park', parkedFor: 'over-quota' }).entry
    const given = transition(parked, local(7), { kind: 'discard' }).entry
    expect(given.progress.map(({ targets }) => targets)).toEqual([OLD])
    expect(removalsOf(given)).toEqual([])
  })

  it('waits for a name where the version before has none', () => {
    expect(removalsOf(landed(draft(local(3)), 7))).toEqual([])
  })

  it('leaves out what is parked or on its way', () => {
    const parked = transition(landed(draft(OLD), 7), OLD, { kind: 'park', parkedFor: 'not-permitted' }).entry
    expect(removalsOf(parked)).toEqual([])
  })
})

describe('replacedBy', () => {
  it('tells the version before from the message itself, though both are locals of one group', () => {
    const entry = draft(local(3))
    expect(entry.progress).toHaveLength(1)
    expect(replacedBy(entry).map(({ targets }) => targets)).toEqual([local(3)])
    expect(replacedBy(draft())).toEqual([])
    expect(replacedBy(submission)).toEqual([])
  })
})

describe('uploadOf', () => {
  it('is the message while it is queued', () => {
    const entry = draft(OLD)
    expect(uploadOf(entry)).toBe(entry.operation)
    expect(uploadOf(transition(entry, local(7), { kind: 'claim', claimId: claimId('c') }).entry)).toBeNull()
    expect(uploadOf(landed(entry, 7))).toBeNull()
  })

  it('is the copy of what was sent only once it was sent', () => {
    expect(uploadOf(submission)).toBeNull()
    const sent = landed(submission, 7)
    expect(isLocalApplied(sent, 7 as LocalId)).toBe(true)
    expect(stateOfLocal(sent, 8 as LocalId)).toBe('queued')
    expect(uploadOf(sent)).toBe(sent.operation)
    const parked = transition(submission, local(7), { kind: 'park', parkedFor: 'uncertain' }).entry
    expect(uploadOf(parked)).toBeNull()
  })
})
