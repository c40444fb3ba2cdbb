/** Decides how often a connection that waits for news is spoken to, from how the waits before have ended. */

import { WATCH_RENEWAL_MS, type WatchRenewal } from '@tidemail/core'

export const RENEWAL_MS_MIN = 60_000
/** A server may end what was silent for 30 minutes (RFC 9051 §6.3.13). */
export const RENEWAL_MS_MAX = 1_680_000
/** What was learnt holds for a day: the same account is used over other networks. */
export const RENEWAL_LIFE_MS = 86_400_000
/** Of a silence that was fatal so much is tried at most. */
const FATAL_SHARE = 0.8
const GROWTH = 1.5
/** A wait that came so near to its whole length counts as one of that length. */
const WHOLE_SHARE = 0.9

/** How a wait ended: the server `answered` after that silence, or the connection was `dead`. */
export interface WaitEnd {
  readonly kind: 'answered' | 'dead'
  readonly afterMs: number
}

/** What holds now: what was learnt, until it expires, and never more than an examination has measured. */
export function renewalNow(
  kept: WatchRenewal | null,
  { now, idleMsMax }: { readonly now: number; readonly idleMsMax: number },
): WatchRenewal {
  const isLiving = kept !== null && kept.expiresAt > now
  const renewal = isLiving ? kept : { renewalMs: WATCH_RENEWAL_MS, fatalMs: null, expiresAt: now + RENEWAL_LIFE_MS }
  return { ...renewal, renewalMs: Math.min(renewal.renewalMs, idleMsMax) }
}

/** What a wait has taught; the same object when it has taught nothing. */
export function renewalAfter(before: WatchRenewal, { kind, afterMs }: WaitEnd, now: number): WatchRenewal {
  return kind === 'dead' ? afterDeath(before, afterMs, now) : afterAnswer(before, afterMs, now)
}

/** A connection that dies young died of something else. */
function afterDeath(before: WatchRenewal, afterMs: number, now: number): WatchRenewal {
  if (afterMs < RENEWAL_MS_MIN) return before
  const silenceMs = Math.min(afterMs, before.renewalMs)
  const fatalMs = Math.min(silenceMs, before.fatalMs ?? silenceMs)
  return { renewalMs: Math.max(RENEWAL_MS_MIN, Math.floor(silenceMs / 2)), fatalMs, expiresAt: now + RENEWAL_LIFE_MS }
}

function afterAnswer(before: WatchRenewal, afterMs: number, now: number): WatchRenewal {
  const { renewalMs, fatalMs } = before
  if (afterMs < renewalMs * WHOLE_SHARE) return before
  const limitMs = Math.min(RENEWAL_MS_MAX, fatalMs === null ? RENEWAL_MS_MAX : Math.floor(fatalMs * FATAL_SHARE))
  const grown = Math.min(limitMs, Math.floor(renewalMs * GROWTH))
  // What was fatal stays fatal until it expires: only a longer life without any death is remembered longer.
  if (grown <= renewalMs) return before
  return { renewalMs: grown, fatalMs, expiresAt: fatalMs === null ? now + RENEWAL_LIFE_MS : before.expiresAt }
}
