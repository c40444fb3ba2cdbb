/** What the server said, in answer to a step or unasked. Plain data; sequence numbers never appear. */

import type { Flag } from './flags.ts'
import type { ModSeq, Uid, UidValidity } from './ids.ts'
import type { Summary } from './message.ts'
import type { Namespaces } from './namespaces.ts'
import type { MailboxIdentity, StepId } from './step.ts'
import type { UidPairs } from './uid-pairs.ts'
import type { UidSet } from './uid-set.ts'

/** The special use of a mailbox (RFC 6154), and INBOX. */
export type MailboxRole = 'inbox' | 'all' | 'archive' | 'drafts' | 'flagged' | 'junk' | 'sent' | 'trash'

/** A row of LIST. `path` is decoded (modified UTF-7 or UTF-8); INBOX in any case is `INBOX`. */
export interface MailboxSeen {
  readonly kind: 'mailbox'
  readonly path: string
  readonly delimiter: string | null
  /** Whether it can be selected: no \Noselect, no \NonExistent. */
  readonly isSelectable: boolean
  readonly isSubscribed: boolean
  readonly role: MailboxRole | null
}

/** A row of STATUS. What the server did not say is null; HIGHESTMODSEQ 0 is null (RFC 7162 §3.1.7). */
export interface StatusSeen {
  readonly kind: 'status'
  readonly path: string
  readonly messages: number | null
  readonly uidNext: number | null
  readonly uidValidity: UidValidity | null
  readonly highestModSeq: ModSeq | null
  /** MAILBOXID (RFC 8474). */
  readonly objectId: string | null
}

/** The answer to `namespaces`, where the server gave one that can be read. */
export interface NamespacesSeen extends Namespaces {
  readonly kind: 'namespaces'
}

/** A mailbox was opened: what SELECT said, before what it reported as changed. */
export interface Opened {
  readonly kind: 'opened'
  readonly id: StepId
  readonly mailbox: MailboxIdentity
  readonly exists: number
  readonly uidNext: number | null
  /** Null for NOMODSEQ, absent, or zero. */
  readonly highestModSeq: ModSeq | null
  readonly permanentFlags: readonly Flag[]
  readonly isReadOnly: boolean
  /** False after UIDNOTSTICKY (RFC 4315 §3). */
  readonly hasPersistentUids: boolean
  readonly objectId: string | null
  /** Whether the changes since `known` follow: the server took the QRESYNC parameters and UIDVALIDITY is the same. */
  readonly isResynced: boolean
}

/** A FETCH response: what of it was there. A row with flags only may come unasked. */
export interface RowSeen {
  readonly kind: 'row'
  readonly mailbox: MailboxIdentity
  readonly uid: Uid
  readonly flags: readonly Flag[] | null
  readonly modSeq: ModSeq | null
  /** Present when a `summary` or `identity` fetch was asked; `parts` is empty for `identity`. */
  readonly summary: Summary | null
}

/** VANISHED (RFC 7162 §3.2.10): the set as the server wrote it, which may name UIDs we never knew. */
export interface VanishedSeen {
  readonly kind: 'vanished'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly isEarlier: boolean
}

/** The answer to `search`. */
export interface UidsSeen {
  readonly kind: 'uids'
  readonly id: StepId
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
}

/** The bytes of a section, still transfer-encoded. Null where the server had none. */
export interface BodySeen {
  readonly kind: 'body'
  readonly id: StepId
  readonly mailbox: MailboxIdentity
  readonly uid: Uid
  readonly section: string
  /** Where in the section the bytes begin: 0, unless a range was asked for. */
  readonly offset: number
  readonly bytes: Uint8Array | null
}

/** COPYUID: evidence of a copy or move (RFC 4315 §3). */
export interface Copied {
  readonly kind: 'copied'
  readonly id: StepId
  readonly target: MailboxIdentity
  readonly pairs: UidPairs
}

/** MODIFIED: messages that a conditional STORE left alone, for they changed since (RFC 7162 §3.1.3). */
export interface Modified {
  readonly kind: 'modified'
  readonly id: StepId
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
}

/** APPENDUID: evidence of an append; UIDs in the order of the messages (RFC 4315 §3, RFC 3502). */
export interface Appended {
  readonly kind: 'appended'
  readonly id: StepId
  readonly target: MailboxIdentity
  readonly uids: readonly Uid[]
}

/** An ALERT, to be shown to the user (RFC 9051 §7.1). */
export interface Alert {
  readonly kind: 'alert'
  readonly text: string
}

/** While watching: something changed in this mailbox, or, with null, nobody can tell where; go and look. */
export interface Stirred {
  readonly kind: 'stirred'
  readonly path: string | null
}

/**
 * How news come: `notify` of all that was asked for, by itself (RFC 5465); `idle` of one mailbox, by itself (RFC 2177); `poll` of one mailbox, when it is
 * asked.
 */
export type WatchWay = 'notify' | 'idle' | 'poll'

/** While watching: from now on news come this way. Told at the start, and again when the server has answered and the waiting begins anew. */
export interface Watching {
  readonly kind: 'watching'
  readonly way: WatchWay
}

/**
 * How a step ended: `ok` tagged OK; `rejected` tagged NO or BAD; `stale` UIDVALIDITY was not the one planned against; `unknown` sent, but no
 * answer came; `not-sent` nothing of it was sent; `skipped` a step it requires did not succeed.
 */
export type Outcome = 'ok' | 'rejected' | 'stale' | 'unknown' | 'not-sent' | 'skipped'

/** Every step ends in exactly one of these (H-5). */
export interface Done {
  readonly kind: 'done'
  readonly id: StepId
  readonly outcome: Outcome
  /** For `rejected`: NO or BAD; the response code (`NONEXISTENT`, `OVERQUOTA` ...) or null; the server's text. */
  readonly rejection: Rejection | null
  /** EXISTS of the selected mailbox as of this tagged reply, or null where none is selected. */
  readonly exists: number | null
}

export interface Rejection {
  readonly status: 'NO' | 'BAD'
  readonly code: string | null
  readonly text: string
}

export type Observation =
  | MailboxSeen
  | StatusSeen
  | NamespacesSeen
  | Opened
  | RowSeen
  | VanishedSeen
  | UidsSeen
  | BodySeen
  | Copied
  | Appended
  | Modified
  | Alert
  | Stirred
  | Watching
  | Done
