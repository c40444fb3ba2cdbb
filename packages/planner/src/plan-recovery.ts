/** Decides, after an answer was lost, what to ask so that the server's own state tells whether a step took effect. */

import {
  COMMAND_DEADLINE_MS_MAX,
  isIdempotent,
  type MailboxRecord,
  type MutatingStep,
  type Step,
  TRANSFER_DEADLINE_MS_MAX,
  UID_MAX,
  UidSet,
} from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** A server goes on executing what it had received; after this long of silence it is taken to have finished (H-7). */
export const GHOST_QUIET_MS_MAX = 2_000

/** What a server has just taken in may be missing from what it lists; a probe that finds nothing is repeated after this long. */
export const LISTING_LAG_MS_MAX = 2_000

/** When a lost claim may be decided, in milliseconds since 1970. */
export interface RecoveryTimes {
  /**
   * `process`: the store is locked, so that a process that claimed before this engine started is dead. Who claimed since, or in a `shared` store, may only
   * sleep, and send its steps until `notAfter` (H-8).
   */
  readonly ownership: 'process' | 'shared'
  /** When this engine started: the claim was lost before. */
  readonly startedAt: number
  /** How long the server was seen to leave a new message out of what it lists, where that was measured. */
  readonly listingLagMs?: number
}

/** From when on a probe of this claim is conclusive. */
export function recoverableFrom(claim: Claim, times: RecoveryTimes): number {
  if (claim.probedAt !== undefined) return claim.probedAt + Math.max(LISTING_LAG_MS_MAX, times.listingLagMs ?? 0)
  if (claim.lostAt !== null) return claim.lostAt + GHOST_QUIET_MS_MAX
  if (times.ownership === 'process' && claim.claimedAt < times.startedAt) return times.startedAt + GHOST_QUIET_MS_MAX
  const submitted = claim.submission === undefined ? [] : [claim.submission.notAfter + TRANSFER_DEADLINE_MS_MAX]
  return Math.max(...claim.steps.map(endsBy), ...submitted) + GHOST_QUIET_MS_MAX
}

/** Sent at the last moment, it may take so long. */
function endsBy({ kind, notAfter }: MutatingStep): number {
  return notAfter + (kind === 'append' || kind === 'replace' ? TRANSFER_DEADLINE_MS_MAX : COMMAND_DEADLINE_MS_MAX)
}

/** Whether the claim's times lie in the future: the clock was set back since, and they must be taken anew. */
export function isFromTheFuture({ claimedAt, lostAt, probedAt = 0 }: Claim, now: number): boolean {
  return claimedAt > now || (lostAt !== null && lostAt > now) || probedAt > now
}

/** Whether the verdicts let something be sent again that only one look has not found: listings may lag, so a second look decides. */
export function needsSecondLook({ probedAt }: Claim, verdicts: readonly { readonly kind: string }[]): boolean {
  return probedAt === undefined && verdicts.some(({ kind }) => kind === 'not-done' || kind === 'gone')
}

/** Puts back what others had marked for deletion, after a removal without UIDPLUS was cut short; null where nothing was taken off. */
export function planRestore(claim: Claim, name: StepNamer, notAfter: number): readonly Step[] | null {
  const [first] = claim.steps
  if (claim.shielded === undefined || first === undefined || !('mailbox' in first)) return null
  const { mailbox } = first
  const reason = 'a removal was cut short: mark again what others had marked'
  return [
    { kind: 'open', id: name('open'), path: mailbox.path, access: 'select', reason },
    ...claim.shielded.chunksOfOctets(UID_SET_OCTETS_MAX).map((uids): Step => {
      const base = { id: name('store'), mailbox, uids, notAfter, reason }
      return { kind: 'store', direction: 'add', flags: ['\\Deleted'], ...base }
    }),
  ]
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
  return claim.submission === undefined && claim.steps.every(isIdempotent)
}

/**
 * Looks at everything the target mailbox has from the fence on (a FETCH: SEARCH is unreliable on some servers), and for a copy or move at the flags, too, and
 * at whether the originals are still there.
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
  // What we had changed of the original went along with it, where we had no answer to that either.
  const flags = { ...fetch, id: name('flags'), items: 'flags' as const }
  return { ...base, steps: [leave, status, open, fetch, flags, reopen, search], sourceSearchId: search.id }
}
