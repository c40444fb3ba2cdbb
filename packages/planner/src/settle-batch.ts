/** Turns the answers to a batch into what the store writes: server state, entries and receipts in one change (H-2). */

import {
  type Appended,
  type Copied,
  type Done,
  type EntrySeq,
  type MailboxId,
  type MutatingStep,
  numbersOf,
  type Observation,
  type Outcome,
  type Targets,
  UidPairs,
  UidSet,
  uid,
} from '@tidemail/core'
import {
  type Claim,
  type ClaimMember,
  copiedOf,
  type Entry,
  type Evidence,
  placedOf,
  type UnalteredFlag,
} from '@tidemail/replay-log'
import { sentUids, sentUnder } from './claim-members.ts'
import { classifyRejection } from './classify-rejection.ts'
import type { Ledger } from './ledger.ts'
import { isRemoval } from './own-marks.ts'
import { dependantsOfCopy } from './parked-targets.ts'
import type { Batch } from './replay-state.ts'
import { isPartDone, isPartlyModified, notePartDone, repeatRest, settleFlags } from './settle-flags.ts'
import { settleLanded, settleRemoved, settleThere, settleTransferred, unfoldChain } from './settle-names.ts'
import { settleReplace } from './settle-replace.ts'
import { vanishedIn } from './vanished-in.ts'

/** Settles what needs no answer: targets that were gone before anything was sent, and flags the server would not keep. */
export function settleMoot(moot: Batch['moot'], ledger: Ledger): void {
  for (const { seq, targets, why } of moot) {
    if (why === 'needs-another') ledger.park(seq, targets, why)
    else if (why === 'not-possible') ledger.park(seq, targets, 'not-permitted')
    else if (why === 'not-permitted') ledger.reject(seq, targets, { kind: 'nothing-sent' })
    else if (why === 'there-already') settleThere(ledger, seq, targets)
    else ledger.settleGone(seq, targets, { kind: 'vanished', uids: targets.kind === 'stored' ? targets.uids : UidSet.EMPTY })
  }
}

/** Settles each claim by the ending of its steps and by the evidence that came with them. */
export function settleBatch(batch: Batch, observations: readonly Observation[], ledger: Ledger): void {
  const looks = looksAfter(batch, observations)
  const endings = new Map(observations.flatMap((item) => (item.kind === 'done' ? [[item.id, item] as const] : [])))
  for (const claim of batch.claims) {
    const [first] = claim.steps
    if (first?.kind === 'replace') {
      settleReplace(claim, first, endings.get(first.id), observations, ledger)
      continue
    }
    const dones = claim.steps.map((step) => endings.get(step.id))
    if (claim.unmarks !== undefined) {
      settleUnmarking(claim, claim.unmarks, worst(dones), ledger)
      continue
    }
    if (hasLeftMarksOff(claim, dones)) {
      ledger.lose(claim)
      continue
    }
    switch (worst(dones)) {
      case 'ok':
        settleAnswered(claim, batch, looks, observations, ledger)
        break
      case 'rejected':
        if (isPartlyModified(claim, dones)) settleAnswered(claim, batch, looks, observations, ledger)
        else settleRejected(claim, dones, observations, ledger)
        break
      case 'unknown':
        ledger.lose(claim)
        break
      case 'stale':
      case 'not-sent':
      case 'skipped':
        if (isPartDone(claim, dones)) repeatRest(claim, dones, observations, ledger)
        else ledger.release(claim)
        break
    }
  }
}

/** What is refused, or not sent, is asked for again in the next pass. */
function settleUnmarking(claim: Claim, mailboxId: MailboxId, outcome: Outcome, ledger: Ledger): void {
  if (outcome === 'unknown') {
    ledger.lose(claim)
    return
  }
  for (const step of outcome === 'ok' ? claim.steps : []) {
    if (step.kind !== 'store') continue
    ledger.server.unmark(mailboxId, step.uids)
    ledger.noteOwnChange(claim, step.uids, { add: [], remove: step.flags })
  }
  ledger.removeClaim(claim)
}

