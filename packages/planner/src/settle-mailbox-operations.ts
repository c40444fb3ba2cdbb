/** Turns the answer to an operation on a mailbox into what the store writes: the mailboxes as they are now, entries and receipts in one change. */

import type { Done, EntrySeq, MailboxId, MailboxStep, Observation, Rejection } from '@tidemail/core'
import type { Claim, ClaimMember, Evidence } from '@tidemail/replay-log'
import { classifyRejection, REJECTIONS_MAX } from './classify-rejection.ts'
import type { Ledger } from './ledger.ts'
import { madeSince } from './mailbox-order.ts'
import { mailboxesAfter } from './mailboxes-after.ts'
import type { MootOperation } from './plan-mailbox-operations.ts'
import { isMailboxStep } from './resting-mailboxes.ts'

/** Settles what needs no answer. */
export function settleMootOperations(moot: readonly MootOperation[], ledger: Ledger): void {
  for (const { seq, targets, why, mailboxId } of moot) {
    switch (why) {
      case 'needs-another':
        ledger.park(seq, targets, why)
        break
      case 'as-is':
        supersede({ seq, targets }, ledger)
        break
      case 'cancelled':
        supersede({ seq, targets }, ledger)
        ledger.server.remove(mailboxId)
        break
      case 'name-taken':
        ledger.reject(seq, targets, { kind: 'listed' })
        ledger.server.remove(mailboxId)
        break
    }
  }
}

/** Settles the claim by the ending of its first step; the subscriptions behind it are as they are, and LIST tells. */
export function settleMailboxClaim(claim: Claim, observations: readonly Observation[], ledger: Ledger): void {
  const [step] = claim.steps
  if (step === undefined || !isMailboxStep(step)) return
  const done = observations.find((item): item is Done => item.kind === 'done' && item.id === step.id)
  switch (done?.outcome) {
    case 'ok':
      if (isHalfHeard(claim, observations)) ledger.lose(claim)
      else settleDone(claim, step, { kind: 'tagged-ok' }, ledger)
      break
    case 'rejected':
      settleRejected(claim, step, done.rejection, ledger)
      break
    case 'unknown':
      ledger.lose(claim)
      break
    default:
      ledger.release(claim)
  }
}

/** A new name whose subscription may not have followed: the next LIST shows the name, and then the subscription is taken along. */
function isHalfHeard({ steps: [first, ...others] }: Claim, observations: readonly Observation[]): boolean {
  const isHeard = ({ id }: MailboxStep): boolean =>
    observations.some(
      (item) => item.kind === 'done' && item.id === id && item.outcome !== 'unknown' && item.outcome !== 'not-sent',
    )
  return first?.kind === 'rename' && !others.filter(isMailboxStep).every(isHeard)
}

/** The server has it so: the last operation that was folded gives the state, those before it were overtaken by it. */
function settleDone(claim: Claim, step: MailboxStep, evidence: Evidence, ledger: Ledger): void {
  const isCreate = step.kind === 'create'
  const counts = isCreate ? claim.members[0] : claim.members.at(-1)
  for (const member of claim.members) {
    if (member === counts) ledger.apply(member.seq, member.targets, evidence)
    else {
      ledger.queueAgain(member.seq, member.targets)
      supersede(member, ledger)
    }
  }
  const mailbox = counts === undefined ? undefined : ledger.server.mailbox(counts.targets.mailboxId)
  const last = claim.members.at(-1)
  if (mailbox !== undefined && last !== undefined) changeMailboxes(step, { seq: last.seq, mailboxId: mailbox.id }, ledger)
  ledger.removeClaim(claim)
}

/** Writes what the step, carried out, makes of the mailboxes. `seq` is the last operation that it carried out. */
export function changeMailboxes(
  step: MailboxStep,
  { mailboxId, seq }: { readonly seq: EntrySeq; readonly mailboxId: MailboxId },
  ledger: Ledger,
): void {
  const mailbox = ledger.server.mailbox(mailboxId)
  if (mailbox === undefined) return
  const { changed, removed } = mailboxesAfter(step, mailbox, ledger.server.all, madeSince(seq, ledger.open))
  for (const record of changed) ledger.server.put(record)
  for (const id of removed) ledger.server.remove(id)
}

function settleRejected(claim: Claim, step: MailboxStep, rejection: Rejection | null, ledger: Ledger): void {
  const evidence = { kind: 'rejection' as const, rejection: rejection ?? { status: 'NO' as const, code: null, text: '' } }
  if (claim.members.length > 1) {
    for (const { seq, targets } of claim.members) ledger.unfold(seq, targets)
    ledger.removeClaim(claim)
    return
  }
  if (isSoAlready(step, rejection)) {
    settleDone(claim, step, evidence, ledger)
    return
  }
  for (const { seq, targets } of claim.members) {
    const rejectionsBefore = ledger.rejectionsOf(seq)
    const verdict = classifyRejection(rejection, step, rejectionsBefore)
    if (isNotThere(step, rejection)) {
      // It may have been renamed by a step of ours whose answer was lost: the next look at the account tells.
      if (rejectionsBefore + 1 < REJECTIONS_MAX) ledger.unfold(seq, targets)
      else ledger.park(seq, targets, 'mailbox-gone')
    } else if (verdict.kind === 'retry' || verdict.kind === 'look-again') ledger.retryLater(seq, targets)
    else if (verdict.kind === 'park') ledger.park(seq, targets, verdict.reason)
    else {
      ledger.reject(seq, targets, evidence)
      if (step.kind === 'create') ledger.server.remove(targets.mailboxId)
    }
  }
  ledger.removeClaim(claim)
}

/** RFC 5530 §3: what was asked for is so, whoever did it. */
function isSoAlready(step: MailboxStep, rejection: Rejection | null): boolean {
  if (step.kind === 'create') return rejection?.code === 'ALREADYEXISTS'
  return (step.kind === 'delete' || step.kind === 'unsubscribe') && rejection?.code === 'NONEXISTENT'
}

function isNotThere(step: MailboxStep, rejection: Rejection | null): boolean {
  return (step.kind === 'rename' || step.kind === 'subscribe') && rejection?.code === 'NONEXISTENT'
}

function supersede({ seq, targets }: ClaimMember, ledger: Ledger): void {
  ledger.advance(seq, targets, { kind: 'superseded', evidence: { kind: 'nothing-sent' } })
}
