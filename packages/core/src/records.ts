/** What the store keeps, as the rest of the engine sees it. */

import type { Flag } from './flags.ts'
import type { HeldWindow } from './held-window.ts'
import type { AccountId, BoxEpoch, ClaimId, EntrySeq, MailboxId, ModSeq, UidValidity } from './ids.ts'
import type { MailboxNamespace } from './namespaces.ts'
import type { MailboxRole } from './observation.ts'
import type { ServerProfile, Tier } from './server-profile.ts'
import type { UidSet } from './uid-set.ts'
import type { ViewEffect } from './view-effect.ts'

/** Plain JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** An account. Never holds a secret (I-SEC-1). */
export interface AccountRecord {
  readonly id: AccountId
  readonly host: string
  readonly user: string
  /** The app's own settings of the account; no secret. */
  readonly settings: Json
  /** As the last session found it, with what was learnt of it before; null before the first. */
  readonly server: ServerProfile | null
  /** When a pass last ended with everything done, in milliseconds since 1970. */
  readonly syncedAt: number | null
}

/**
 * What has been fully taken in of a mailbox, in one transaction with the rows it speaks of (I-STORE-1). `known` is the whole UID set of the
 * mailbox as of `highestModSeq` (I-SYNC-2), without what is known to have gone since and with what we put there; `covered` are those of it
 * whose rows are held, exact as of `highestModSeq` (H-13).
 */
export interface Checkpoint {
  readonly uidNext: number
  /** Null where the mailbox has no mod-sequences: then every resync is of the plain tier. */
  readonly highestModSeq: ModSeq | null
  readonly known: UidSet
  readonly covered: UidSet
  /** Not in `known`, and may have been in the mailbox as of `highestModSeq`: it went later. Left out where there is none. */
  readonly goneSince?: UidSet
  /** The highest UID that an answer to a step of ours named, also while the mailbox does not list it: UIDNEXT is above. Left out where none did. */
  readonly namedUpTo?: number
  /** What a removal of ours marked \Deleted, and nobody else before it; gone or not, until the mark is off. Left out where there is none. */
  readonly marked?: UidSet
}

export interface MailboxRecord {
  readonly id: MailboxId
  readonly accountId: AccountId
  readonly path: string
  readonly delimiter: string | null
  readonly role: MailboxRole | null
  readonly isSelectable: boolean
  readonly isSubscribed: boolean
  /** False for a mailbox that was made here, until the server is known to have it. */
  readonly isOnServer: boolean
  /** MAILBOXID (RFC 8474), or null. */
  readonly objectId: string | null
  readonly box: BoxEpoch
  /** The box before a new UIDVALIDITY: its rows and parts are kept until those of the same messages are found again. Null when there is none. */
  readonly formerBox: BoxEpoch | null
  /** Null before the mailbox was first opened. */
  readonly uidValidity: UidValidity | null
  /** Null before the mailbox was first taken in. */
  readonly checkpoint: Checkpoint | null
  readonly permanentFlags: readonly Flag[]
  readonly isReadOnly: boolean
  /** Names the policy under which no part was missing when the mailbox was last taken in; null when parts may be missing. */
  readonly partsHeldFor: string | null
  /** A tier the mailbox must not go above, why, and until when: it was caught lying. */
  readonly tierLimit: TierLimit | null
  /** Which rows the policy holds; null, or left out, where it holds all of them. */
  readonly window?: HeldWindow | null
  /** Whose it is; left out for the user's own. */
  readonly namespace?: MailboxNamespace
}

export interface TierLimit {
  readonly tier: Tier
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** An entry of the replay log: bytes that only the replay log reads, and what it does to the view. */
export interface EntryRecord {
  readonly seq: EntrySeq
  readonly accountId: AccountId
  /** Rises with every write of the entry; a change names the one it was decided on. */
  readonly revision: number
  readonly bytes: Uint8Array
  readonly effects: readonly ViewEffect[]
}

/** A claim (H-2): bytes that only the replay log reads. */
export interface ClaimRecord {
  readonly id: ClaimId
  readonly accountId: AccountId
  readonly bytes: Uint8Array
}

/** What became of an entry: bytes that only the replay log reads. */
export interface ReceiptRecord {
  readonly seq: EntrySeq
  readonly accountId: AccountId
  readonly bytes: Uint8Array
}
