/** Verifies: I-LOG-4 */

import {
  accountId,
  boxEpoch,
  type Checkpoint,
  claimId,
  entrySeq,
  localId,
  type MailboxRecord,
  mailboxId,
  NO_CAPABILITIES,
  type StoredTargets,
  type Targets,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { acceptOperation, type Entry, isSettled, type OperationRequest, transition } from '@tidemail/replay-log'
import { sampleLocalMessage } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { foldUploads } from './fold-uploads.ts'
import { isRepeatable, recoverableFrom } from './plan-recovery.ts'
import { readyReplace, readyUpload, uploadLanes } from './ready-uploads.ts'
import type { ReplayState } from './replay-state.ts'
import { mailboxesWithOpenClaims } from './resting-mailboxes.ts'
import { claimSubmission, dueSubmissions } from './submissions.ts'

const DRAFTS = mailboxId(2)
const UPLOAD = {
  to: DRAFTS,
  digest: 'd',
  message: sampleLocalMessage(),
}
const OLD: StoredTargets = { kind: 'stored', mailboxId: DRAFTS, box: boxEpoch(12), uids: UidSet.of(5) }
const local = (number: number): Targets => ({ kind: 'local', mailboxId: DRAFTS, locals: UidSet.of(number) })

/** The entry with this number; its first local is ten times the number. */
function entry(seq: number, request: OperationRequest, ...targets: readonly Targets[]): Entry {
  const context = { seq: entrySeq(seq), firstLocal: localId(seq * 10), targets }
  return acceptOperation(request, context, { accountId: accountId('a'), now: 5 }).entry
}

const draft = (seq: number, ...replaces: readonly Targets[]): Entry => entry(seq, { kind: 'draft', ...UPLOAD }, ...replaces)
const sending = (one: Entry, targets: Targets): Entry => transition(one, targets, { kind: 'claim', claimId: claimId('c') }).entry
const parked = (one: Entry, targets: Targets): Entry => transition(one, targets, { kind: 'park', parkedFor: 'uncertain' }).entry

/** What is left of the log: the numbers of the entries, with what each still is to do. */
function after(entries: readonly Entry[]): Record<number, string> {
  const folded = new Map(foldUploads(entries).map((one) => [one.seq, one]))
  const all = entries.map((one) => folded.get(one.seq) ?? one).filter((one) => !isSettled(one))
  const show = (targets: Targets): string => (targets.kind === 'stored' ? `${targets.uids}` : `local:${targets.locals}`)
  return Object.fromEntries(all.map(({ seq, progress }) => [seq, progress.map(({ targets }) => show(targets)).join(' ')]))
}

describe('foldUploads', () => {
  const cases: readonly [string, readonly Entry[], Record<number, string>][] = [
    ['a draft that is replaced', [draft(1), draft(2, local(10))], { 2: 'local:20' }],
    ['a chain of them, to the last', [draft(1, OLD), draft(2, local(10)), draft(3, local(20))], { 3: 'local:30 5' }],
    ['an upload that a draft replaces', [entry(1, { kind: 'append', ...UPLOAD }), draft(2, local(10))], { 2: 'local:20' }],
    ['an upload that is removed', [entry(1, { kind: 'append', ...UPLOAD }), entry(2, { kind: 'expunge' }, local(10))], {}],
    ['a draft that is removed, with the version before', [draft(1, OLD), entry(2, { kind: 'expunge' }, local(10))], { 2: '5' }],
    ['two successors: the last replaces the first', [draft(1), draft(2, local(10)), draft(3, local(10))], { 3: 'local:30' }],
  ]
  it.each(cases)('folds %s', (_, entries, left) => {
    expect(after(entries)).toEqual(left)
  })

  it('settles the one as superseded and the other as done, for nothing was sent', () => {
    const [first, second] = foldUploads([draft(1, OLD), draft(2, local(10))])
    const nothingSent = { kind: 'nothing-sent' }
    expect(first?.settled.map(({ outcome, evidence }) => [outcome, evidence])).toEqual([
      ['superseded', nothingSent],
      ['superseded', nothingSent],
    ])
    // The version before stands where the one that is left out stood: one message, with one outcome to come.
    expect(second?.settled).toEqual([])
    expect(second?.progress.map(({ targets }) => targets)).toContainEqual(OLD)
    expect(second?.operation).toMatchObject({ isHeir: true })
    const [, onlyOne] = foldUploads([draft(1), draft(2, local(10))])
    expect(onlyOne?.settled).toMatchObject([{ outcome: 'applied', targets: local(10), evidence: nothingSent }])
  })

  const untouched: readonly [string, readonly Entry[]][] = [
    ['an upload on its way', [sending(draft(1), local(10)), draft(2, local(10))]],
    ['an upload that may be there', [parked(draft(1), local(10)), draft(2, local(10))]],
    ['one that somebody copies', [draft(1), entry(2, { kind: 'copy', to: mailboxId(3) }, local(10)), draft(3, local(10))]],
    [
      'one that somebody moves',
      [draft(1), entry(2, { kind: 'move', to: mailboxId(3) }, local(10)), entry(3, { kind: 'expunge' }, local(10))],
    ],
    [
      'what is sent',
      [entry(1, { kind: 'submit', sender: 'a@b', recipients: ['c@d'], ...UPLOAD }), entry(2, { kind: 'expunge' }, local(11))],
    ],
    ['a version that has a name', [draft(1, OLD)]],
    ['an empty log', []],
  ]
  it.each(untouched)('leaves alone %s', (_, entries) => {
    expect(foldUploads(entries)).toEqual([])
  })
})

function state(entries: readonly Entry[], capabilities: readonly string[] = ['REPLACE', 'UIDPLUS']): ReplayState {
  const checkpoint = { uidNext: 9, highestModSeq: null, known: UidSet.parse('4:8'), covered: UidSet.parse('4:8') }
  const mailbox = {
    id: DRAFTS,
    accountId: accountId('a'),
    path: 'Drafts',
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: true,
    isOnServer: true,
    objectId: null,
    box: boxEpoch(12),
    uidValidity: uidValidity(7),
    checkpoint,
    permanentFlags: [],
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
  }
  const server = { ...NO_CAPABILITIES, capabilities }
  return { accountId: accountId('a'), entries, claims: [], mailboxes: new Map([[DRAFTS, mailbox]]), server, now: 5 }
}

describe('readyReplace', () => {
  it('is one step where the version before is one message that is there', () => {
    const one = draft(1, OLD)
    expect(readyReplace(one, state([one]))).toMatchObject({ old: OLD })
    expect(uploadLanes(one, state([one]))).toEqual([{ kind: 'messages', mailboxId: DRAFTS }])
  })

  const flagged = entry(1, { kind: 'flag', add: ['$A'], remove: [] }, OLD)
  const cases: readonly [string, Entry, readonly Entry[], readonly string[]][] = [
    ['the server cannot', draft(2, OLD), [], ['UIDPLUS']],
    ['there is no version before', draft(2), [], ['REPLACE']],
    ['the version before is gone', draft(2, { ...OLD, uids: UidSet.of(3) }), [], ['REPLACE']],
    ['it is two messages', draft(2, { ...OLD, uids: UidSet.of(5, 6) }), [], ['REPLACE']],
    ['its mailbox has new UIDs', draft(2, { ...OLD, box: boxEpoch(11) }), [], ['REPLACE']],
    ['the server refused before', { ...draft(2, OLD), rejections: 1 }, [], ['REPLACE']],
    ['somebody is still to change it', draft(2, OLD), [flagged], ['REPLACE']],
    ['it has no name yet', draft(2, local(10)), [draft(1)], ['REPLACE']],
  ]
  it.each(cases)('is not when %s', (_, one, before, capabilities) => {
    expect(readyReplace(one, state([...before, one], capabilities))).toBeNull()
  })

  it('is not when the version before is not listed yet', () => {
    // Verifies: H-14
    const one = draft(2, OLD)
    const now = state([one])
    const drafts = now.mailboxes.get(DRAFTS) as MailboxRecord
    const checkpoint = { ...(drafts.checkpoint as Checkpoint), uidNext: 5 }
    expect(readyReplace(one, { ...now, mailboxes: new Map([[DRAFTS, { ...drafts, checkpoint }]]) })).toBeNull()
  })
})

describe('readyUpload', () => {
  it('waits for a version before that is on its way, but not for one that nobody can tell of', () => {
    const waiting = draft(2, local(10))
    expect(readyUpload(waiting, state([sending(draft(1), local(10)), waiting]))).toBeNull()
    expect(readyUpload(waiting, state([parked(draft(1), local(10)), waiting]))).toBe(waiting.operation)
    expect(readyUpload(waiting, state([waiting]))).toBe(waiting.operation)
  })

  it('waits for a version before that is moving to a name', () => {
    const move = entry(1, { kind: 'move', to: DRAFTS }, { ...OLD, mailboxId: mailboxId(9) })
    const waiting = draft(2, local(10))
    expect(readyUpload(waiting, state([move, waiting]))).toBeNull()
  })
})

describe('a submission', () => {
  const submit = (to: typeof DRAFTS | null): Entry =>
    entry(1, { kind: 'submit', sender: 'a@b', recipients: ['c@d'], ...UPLOAD, to })

  it('is due while its deed is queued, and not before its time', () => {
    expect(dueSubmissions(state([submit(DRAFTS)]))).toHaveLength(1)
    expect(dueSubmissions(state([{ ...submit(DRAFTS), notBefore: 6 }]))).toEqual([])
    expect(dueSubmissions(state([sending(submit(DRAFTS), local(10))]))).toEqual([])
    expect(dueSubmissions(state([parked(submit(DRAFTS), local(10))]))).toEqual([])
    expect(dueSubmissions(state([draft(1)]))).toEqual([])
  })

  it('is claimed for the deed alone, or with the copy that the server keeps', () => {
    for (const [to, locals] of [
      [DRAFTS, '10'],
      [null, '10:11'],
    ] as const) {
      const [due] = dueSubmissions(state([submit(to)]))
      if (due === undefined) throw new Error('nothing is due')
      expect(claimSubmission(due, claimId('c'), 5).members.map(({ targets }) => targets)).toMatchObject([
        { locals: UidSet.parse(locals) },
      ])
    }
  })

  // Verifies: I-LOG-3
  it('is never repeatable, waits for its time to be over, and keeps no mailbox', () => {
    const [due] = dueSubmissions(state([submit(DRAFTS)]))
    if (due === undefined) throw new Error('nothing is due')
    const claim = claimSubmission(due, claimId('c'), 5)
    expect(isRepeatable(claim)).toBe(false)
    const times = { ownership: 'shared' as const, startedAt: 9, stepDeadlineMs: 60_000 }
    expect(recoverableFrom(claim, times)).toBeGreaterThan(60_000)
    expect(mailboxesWithOpenClaims({ ...state([]), claims: [claim] }).size).toBe(0)
  })
})
