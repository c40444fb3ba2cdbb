/** Decides which messages are handed to the submission server, at most once each, and what becomes of them by its answer. */

import { type ClaimId, type SubmissionOutcome, UidSet } from '@tidemail/core'
import { type Claim, type Entry, type SubmitOperation, stateOfLocal } from '@tidemail/replay-log'
import type { Ledger } from './ledger.ts'
import { CLAIM_LIFE_MS, isDue, type ReplayState } from './replay-state.ts'

/** A message that can be handed over now. */
export interface DueSubmission {
  readonly entry: Entry
  readonly operation: SubmitOperation
}

/** In the order in which they were accepted. */
export function dueSubmissions({ entries, now }: Pick<ReplayState, 'entries' | 'now'>): DueSubmission[] {
  return entries.flatMap((entry) => {
    const { operation } = entry
    const isReady = operation.kind === 'submit' && stateOfLocal(entry, operation.deed) === 'queued' && isDue(entry, now)
    return isReady ? [{ entry, operation }] : []
  })
}

/** Written before the message is handed over. Where the server keeps the copy itself, that is part of the deed. */
export function claimSubmission({ entry, operation }: DueSubmission, id: ClaimId, now: number): Claim {
  const { deed, message, to } = operation
  const locals = to === null ? UidSet.of(deed, message.local) : UidSet.of(deed)
  const mailboxId = entry.progress[0]?.targets.mailboxId
  return {
    id,
    accountId: entry.accountId,
    steps: [],
    submission: { notAfter: now + CLAIM_LIFE_MS },
    members: mailboxId === undefined ? [] : [{ seq: entry.seq, targets: { kind: 'local', mailboxId, locals } }],
    fence: null,
    claimedAt: now,
    lostAt: null,
    answer: 'none',
  }
}

/** What the user wrote is never thrown away: what is refused for good is shown. */
export function settleSubmission(claim: Claim, outcome: SubmissionOutcome, ledger: Ledger): void {
  for (const { seq, targets } of claim.members) {
    switch (outcome.kind) {
      case 'accepted':
        ledger.apply(seq, targets, { kind: 'submitted', text: outcome.text.slice(0, ANSWER_CHARACTERS_MAX) })
        break
      case 'rejected':
        if (outcome.isPassing) ledger.retryOrPark(seq, targets)
        else ledger.park(seq, targets, 'rejected-repeatedly')
        break
      case 'unreachable':
        ledger.queueAgain(seq, targets)
        break
      case 'unknown':
        ledger.park(seq, targets, 'uncertain')
        break
    }
  }
  ledger.removeClaim(claim)
}

/** Nothing can be asked: whether it was sent is for the user to find out, and to decide (H-9). */
export function settleLostSubmission(claim: Claim, ledger: Ledger): void {
  settleSubmission(claim, { kind: 'unknown', text: '' }, ledger)
}

/** A server's answer may be long; a receipt keeps so much of it. */
const ANSWER_CHARACTERS_MAX = 500