/** What the steps of a claim came to, taken together: one unanswered step leaves the claim unanswered. */
function worst(dones: readonly (Done | undefined)[]): Outcome {
  const outcomes = dones.map((done) => done?.outcome ?? 'unknown')
  return (['unknown', 'rejected', 'stale', 'not-sent', 'skipped'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'ok'
}

/** The marks of others are off, and may not be on again: recovery puts them back (RFC 4549 §4.2.4). */
function hasLeftMarksOff({ shielded }: Claim, dones: readonly (Done | undefined)[]): boolean {
  if (shielded === undefined || worst(dones) === 'ok') return false
  return dones[0] === undefined || dones[0].outcome === 'ok' || dones[0].outcome === 'unknown'
}

function settleAnswered(
  claim: Claim,
  batch: Batch,
  looks: ReadonlyMap<string, UidSet | null>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  if (isRemoval(claim)) {
    settleExpunge(claim, looks, observations, ledger)
    return
  }
  const step = claim.steps.at(-1) as MutatingStep
  switch (step.kind) {
    case 'store':
      settleFlags(claim, { observations, batch }, ledger)
      break
    case 'copy':
    case 'move':
      settleTransfer(claim, step, observations, ledger)
      break
    case 'append':
      settleAppend(claim, step.id, observations, ledger)
      break
  }
}

/** Gone is what VANISHED names, or what the look after the expunge does not find; what is still there is tried again. */
function settleExpunge(
  claim: Claim,
  looks: ReadonlyMap<string, UidSet | null>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const vanished = vanishedIn(observations)
  const left = looks.get(claim.id)
  const sent = claim.members.reduce((all, member) => all.union(sentUids(member)), UidSet.EMPTY)
  const gone = left == null ? sent.intersect(vanished) : sent.difference(left)
  for (const member of unfoldChain(ledger, claim, gone).members) {
    const mine = sentUids(member).intersect(gone)
    const evidence: Evidence = { kind: 'vanished', uids: mine }
    const removed = sentUnder(member, gone)
    const kept = sentUnder(member, sent.difference(gone))
    if (removed !== null && member.isSuperseded === true) ledger.supersede(member.seq, removed, evidence)
    else if (removed !== null) settleRemoved(ledger, member.seq, removed, evidence)
    if (kept !== null && member.isSuperseded === true) ledger.queueAgain(member.seq, kept)
    // Nobody has told what is left: to remove it once more does no harm.
    else if (kept !== null && left === null) ledger.repeatPart(member.seq, kept)
    else if (kept !== null) ledger.retryOrPark(member.seq, kept)
  }
  ledger.removeClaim(claim)
}

/** What the searches planned behind expunges found, by claim; null where the answer is missing. */
function looksAfter(batch: Batch, observations: readonly Observation[]): Map<string, UidSet | null> {
  const found = new Map(observations.flatMap((item) => (item.kind === 'uids' ? [[item.id, item.uids] as const] : [])))
  return new Map(
    batch.claims.flatMap((claim) => {
      const last = claim.steps.at(-1)?.id ?? ''
      const look = batch.steps.find((step) => step.kind === 'search' && step.requires?.includes(last))
      return look === undefined ? [] : [[claim.id, found.get(look.id) ?? null] as const]
    }),
  )
}

function settleTransfer(
  claim: Claim,
  step: Extract<MutatingStep, { kind: 'copy' | 'move' }>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const answers = observations.filter((item): item is Copied => item.kind === 'copied' && item.id === step.id)
  if (answers.length === 0) {
    ledger.lose(claim, 'ok')
    return
  }
  const pairs = answers.reduce((all, item) => all.union(item.pairs), UidPairs.EMPTY)
  const evidence = { kind: 'copy-uid' as const, target: (answers[0] as Copied).target, pairs }
  for (const member of settleNamed(claim, step.kind, pairs, evidence, ledger)) {
    const absent = sentUids(member).difference(pairs.sources)
    const targets = sentUnder(member, absent)
    if (targets !== null) ledger.settleGone(member.seq, targets, { kind: 'vanished', uids: absent })
  }
  ledger.removeClaim(claim)
}

/** Settles what was named, and answers all members as they are called since. */
function settleNamed(
  claim: Claim,
  step: 'move' | 'copy',
  pairs: UidPairs,
  evidence: Evidence,
  ledger: Ledger,
): readonly ClaimMember[] {
  const { members } = unfoldChain(ledger, claim, pairs.sources)
  for (const member of members) {
    const done = sentUnder(member, pairs.sources)
    if (done === null) continue
    if (member.isSuperseded === true) ledger.supersede(member.seq, done, evidence)
    else settleTransferred(ledger, { seq: member.seq, targets: done }, step, claim, pairs, evidence)
  }
  return members
}

function settleAppend(claim: Claim, stepId: string, observations: readonly Observation[], ledger: Ledger): void {
  const answer = observations.find((item): item is Appended => item.kind === 'appended' && item.id === stepId)
  if (answer === undefined || answer.uids.length !== claim.members.length) {
    ledger.lose(claim, 'ok')
    return
  }
  claim.members.forEach(({ seq, targets }, i) => {
    const named = uid(answer.uids[i] ?? 0)
    settleLanded(ledger, { seq, targets }, claim, named, { kind: 'append-uid', target: answer.target, uid: named })
  })
  ledger.removeClaim(claim)
}

function settleRejected(
  claim: Claim,
  dones: readonly (Done | undefined)[],
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const at = dones.findIndex((done) => done?.outcome === 'rejected')
  const rejection = dones[at]?.rejection ?? null
  const step = claim.steps[at] as MutatingStep
  const evidence = { kind: 'rejection' as const, rejection: rejection ?? { status: 'NO' as const, code: null, text: '' } }
  // Some of the flags may have been changed: to undo that is no longer free, and it was us.
  const isPartly = step.kind === 'store' && dones.some((done) => done?.outcome === 'ok')
  if (isPartly) notePartDone(claim, dones, observations, ledger)
  for (const { seq, targets, unaltered = [] } of settlePartOfTransfer(claim, step, observations, ledger)) {
    const mayBeDone = isPartly ? unaltered : undefined
    // What is not understood is done another way: the engine has learnt it, and plans without UID EXPUNGE from now on.
    if (claim.members.length > 1 || (step.kind === 'expunge' && rejection?.status === 'BAD')) {
      ledger.unfold(seq, targets, mayBeDone)
      continue
    }
    const verdict = classifyRejection(rejection, step, ledger.rejectionsOf(seq))
    if (verdict.kind === 'retry' || verdict.kind === 'look-again') {
      ledger.retryLater(seq, targets, mayBeDone)
      continue
    }
    const kind = ledger.entry(seq)?.operation.kind
    if (kind === 'copy' || kind === 'move') ledger.parkAll(dependantsOfCopy(ledger.open, { seq, targets }))
    if (verdict.kind === 'park') ledger.park(seq, targets, verdict.reason)
    else if (isHalfMoved(ledger.entry(seq), targets)) ledger.park(seq, targets, 'rejected-repeatedly')
    else ledger.reject(seq, targets, evidence)
  }
  ledger.removeClaim(claim)
}

/** Whether the copy half of a move is proved for any of these: then giving up would leave the message in two mailboxes. */
function isHalfMoved(entry: Entry | undefined, targets: Targets): boolean {
  return entry !== undefined && !numbersOf(copiedOf(entry, { targets, placed: placedOf(entry, targets) })).isEmpty
}

/** A MOVE may stop part way (RFC 6851 §3.3): what COPYUID named is done. Answers what is left. */
function settlePartOfTransfer(
  claim: Claim,
  step: MutatingStep,
  observations: readonly Observation[],
  ledger: Ledger,
): readonly { readonly seq: EntrySeq; readonly targets: Targets; readonly unaltered?: readonly UnalteredFlag[] }[] {
  if (step.kind !== 'move' && step.kind !== 'copy') return claim.members
  const answers = observations.filter((item): item is Copied => item.kind === 'copied' && item.id === step.id)
  const pairs = answers.reduce((all, item) => all.union(item.pairs), UidPairs.EMPTY)
  const [answer] = answers
  if (answer === undefined) return claim.members
  const members = settleNamed(claim, step.kind, pairs, { kind: 'copy-uid', target: answer.target, pairs }, ledger)
  return members.flatMap((member) => {
    const targets = sentUnder(member, sentUids(member).difference(pairs.sources))
    return targets === null ? [] : [{ seq: member.seq, targets }]
  })
}
