/** Everything one transaction writes: deltas, and the preconditions under which they hold (H-16). */

import type { FlagDelta } from './flags.ts'
import type { AccountId, BodyId, BoxEpoch, ClaimId, EntrySeq, LocalId, MailboxId, Uid } from './ids.ts'
import type { FlagState, ServerMessage } from './message.ts'
import type { AccountRecord, ClaimRecord, EntryRecord, MailboxRecord, ReceiptRecord } from './records.ts'
import type { UidPairs } from './uid-pairs.ts'
import type { UidSet } from './uid-set.ts'
import type { Targets, ViewEffect } from './view-effect.ts'

export type Write =
  | { readonly kind: 'put-account'; readonly account: AccountRecord }
  /** The whole record. Rows and parts of a box that it does not name any more, as `box` or as `formerBox`, are dropped. */
  | { readonly kind: 'put-mailbox'; readonly mailbox: MailboxRecord }
  /** The mailbox with its rows and parts; entries and bodies that entries name stay (I-STORE-2). */
  | { readonly kind: 'remove-mailbox'; readonly mailboxId: MailboxId }
  | { readonly kind: 'put-messages'; readonly mailboxId: MailboxId; readonly messages: readonly ServerMessage[] }
  /** Flags as the server stated them; those of rows that are not held are passed over. A mod-sequence that is not above the row's is passed over too; none at all always counts, and leaves the row without one. */
  | { readonly kind: 'put-flags'; readonly mailboxId: MailboxId; readonly states: readonly FlagState[] }
  /** Flags inferred from our own STORE that the server answered with OK. */
  | { readonly kind: 'infer-flags'; readonly mailboxId: MailboxId; readonly uids: UidSet; readonly delta: FlagDelta }
  /** The parts held of those with an EMAILID are kept until `release-parts`: they may have been moved by somebody else (RFC 8474 §8.3). */
  | { readonly kind: 'remove-messages'; readonly mailboxId: MailboxId; readonly uids: UidSet }
  /** Rows and parts that the policy does not hold any more; the messages are on the server still. Conflicts when an open entry names one of them (I-STORE-2). */
  | { readonly kind: 'evict-messages'; readonly mailboxId: MailboxId; readonly uids: UidSet }
  /** Rows and parts of `from` stand in `to` also, under their new UIDs: nothing is downloaded twice (RFC 4549 §4.2.2.1). Rows not held are passed over. */
  | { readonly kind: 'carry-messages'; readonly from: MailboxId; readonly to: MailboxId; readonly pairs: UidPairs }
  /** Parts of the mailbox's `formerBox` are held in its box too, under their new UIDs; sections that are held there stay, rows that are not held are passed over. */
  | { readonly kind: 'carry-parts'; readonly mailboxId: MailboxId; readonly pairs: UidPairs }
  /** A message made here has been named by the server: row and part (section '') are made from its effect. */
  | {
      readonly kind: 'land-local'
      readonly local: LocalId
      readonly entry: EntrySeq
      readonly mailboxId: MailboxId
      readonly uid: Uid
    }
  | {
      readonly kind: 'put-part'
      readonly mailboxId: MailboxId
      readonly uid: Uid
      readonly section: string
      readonly bytes: Uint8Array
    }
  /**
   * A piece of a part, in order: what does not begin where the pieces held so far end is passed over, but for the first, which begins anew. With the last
   * one the part is held. Pieces of a part that is not held whole go with its row.
   */
  | {
      readonly kind: 'put-part-piece'
      readonly mailboxId: MailboxId
      readonly uid: Uid
      readonly section: string
      readonly offset: number
      readonly bytes: Uint8Array
      readonly isLast: boolean
    }
  /** Messages among these gain the parts that are held of another one of the account with the same EMAILID and size; sections that are held stay. */
  | { readonly kind: 'link-parts'; readonly mailboxId: MailboxId; readonly uids: UidSet }
  /** Parts that were kept of messages that had left, for another one of the same EMAILID to be found, go. */
  | { readonly kind: 'release-parts'; readonly accountId: AccountId }
  | { readonly kind: 'put-entry'; readonly entry: EntryRecord }
  | { readonly kind: 'remove-entry'; readonly seq: EntrySeq }
  | { readonly kind: 'put-claim'; readonly claim: ClaimRecord }
  | { readonly kind: 'remove-claim'; readonly id: ClaimId }
  | { readonly kind: 'put-receipt'; readonly receipt: ReceiptRecord }
  /** From now on references to these resolve to the new place (H-18). */
  | {
      readonly kind: 'forward'
      readonly accountId: AccountId
      readonly from: ForwardSource
      readonly to: ForwardTarget
      readonly pairs: UidPairs
    }
  /** References to these mean the messages themselves again: they were copied, and are to stay. */
  | { readonly kind: 'end-forward'; readonly accountId: AccountId; readonly from: ForwardSource; readonly numbers: UidSet }

/** What a forward starts from: UIDs of a box, or locals of the account. */
export type ForwardSource = { readonly kind: 'stored'; readonly box: BoxEpoch } | { readonly kind: 'local' }
/** Where a forward leads. */
export interface ForwardTarget {
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
}

/** What must still be so when the change is written; where it is not, nothing is written and `commit` answers `conflict`. */
export interface Expectation {
  /** The leader's epoch, for everything but accept and undo (I-SYNC-4). */
  readonly leaderEpoch?: number
  readonly boxes?: readonly { readonly mailboxId: MailboxId; readonly box: BoxEpoch }[]
  /** Entries as they were read; a removed entry conflicts as well. */
  readonly entries?: readonly { readonly seq: EntrySeq; readonly revision: number }[]
  /** No entry accepted after this one names, by its old name, what the change forwards. */
  readonly newestEntry?: { readonly accountId: AccountId; readonly seq: number }
}

export interface Change {
  /** Why, as a person can read it. */
  readonly reason: string
  readonly expect: Expectation
  readonly writes: readonly Write[]
}

/** Which precondition did not hold: another leader has taken over; a mailbox is gone or has new UIDs; an entry is gone or has changed. */
export type ConflictOn = 'leader' | 'mailbox' | 'entry'

export type CommitResult =
  | { readonly kind: 'committed'; readonly revision: number }
  /** Nothing was written; `what` is a sentence for the log. */
  | { readonly kind: 'conflict'; readonly on: ConflictOn; readonly what: string }

/** A new entry, to be accepted in one transaction with its effect on the view (I-LOG-1). */
export interface Acceptance {
  readonly accountId: AccountId
  /** What the operation is about, as the app referred to it; resolved through forwards inside the transaction (H-18). Empty for an append. */
  readonly targets: readonly Targets[]
  /** Bytes of messages made here, written with the entry. */
  readonly bodies: readonly { readonly bodyId: BodyId; readonly bytes: Uint8Array }[]
  /** A mailbox that the operation makes, not on the server yet; written with the entry. */
  readonly mailbox?: MailboxRecord
  /**
   * Makes the entry. Pure, synchronous, called once inside the transaction. `firstLocal` is the first free local id; `localsUsed` says how many were
   * taken. `targets` are the given ones, resolved: split where forwards led to several mailboxes, without those that are gone.
   */
  build(context: AcceptContext): AcceptedEntry
}

export interface AcceptContext {
  readonly seq: EntrySeq
  readonly firstLocal: LocalId
  readonly targets: readonly Targets[]
}

export interface AcceptedEntry {
  readonly bytes: Uint8Array
  readonly effects: readonly ViewEffect[]
  readonly localsUsed: number
}
