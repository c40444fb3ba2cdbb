/** One pass over one account, in the order of RFC 4549 §3. */

import { claimId, missingRows } from '@tidemail/core'
import { dueSubmissions, lanesWithWork, mailboxesWithOpenClaims, planMailboxOperations, recoverableFrom } from '@tidemail/planner'
import { replayState } from './change-log.ts'
import { discover } from './discover.ts'
import { prefetchParts } from './prefetch-parts.ts'
import { recover, recoveryTimes } from './recover.ts'
import { replay } from './replay.ts'
import { resync } from './resync.ts'
import { submitMessages } from './submit-messages.ts'
import type { Work } from './work.ts'

/** What a pass left for a later one. */
export interface PassResult {
  /** When a lost claim can be decided, or an entry may be tried again, in milliseconds since 1970; null when nothing waits for time. */
  readonly wakeAt: number | null
  /** Whether entries could be sent now. */
  readonly hasMoreToSend: boolean
  /** The newest entry of the log, by its number; 0 when it is empty. */
  readonly newestEntry: number
  /** Parts of entries that are not settled yet: of a draft these are the upload, and the removal of the version before. */
  readonly openGroups: number
  /** Messages whose rows are still missing. */
  readonly toFetch: number
}

/** recover → submit → list → replay → resync → prefetch. Throws what stops the account. */
export async function runPass(work: Work): Promise<PassResult> {
  await work.loadMailboxes()
  const recoverableAt = await recover(work)
  await submitMessages(work)
  const discovery = await discover(work)
  const touched = await replay(work, discovery)
  await resync(work, discovery, touched)
  await prefetchParts(work)
  return whatIsLeft(work, recoverableAt)
}

async function whatIsLeft(work: Work, recoverableAt: number | null): Promise<PassResult> {
  const state = await replayState(work)
  const { entries, claims, now } = state
  const tries = entries.filter((entry) => entry.notBefore > now).map((entry) => entry.notBefore)
  const lost = claims
    .filter(({ lostAt, probedAt }) => lostAt !== null || probedAt !== undefined)
    .map((claim) => recoverableFrom(claim, recoveryTimes(work)))
  const times = [...tries, ...lost, ...(recoverableAt === null ? [] : [recoverableAt])]
  const mailboxOperations = planMailboxOperations(state, { name: work.name, claimId: () => claimId('planned') })
  const hasMailboxOperations = mailboxOperations.claim !== null || mailboxOperations.moot.length > 0
  const wanted = [...work.mailboxes.values()].filter((mailbox) => work.isWanted(mailbox))
  const lanes = lanesWithWork(state).filter((lane) => wanted.some((mailbox) => mailbox.id === lane.mailboxId))
  // What waits for a recovery can only be fetched after it, and `wakeAt` says when that is.
  const resting = mailboxesWithOpenClaims(state)
  return {
    wakeAt: times.length === 0 ? null : Math.min(...times),
    hasMoreToSend:
      lanes.length > 0 || (work.options.submitter !== null && dueSubmissions(state).length > 0) || hasMailboxOperations,
    newestEntry: entries.at(-1)?.seq ?? 0,
    openGroups: entries.reduce((sum, { progress }) => sum + progress.length, 0),
    toFetch: wanted.reduce((sum, mailbox) => sum + (resting.has(mailbox.id) ? 0 : missingRows(mailbox).size), 0),
  }
}
