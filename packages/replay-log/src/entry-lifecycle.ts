/** How far the targets of an entry come: the table of states and events (H-1). */

import type { ClaimId } from '@tidemail/core'
import type { Evidence, FlagConflict, ParkReason, TargetState, UnalteredFlag } from './entry.ts'

/** What is queued again may have been done, or a part of it: of these messages it did not alter these flags then. */
export type MayBeDone = readonly UnalteredFlag[]

/** What befalls targets of an entry, with what must be known of it. */
export type Happening =
  /** A claim that carries them is committed before it is sent (H-2). */
  | { readonly kind: 'claim'; readonly claimId: ClaimId }
  /** The step took effect. */
  | { readonly kind: 'answered-ok'; readonly evidence: Evidence; readonly unaltered?: readonly UnalteredFlag[] }
  /** Of a move without MOVE, the copy took effect: it is server state now, and the original is still to be removed. */
  | { readonly kind: 'answered-copied' }
  | { readonly kind: 'answered-rejected-for-good'; readonly evidence: Evidence }
  /** Refused in a way that may pass; the entry waits until `notBefore`, in milliseconds since 1970. */
  | { readonly kind: 'answered-rejected-for-now'; readonly notBefore: number; readonly mayBeDone?: MayBeDone | undefined }
  /** The step, or one that it requires, was not sent. */
  | { readonly kind: 'not-sent' }
  /** The mailbox was not the one planned against, so the adapter did not act. */
  | { readonly kind: 'stale' }
  /** The step was sent and no answer came; or none came to the probe. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'probe-started' }
  | { readonly kind: 'probe-certain'; readonly evidence: Evidence }
  /** As `answered-copied`, found by a probe. */
  | { readonly kind: 'probe-copied' }
  /** Proved that nothing took effect (H-9). */
  | { readonly kind: 'probe-none' }
  | { readonly kind: 'probe-possible' }
  /** Proved that it was not us who removed the target. */
  | { readonly kind: 'probe-gone'; readonly evidence: Evidence }
  /** Somebody removed the message. While an answer is missing that decides nothing. */
  | { readonly kind: 'target-vanished'; readonly evidence: Evidence }
  /** The mailbox got a new UIDVALIDITY or is gone. While a claim is out, its own answer or probe decides. */
  | { readonly kind: 'mailbox-reset'; readonly parkedFor: Extract<ParkReason, 'uidvalidity-changed' | 'mailbox-gone'> }
  /** A later operation, with which it was sent as one, or what the server has already, makes this one needless. */
  | { readonly kind: 'superseded'; readonly evidence: Evidence }
  /** Somebody changed the message first, and then it was not to be changed. */
  | { readonly kind: 'conflict'; readonly conflicts: readonly FlagConflict[] }
  | { readonly kind: 'undo' }
  | { readonly kind: 'discard' }
  /** Send again: what is proved not to have taken effect, or what the user decided. */
  | { readonly kind: 'retry' }
  /** Send again without a look, for it does no harm to be done twice. */
  | { readonly kind: 'repeat'; readonly mayBeDone: MayBeDone }
  | { readonly kind: 'park'; readonly parkedFor: ParkReason }
  /** No evidence can decide any more, and there is nothing for the user to decide. */
  | { readonly kind: 'give-up'; readonly evidence: Evidence }

export type TargetEvent = Happening['kind']

/** Where an event leads. `unsent` is `queued`, or `copied` for targets of a move whose copy is proved. */
export type NextState = TargetState | 'unsent' | 'settled' | 'illegal'

