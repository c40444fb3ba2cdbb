/** A submission server: counts what it takes, and fails as steps of a mail server do. */

import type { SubmissionOutcome } from '@tidemail/core'
import { type FaultName, isRefusal } from './faults.ts'

/** What becomes of a message that is handed over. */
export interface Handover {
  /** Whether the server takes it, whatever the client hears. */
  readonly isTaken: boolean
  readonly outcome: SubmissionOutcome
}

const ACCEPTED: SubmissionOutcome = { kind: 'accepted', text: 'Queued.' }
const UNKNOWN: SubmissionOutcome = { kind: 'unknown', text: 'The connection was lost.' }

/** Refusals that may pass: 4yz of RFC 5321 §4.2.1. */
const PASSING: readonly FaultName[] = ['NO [INUSE]', 'NO [SERVERBUG]', 'NO [OVERQUOTA]']
/** The message is on the server when the connection is lost. */
const TAKEN: readonly FaultName[] = ['lost answer', 'lost tail', 'ghost', 'half-open, executed']

export function handOver(fault: FaultName | null): Handover {
  if (fault === null) return { isTaken: true, outcome: ACCEPTED }
  if (fault === 'cut') return { isTaken: false, outcome: { kind: 'unreachable', text: 'There is no network.' } }
  if (isRefusal(fault)) {
    return { isTaken: false, outcome: { kind: 'rejected', text: 'Not now.', isPassing: PASSING.includes(fault) } }
  }
  return { isTaken: TAKEN.includes(fault), outcome: UNKNOWN }
}
