/** What a tagged NO or BAD means for an operation, by its response code (RFC 5530), never by its text. */

import type { MutatingStep, Rejection } from '@tidemail/core'
import type { ParkReason } from '@tidemail/replay-log'
import { isMailboxStep } from './resting-mailboxes.ts'

export type RejectionVerdict =
  /** It may pass: try again after a while, a bounded number of times. */
  | { readonly kind: 'retry' }
  /** The user must decide. */
  | { readonly kind: 'park'; readonly reason: ParkReason }
  /** The messages or the mailbox are not what we think: look again, then decide. */
  | { readonly kind: 'look-again' }
  /** The server will never take it. */
  | { readonly kind: 'refused' }

/** After so many rejections that might have passed, an operation is parked: the wish is the user's, to try again or to give up (FIELD-13). */
export const REJECTIONS_MAX = 3

const BY_CODE: Readonly<Record<string, RejectionVerdict>> = {
  UNAVAILABLE: { kind: 'retry' },
  INUSE: { kind: 'retry' },
  LIMIT: { kind: 'retry' },
  SERVERBUG: { kind: 'retry' },
  CORRUPTION: { kind: 'retry' },
  EXPUNGEISSUED: { kind: 'look-again' },
  TRYCREATE: { kind: 'park', reason: 'mailbox-gone' },
  NONEXISTENT: { kind: 'park', reason: 'mailbox-gone' },
  OVERQUOTA: { kind: 'park', reason: 'over-quota' },
  NOPERM: { kind: 'park', reason: 'not-permitted' },
  CONTACTADMIN: { kind: 'park', reason: 'not-permitted' },
  PRIVACYREQUIRED: { kind: 'park', reason: 'not-permitted' },
  // In answer to LOGIN these end the session; in answer to an operation they are about that alone.
  EXPIRED: { kind: 'park', reason: 'not-permitted' },
  AUTHENTICATIONFAILED: { kind: 'park', reason: 'not-permitted' },
  AUTHORIZATIONFAILED: { kind: 'park', reason: 'not-permitted' },
  ALREADYEXISTS: { kind: 'refused' },
  TOOBIG: { kind: 'refused' },
  CANNOT: { kind: 'refused' },
  CLIENTBUG: { kind: 'refused' },
}

/** Whether the server says that a mailbox, asked for by its name, is not there; many say so without a code. */
export function isGone(rejection: Rejection | null): boolean {
  return rejection?.status === 'NO' && (rejection.code === null || rejection.code === 'NONEXISTENT')
}

/** Whether the refusal may pass by itself. */
export function isPassing(rejection: Rejection | null): boolean {
  return BY_CODE[rejection?.code ?? '']?.kind === 'retry'
}

/**
 * Without a code that we know, a NO is tried again and a BAD is not. What the user made is parked rather than thrown away (I-STORE-2); a mailbox that a server
 * will not delete or rename, and does not say why, is shown again as it is.
 */
export function classifyRejection(rejection: Rejection | null, step: MutatingStep, rejectionsBefore: number): RejectionVerdict {
  const verdict =
    BY_CODE[rejection?.code ?? ''] ?? (rejection?.status === 'BAD' ? { kind: 'refused' as const } : { kind: 'retry' as const })
  const isLast = rejectionsBefore + 1 >= REJECTIONS_MAX
  const isOver = (verdict.kind === 'retry' || verdict.kind === 'look-again') && isLast
  if (isOver && isMailboxStep(step) && !isPassing(rejection)) return { kind: 'refused' }
  const isOfUser = verdict.kind === 'refused' && (step.kind === 'append' || step.kind === 'replace')
  return isOver || isOfUser ? { kind: 'park', reason: 'rejected-repeatedly' } : verdict
}