/** Every state and every event. An illegal pair is a bug of the caller. */
export const LIFECYCLE: Readonly<Record<TargetState, Readonly<Record<TargetEvent, NextState>>>> = {
  queued: {
    claim: 'sending',
    'answered-ok': 'illegal',
    'answered-copied': 'illegal',
    // Refused before anything was sent: flags outside PERMANENTFLAGS (H-14), a message larger than APPENDLIMIT.
    'answered-rejected-for-good': 'settled',
    'answered-rejected-for-now': 'illegal',
    'not-sent': 'illegal',
    stale: 'illegal',
    lost: 'illegal',
    'probe-started': 'illegal',
    // Queued again after a lost answer, and done all the same: an operation on a mailbox that LIST shows, a message that turns up late (H-10).
    'probe-certain': 'settled',
    'probe-copied': 'copied',
    'probe-none': 'illegal',
    'probe-possible': 'illegal',
    'probe-gone': 'illegal',
    'target-vanished': 'settled',
    'mailbox-reset': 'parked',
    superseded: 'settled',
    conflict: 'illegal',
    undo: 'settled',
    discard: 'settled',
    retry: 'queued',
    repeat: 'illegal',
    park: 'parked',
    'give-up': 'illegal',
  },
  sending: {
    claim: 'illegal',
    'answered-ok': 'settled',
    'answered-copied': 'copied',
    'answered-rejected-for-good': 'settled',
    'answered-rejected-for-now': 'unsent',
    'not-sent': 'unsent',
    stale: 'unsent',
    lost: 'unknown',
    // A process that died while sending has marked nothing as lost: its claims are decided from here.
    'probe-started': 'recovering',
    'probe-certain': 'settled',
    'probe-copied': 'copied',
    'probe-none': 'unsent',
    'probe-possible': 'parked',
    'probe-gone': 'settled',
    // The answer has come, and names what it did not find.
    'target-vanished': 'settled',
    'mailbox-reset': 'sending',
    superseded: 'settled',
    conflict: 'parked',
    undo: 'illegal',
    discard: 'illegal',
    retry: 'unsent',
    repeat: 'unsent',
    park: 'parked',
    'give-up': 'settled',
  },
  unknown: {
    claim: 'illegal',
    'answered-ok': 'illegal',
    'answered-copied': 'illegal',
    'answered-rejected-for-good': 'illegal',
    'answered-rejected-for-now': 'illegal',
    'not-sent': 'illegal',
    stale: 'illegal',
    lost: 'unknown',
    'probe-started': 'recovering',
    'probe-certain': 'settled',
    'probe-copied': 'copied',
    'probe-none': 'unsent',
    'probe-possible': 'parked',
    'probe-gone': 'settled',
    // It may have been our own step that removed it.
    'target-vanished': 'unknown',
    'mailbox-reset': 'unknown',
    superseded: 'settled',
    conflict: 'illegal',
    undo: 'illegal',
    discard: 'illegal',
    retry: 'unsent',
    repeat: 'unsent',
    park: 'parked',
    'give-up': 'settled',
  },
  recovering: {
    claim: 'illegal',
    'answered-ok': 'illegal',
    'answered-copied': 'illegal',
    'answered-rejected-for-good': 'illegal',
    'answered-rejected-for-now': 'illegal',
    'not-sent': 'illegal',
    stale: 'illegal',
    lost: 'unknown',
    'probe-started': 'recovering',
    'probe-certain': 'settled',
    'probe-copied': 'copied',
    'probe-none': 'unsent',
    'probe-possible': 'parked',
    'probe-gone': 'settled',
    'target-vanished': 'recovering',
    'mailbox-reset': 'recovering',
    superseded: 'settled',
    conflict: 'illegal',
    undo: 'illegal',
    discard: 'illegal',
    retry: 'unsent',
    repeat: 'unsent',
    park: 'parked',
    'give-up': 'settled',
  },
  copied: {
    claim: 'sending',
    'answered-ok': 'illegal',
    'answered-copied': 'illegal',
    'answered-rejected-for-good': 'illegal',
    'answered-rejected-for-now': 'illegal',
    'not-sent': 'illegal',
    stale: 'illegal',
    lost: 'illegal',
    'probe-started': 'illegal',
    'probe-certain': 'illegal',
    'probe-copied': 'illegal',
    'probe-none': 'illegal',
    'probe-possible': 'illegal',
    'probe-gone': 'illegal',
    // The original is gone, whoever removed it: the message has been moved.
    'target-vanished': 'settled',
    'mailbox-reset': 'parked',
    superseded: 'settled',
    conflict: 'illegal',
    undo: 'illegal',
    discard: 'settled',
    retry: 'copied',
    repeat: 'illegal',
    park: 'parked',
    'give-up': 'illegal',
  },
  parked: {
    claim: 'illegal',
    'answered-ok': 'illegal',
    'answered-copied': 'illegal',
    'answered-rejected-for-good': 'illegal',
    'answered-rejected-for-now': 'illegal',
    'not-sent': 'illegal',
    stale: 'illegal',
    lost: 'illegal',
    'probe-started': 'illegal',
    // Evidence that comes late, before rows at or above the fence are taken in (H-11), still counts.
    'probe-certain': 'settled',
    'probe-copied': 'copied',
    'probe-none': 'illegal',
    'probe-possible': 'parked',
    'probe-gone': 'illegal',
    'target-vanished': 'settled',
    'mailbox-reset': 'parked',
    superseded: 'settled',
    conflict: 'illegal',
    undo: 'illegal',
    discard: 'settled',
    retry: 'unsent',
    repeat: 'illegal',
    park: 'parked',
    'give-up': 'settled',
  },
}
