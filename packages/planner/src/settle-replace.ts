/** Settles the REPLACE of a draft: its two halves are one deed on the server, and two groups of the entry. */

import type { Appended, Done, Observation, ReplaceStep } from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'
import { classifyRejection } from './classify-rejection.ts'
import type { Ledger } from './ledger.ts'
import { settleLanded, settleRemoved } from './settle-names.ts'

/** What a server says of a REPLACE whose message is not there is not settled: without a code it may mean anything. */
export function settleReplace(
  claim: Claim,
  step: ReplaceStep,
  done: Done | undefined,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  switch (done?.outcome ?? 'unknown') {
    case 'ok':
      settleReplaced(claim, step, observations, ledger)
      break
    case 'rejected':
      settleRefused(claim, step, done?.rejection ?? null, ledger)
      break
    case 'unknown':
      ledger.lose(claim)
      break
    case 'stale':
    case 'not-sent':
    case 'skipped':
      ledger.release(claim)
      break
  }
}

function settleReplaced(claim: Claim, step: ReplaceStep, observations: readonly Observation[], ledger: Ledger): void {
  const answer = observations.find((item): item is Appended => item.kind === 'appended' && item.id === step.id)
  const [named] = answer?.uids ?? []
  const [own, old] = claim.members
  if (answer === undefined || named === undefined || own === undefined || old === undefined) {
    ledger.lose(claim, 'ok')
    return
  }
  const evidence = { kind: 'append-uid' as const, target: answer.target, uid: named }
  settleLanded(ledger, own, claim, named, evidence)
  settleRemoved(ledger, old.seq, old.targets, evidence)
  ledger.removeClaim(claim)
}

/**
 * What may pass is tried again later. Otherwise, as when the version before is gone, the draft goes up by APPEND, at once: an entry that was refused
 * once takes nothing's place in one step any more.
 */
function settleRefused(claim: Claim, step: ReplaceStep, rejection: Done['rejection'], ledger: Ledger): void {
  const [own, old] = claim.members
  if (own === undefined || old === undefined) return
  const verdict = classifyRejection(rejection, step, ledger.rejectionsOf(own.seq))
  if (verdict.kind === 'park' && !isAboutOld(rejection)) ledger.park(own.seq, own.targets, verdict.reason)
  else ledger.unfold(own.seq, own.targets)
  ledger.queueAgain(old.seq, old.targets)
  ledger.removeClaim(claim)
}

/** A server may say NONEXISTENT of the message, and NO or BAD of the command, where an APPEND would do. */
function isAboutOld(rejection: Done['rejection']): boolean {
  return rejection?.code === 'NONEXISTENT' || rejection?.status === 'BAD' || rejection?.code === 'CANNOT'
}
