/** An operation in the replay log, with how far each of its targets has come (H-1). */

import type {
  AccountId,
  ClaimId,
  EntrySeq,
  Flag,
  MailboxIdentity,
  Rejection,
  Targets,
  Uid,
  UidPairs,
  UidSet,
} from '@tidemail/core'
import type { Operation } from './operation.ts'

/**
 * Where targets stand. `queued`: nothing was sent. `sending`: a claim is out. `unknown`: the answer was lost. `recovering`: a probe is out. `copied`: of a move
 * without MOVE, the copy is proved and the original is still to be removed. `parked`: the user must decide.
 */
export type TargetState = 'queued' | 'sending' | 'unknown' | 'recovering' | 'copied' | 'parked'

/** What became of targets (I-LOG-2). */
export type SettledOutcome = 'applied' | 'superseded' | 'skipped' | 'rejected' | 'undone' | 'discarded' | 'uncertain'

/** Targets of one entry in one state. The groups of an entry are disjoint, and together they are what remains of it. */
export interface Progress {
  readonly state: TargetState
  readonly targets: Targets
  /** The claim that is out; null in `queued`, `copied` and `parked`. */
  readonly claimId: ClaimId | null
  /** Why, in `parked`. */
  readonly parkedFor: ParkReason | null
  /**
   * Of `move` and `copy`: which of these targets shows as which local. Kept with the group, for the numbers of two groups (UIDs of two boxes, or
   * UIDs and locals) may be equal. A target of a move without a pair has its copy proved: nothing but the removal of the original is left of it.
   */
  readonly placed: UidPairs
  /** It was sent, and nobody knows whether it took effect, for it may be sent again: of these messages it did not alter these flags. */
  readonly mayBeDone?: readonly UnalteredFlag[]
}

export type ParkReason =
  | 'uidvalidity-changed'
  | 'mailbox-gone'
  | 'rejected-repeatedly'
  | 'not-permitted'
  | 'over-quota'
  | 'uncertain'
  | 'mass-delete'
  /** What it would destroy is what a parked or refused copy was to save (I-LOG-5). */
  | 'needs-another'
  /** The bytes that were to be uploaded cannot be read from the store. */
  | 'bytes-lost'
  /** Somebody changed the message, and the operation was not to change it then; `conflicts` of the entry tells how. */
  | 'conflict'

/** What proves an outcome. */
export type Evidence =
  | { readonly kind: 'append-uid'; readonly target: MailboxIdentity; readonly uid: Uid }
  | { readonly kind: 'copy-uid'; readonly target: MailboxIdentity; readonly pairs: UidPairs }
  /** The server stated these flags, or a new MODSEQ, for the targets. */
  | { readonly kind: 'flags-seen' }
  /** Tagged OK, and the targets were there when the mailbox was opened. */
  | { readonly kind: 'tagged-ok' }
  | { readonly kind: 'vanished'; readonly uids: UidSet }
  /** After a lost answer: what was looked for was found, or proved absent, by a probe. */
  | { readonly kind: 'probe'; readonly verdict: 'certain' | 'possible' | 'none'; readonly found: readonly Uid[] }
  | { readonly kind: 'rejection'; readonly rejection: Rejection }
  /** LIST shows the mailboxes to be as was asked. */
  | { readonly kind: 'listed' }
  /** The submission server took the message; its answer, without codes. */
  | { readonly kind: 'submitted'; readonly text: string }
  | { readonly kind: 'nothing-sent' }
  /** The mailbox got a new UIDVALIDITY, or is gone. */
  | { readonly kind: 'mailbox-changed' }
  /** The user took it back, or gave it up. */
  | { readonly kind: 'user-decision' }

export interface Settlement {
  readonly outcome: SettledOutcome
  readonly targets: Targets
  readonly evidence: Evidence
  /** Of `flag`, applied: messages that had a flag already that was added, or lacked one that was removed. Taking the change back leaves these alone. */
  readonly unaltered?: readonly UnalteredFlag[]
}

export interface UnalteredFlag {
  readonly flag: Flag
  /** Of the targets that it goes with: UIDs, or locals. */
  readonly uids: UidSet
}

export interface Entry {
  readonly seq: EntrySeq
  readonly accountId: AccountId
  readonly revision: number
  /** Milliseconds since 1970. */
  readonly acceptedAt: number
  readonly operation: Operation
  /** The pairs of all groups together. Where an entry has several groups, ask `placedOf` for those of one: numbers of two groups may be equal. */
  readonly placed: UidPairs
  readonly progress: readonly Progress[]
  readonly settled: readonly Settlement[]
  /** Times a step of this entry was rejected in a way that may pass. Being offline is not counted (I-NET-1). */
  readonly rejections: number
  /** Not before this time, in milliseconds since 1970. */
  readonly notBefore: number
  /** What others did to messages that were to be changed only if nobody did (`conflict`). Ours is the operation. */
  readonly conflicts: readonly FlagConflict[]
}

/** Flags of one message, as they were here when it was sent, and as the server has them. */
export interface FlagConflict {
  readonly uid: Uid
  readonly base: readonly Flag[]
  readonly theirs: readonly Flag[]
}
