/** Turns an entry of which nothing remains into its receipt. */

import { SyncError } from '@tidemail/core'
import type { Entry } from './entry.ts'
import type { Receipt } from './receipt.ts'
import { isSettled } from './transition.ts'

/** The receipt of a settled entry. @throws SyncError `engine.bug` while something remains */
export function receiptOf(entry: Entry, now: number): Receipt {
  if (!isSettled(entry)) throw new SyncError('engine.bug', `Operation #${entry.seq} is not settled yet.`)
  const { seq, accountId, operation, acceptedAt, settled } = entry
  return { seq, accountId, operation, acceptedAt, settledAt: now, outcomes: settled }
}
