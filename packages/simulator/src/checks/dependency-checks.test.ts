import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  type MutatingStep,
  mailboxId,
  type Step,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { type Claim, type Entry, encodeClaim, encodeEntry, type Operation } from '@tidemail/replay-log'
import { MemoryDisk, type MemoryState, ModelAccount, sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { checkIndependent, DependencyChecks } from './dependency-checks.ts'
import { sampleEntry } from './sample-entry.ts'

const me = accountId('me')
const [inbox, archive] = [mailboxId(1), mailboxId(2)]
const identity = { path: 'INBOX', uidValidity: uidValidity(1) }
const planned = { mailbox: identity, uids: UidSet.of(1), reason: 'test', notAfter: 10_000 }
const mark: MutatingStep = { ...planned, kind: 'store', id: 's1', direction: 'add', flags: ['\\Deleted'] }
const removal: MutatingStep = { ...planned, kind: 'expunge', id: 's2' }

const targetsOf = (uid: number) => ({ kind: 'stored' as const, mailboxId: inbox, box: boxEpoch(11), uids: UidSet.of(uid) })

function entryOf(seq: number, operation: (targets: Entry['progress'][number]['targets']) => Operation, uid = 1): Entry {
  const targets = targetsOf(uid)
  return sampleEntry(operation(targets), targets, { seq: entrySeq(seq) })
}

const copy = (seq: number, uid = 1): Entry => entryOf(seq, (targets) => ({ kind: 'copy', targets, to: archive }), uid)
const expunge = (seq: number, uid = 1): Entry => entryOf(seq, (targets) => ({ kind: 'expunge', targets }), uid)

function claimFor({ seq, progress }: Entry, steps: readonly MutatingStep[]): Claim {
  const members = progress.map(({ targets }) => ({ seq, targets }))
  return { id: claimId('c1'), accountId: me, steps, members, fence: null, claimedAt: 0, lostAt: null, answer: 'none' }
}

function stateOf(
  entries: readonly Entry[],
  { claims = [], isArchiveThere = true }: { readonly claims?: readonly Claim[]; readonly isArchiveThere?: boolean } = {},
): MemoryState {
  const known = UidSet.parse('1:2')
  const checkpoint = { uidNext: 3, highestModSeq: null, known, covered: known }
  const mailboxes = [
    sampleMailbox(inbox, { accountId: me, path: 'INBOX', checkpoint }),
    sampleMailbox(archive, { accountId: me, path: 'Archive', checkpoint, isOnServer: isArchiveThere }),
  ]
  return {
    ...new MemoryDisk().state,
    entries: new Map(entries.map((entry) => [entry.seq, encodeEntry(entry)])),
    claims: new Map(claims.map((claim) => [claim.id, encodeClaim(claim)])),
    mailboxes: new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox])),
  }
}

describe('what is sent (Verifies: I-LOG-5, H-4, H-14)', () => {
  const sent = (step: Step, state: MemoryState, checks = new DependencyChecks(new ModelAccount())): string[] =>
    checks.check(step, state).map(({ what }) => what)

  it('is no removal before the message is marked', () => {
    const checks = new DependencyChecks(new ModelAccount())
    const state = stateOf([expunge(1)], { claims: [claimFor(expunge(1), [mark, removal])] })
    expect(sent(removal, state, checks)).toEqual(['expunge INBOX 1 is sent, but store INBOX 1 add \\Deleted was not done'])
    checks.executed(mark)
    expect(sent(removal, state, checks)).toEqual([])
  })

  it('is no removal of what an earlier operation is to copy', () => {
    const claims = [claimFor(expunge(2), [removal])]
    expect(sent(removal, stateOf([copy(1), expunge(2)], { claims }))).toEqual([
      'expunge INBOX 1 is sent, but entry 1 is to copy it first',
    ])
    expect(sent(removal, stateOf([copy(1, 2), expunge(2), copy(3)], { claims }))).toEqual([])
  })

  it('is no move of what an earlier operation is to copy, unless that waits for the user', () => {
    const local = { kind: 'local' as const, mailboxId: inbox, locals: UidSet.of(7) }
    const onLocal = (seq: number, kind: 'copy' | 'move', parkedFor: 'over-quota' | null = null): Entry =>
      sampleEntry({ kind, targets: local, to: archive }, local, { seq: entrySeq(seq), parkedFor })
    const step: MutatingStep = { ...planned, kind: 'move', id: 's1', target: 'Archive' }
    const claims = [claimFor(onLocal(2, 'move'), [step])]
    const found = (before: Entry): string[] => sent(step, stateOf([before, onLocal(2, 'move')], { claims }))
    expect(found(onLocal(1, 'copy'))).toEqual(['move INBOX 1 -> Archive is sent, but entry 1 is to copy it first'])
    expect(found(onLocal(1, 'copy', 'over-quota'))).toEqual([])
  })

  it('goes into no mailbox that is still to be made', () => {
    const step: MutatingStep = { ...planned, kind: 'copy', id: 's1', target: 'Archive' }
    expect(sent(step, stateOf([], { isArchiveThere: false }))).toEqual([
      'copy INBOX 1 -> Archive is sent, but Archive was not made',
    ])
    expect(sent(step, stateOf([]))).toEqual([])
  })

  it('is about no message that is not listed yet', () => {
    const account = new ModelAccount()
    account.inbox.isListingLate = true
    account.inbox.append([{ bytes: new Uint8Array(1), flags: [], internalDate: 0 }])
    const checks = new DependencyChecks(account)
    expect(sent(mark, stateOf([]), checks)).toEqual(['store INBOX 1 add \\Deleted is sent, but 1 is not listed yet'])
    account.inbox.listArrivals()
    expect(sent(mark, stateOf([]), checks)).toEqual([])
  })
})

describe('what waits after a quiet synchronisation (Verifies: I-LOG-5)', () => {
  const found = (entries: readonly Entry[], claims: readonly Claim[] = []): string[] => {
    const state = stateOf(entries, { claims })
    return checkIndependent(state, state, 0).map(({ what }) => what)
  }

  it('has to do with something that is stuck', () => {
    expect(found([copy(1)])).toEqual(['entry 1 (copy) was not tried, though nothing holds it up'])
    expect(found([copy(1), expunge(2)])).toEqual([])
    expect(found([copy(1), expunge(2, 2)])).toHaveLength(2)
  })

  it('or is not due, or waits for an answer, or for the user', () => {
    expect(found([{ ...copy(1), notBefore: 1 }])).toEqual([])
    expect(found([copy(1)], [claimFor(copy(1), [mark])])).toEqual([])
    const targets = targetsOf(1)
    expect(found([sampleEntry({ kind: 'expunge', targets }, targets, { parkedFor: 'not-permitted' })])).toEqual([])
  })

  it('or was tried in vain', () => {
    const before = stateOf([copy(1)])
    expect(checkIndependent(before, stateOf([{ ...copy(1), rejections: 1 }]), 0)).toEqual([])
  })
})
