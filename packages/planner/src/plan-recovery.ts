/** Decides, after an answer was lost, what to ask so that the server's own state tells whether a step took effect. */

import { isIdempotent, type MailboxRecord, type Step, UID_MAX, UidSet } from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'
import type { StepNamer } from './step-ids.ts'

/** A server goes on executing what it had received; after this long of silence it is taken to have finished (H-7). */
export const GHOST_QUIET_MS_MAX = 2_000

/** When a lost claim may be decided, in milliseconds since 1970. */
export interface RecoveryTimes {
  /**
   * `process`: the store is locked, so that a process that claimed before this engine started is dead. Who claimed since, or in a `shared` store, may only
   * sleep, and send its steps until `notAfter` (H-8).
   */
  readonly ownership: 'process' | 'shared'
  /** When this engine started: the claim was lost before. */
  readonly startedAt: number
  readonly stepDeadlineMs: number
}

/** From when on a probe of this claim is conclusive. */
export function recoverableFrom(claim: Claim, times: RecoveryTimes): number {
  if (claim.lostAt !== null) return claim.lostAt + GHOST_QUIET_MS_MAX
  if (times.ownership === 'process' && claim.claimedAt < times.startedAt) return times.startedAt + GHOST_QUIET_MS_MAX
  const last = Math.max(...claim.steps.map((step) => step.notAfter))
  return last + times.stepDeadlineMs + GHOST_QUIET_MS_MAX
}

/** Whether the claim's times lie in the future: the clock was set back since, and they must be taken anew. */
export function isFromTheFuture({ claimedAt, lostAt }: Claim, now: number): boolean {
  return claimedAt > now || (lostAt !== null && lostAt > now)
}

/** What a probe looks at, and how its answers are found again. */
export interface Probe {
  readonly claim: Claim
  readonly steps: readonly Step[]
  /** The open of the target mailbox. */
  readonly targetOpenId: string
  readonly targetFetchId: string
  /** The search for the source messages, for a copy or move. */
  readonly sourceSearchId: string | null
}

/** Whether repeating the claim's steps is safe, so that nothing need be asked (field-lessons: STORE, UID EXPUNGE). */
export function isRepeatable(claim: Claim): boolean {
  return claim.steps.every(isIdempotent)
}

/**
 * Looks at everything the target mailbox has from the fence on (a FETCH: SEARCH is unreliable on some servers), and for a copy or move at whether
 * the originals are still there.
 */
export function planProbe(claim: Claim, source: MailboxRecord | null, name: StepNamer): Probe | null {
  const { fence } = claim
  if (fence === null) return null
  const target = { path: fence.path, uidValidity: fence.uidValidity }
  const reason = 'an answer was lost: see whether it took effect'
  const open = { kind: 'open' as const, id: name('open'), path: fence.path, access: 'examine' as const, reason }
  const uids = UidSet.range(fence.uidNext, UID_MAX)
  // Not every open tells UIDNEXT, and without it nothing is proved absent. Asked first, for what it counts must be in the answer to the
  // fetch; and with nothing selected (RFC 9051 §6.3.11), which costs no command on a fresh connection.
  const leave = { kind: 'leave' as const, id: name('leave'), reason }
  const status = { kind: 'status' as const, id: name('status'), path: fence.path, reason }
  const fetch = { kind: 'fetch' as const, id: name('probe'), mailbox: target, uids, items: 'identity' as const, reason }
  const base = { claim, targetOpenId: open.id, targetFetchId: fetch.id }
  const step = claim.steps[0]
  if (step === undefined || step.kind === 'append' || source === null || !('uids' in step)) {
    return { ...base, steps: [leave, status, open, fetch], sourceSearchId: null }
  }
  const identity = { path: source.path, uidValidity: step.mailbox.uidValidity }
  const reopen = { kind: 'open' as const, id: name('open'), path: source.path, access: 'examine' as const, reason }
  const search = { kind: 'search' as const, id: name('search'), mailbox: identity, uids: step.uids, reason }
  return { ...base, steps: [leave, status, open, fetch, reopen, search], sourceSearchId: search.id }
}
