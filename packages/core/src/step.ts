/** One thing asked of the server, as plain data. A plan is an ordered list of these; an adapter carries them out. */

import type { Flag } from './flags.ts'
import type { BodyId, ModSeq, Uid, UidValidity } from './ids.ts'
import type { UidSet } from './uid-set.ts'

/** Names a step within one plan. */
export type StepId = string

/** The mailbox a step was planned against: the adapter answers `stale` instead of acting when UIDVALIDITY differs. */
export interface MailboxIdentity {
  readonly path: string
  readonly uidValidity: UidValidity
}

interface Planned {
  readonly id: StepId
  /** Why, as a person can read it. */
  readonly reason: string
  /** Must have been sent before this one: order only (H-4). */
  readonly after?: readonly StepId[]
  /** Must have succeeded before this one is sent: a pipelining barrier (H-4). */
  readonly requires?: readonly StepId[]
}

interface Mutating extends Planned {
  /** Milliseconds since 1970: the step is not sent later than this, but answered `not-sent` (H-8). */
  readonly notAfter: number
}

/** LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (...)), as far as the server can; STATUS rows only when `withStatus` and LIST-STATUS (RFC 5819). */
export interface ListStep extends Planned {
  readonly kind: 'list'
  readonly withStatus: boolean
}

/** NAMESPACE (RFC 2342): where the user's own mailboxes, those of others and shared ones are. Only planned where the server can. */
export interface NamespacesStep extends Planned {
  readonly kind: 'namespaces'
}

/** STATUS of one mailbox that is not selected (RFC 9051 §6.3.11). */
export interface StatusStep extends Planned {
  readonly kind: 'status'
  readonly path: string
}

/** What the client knows when it opens a mailbox: SELECT (QRESYNC ...) (RFC 7162 §3.2.5). */
export interface KnownState {
  readonly uidValidity: UidValidity
  readonly modSeq: ModSeq
  /** Limits what the server reports; left out: everything below UIDNEXT. */
  readonly knownUids?: UidSet
  /** For a server that forgets what it expunged; only beside `knownUids`. */
  readonly sequenceMatch?: SequenceMatch
}

/**
 * A sample of which message has which number in the mailbox as it is known: the i-th of `numbers` is the number of the i-th of `uids`, both ascending
 * and of one size. What vanished up to the last pair that still holds needs no telling (RFC 7162 §3.2.5.2).
 */
export interface SequenceMatch {
  readonly numbers: UidSet
  readonly uids: UidSet
}

/** SELECT or EXAMINE. With `known`, and QRESYNC enabled, the server answers what changed since. */
export interface OpenStep extends Planned {
  readonly kind: 'open'
  readonly path: string
  readonly access: 'select' | 'examine'
  readonly known?: KnownState
}

/** Leaves the selected mailbox without expunging: UNSELECT, or EXAMINE where that is missing; never CLOSE (RFC 4549 §4.2.5). */
export interface LeaveStep extends Planned {
  readonly kind: 'leave'
}

/** UID SEARCH [RETURN (ALL)] [UID set] [DELETED] [SINCE date]: which UIDs exist, or which of them match. Answered by one `uids` observation. */
export interface SearchStep extends Planned {
  readonly kind: 'search'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly only?: 'deleted'
  /** Messages whose INTERNALDATE is of this day or later, as the server's own calendar has it, whatever the time; in milliseconds since 1970, of a day in UTC. */
  readonly since?: number
}

/**
 * What a fetch asks of each message. `flags` is FLAGS (and MODSEQ where the mailbox has it); `summary` adds INTERNALDATE, RFC822.SIZE, ENVELOPE,
 * BODYSTRUCTURE, and EMAILID under OBJECTID; `identity` is INTERNALDATE, RFC822.SIZE, ENVELOPE and EMAILID.
 */
export type FetchItems = 'flags' | 'summary' | 'identity'

/** UID FETCH. Sets may be open upwards (`n:4294967295`); answered by `row` (and `vanished`) observations. */
export interface FetchStep extends Planned {
  readonly kind: 'fetch'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly items: FetchItems
  /** CHANGEDSINCE; with `vanished`, also (… VANISHED) (RFC 7162 §3.2.6). */
  readonly changedSince?: { readonly modSeq: ModSeq; readonly vanished: boolean }
}

/** UID FETCH (BODY.PEEK[section]): sections as RFC 9051 §6.4.5 (`1.2`, `HEADER`, empty for all). Answered by `body` observations. */
export interface FetchBodyStep extends Planned {
  readonly kind: 'fetch-body'
  readonly mailbox: MailboxIdentity
  readonly parts: readonly PartAsked[]
}

/** A section of a message; with `range`, so many octets of it from there on: BODY.PEEK[section]<offset.length> (RFC 9051 §6.4.5). */
export interface PartAsked {
  readonly uid: Uid
  readonly section: string
  /** Octets of the whole section, as announced. */
  readonly sizeBytes: number
  readonly range?: { readonly offset: number; readonly lengthBytes: number }
}

/** UID STORE ±FLAGS.SILENT: one direction a step, never the absolute form (RFC 4549 §4.2.3). */
export interface StoreStep extends Mutating {
  readonly kind: 'store'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly direction: 'add' | 'remove'
  readonly flags: readonly Flag[]
  /** UNCHANGEDSINCE: messages that changed after this are left alone, and named by a `modified` observation (RFC 7162 §3.1.3). */
  readonly unchangedSince?: ModSeq
}

/** UID COPY (RFC 4315). */
export interface CopyStep extends Mutating {
  readonly kind: 'copy'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly target: string
}

/** UID MOVE (RFC 6851). Only planned where the server can; the fallback is three steps. */
export interface MoveStep extends Mutating {
  readonly kind: 'move'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
  readonly target: string
}

/** UID EXPUNGE of these UIDs only (RFC 4315 §2.1). */
export interface ExpungeStep extends Mutating {
  readonly kind: 'expunge'
  readonly mailbox: MailboxIdentity
  readonly uids: UidSet
}

/** EXPUNGE: everything marked \Deleted goes. Planned only inside the protective sequence of RFC 4549 §4.2.4, where UIDPLUS is missing. */
export interface ExpungeAllStep extends Mutating {
  readonly kind: 'expunge-all'
  readonly mailbox: MailboxIdentity
}

/** A message to append, its bytes named, not held. */
export interface OutgoingMessage {
  readonly bodyId: BodyId
  readonly sizeBytes: number
  readonly flags: readonly Flag[]
  /** Milliseconds since 1970, sent as INTERNALDATE in UTC with second precision. */
  readonly internalDate: number
}

/** APPEND; more than one message is one MULTIAPPEND, all or nothing (RFC 3502). */
export interface AppendStep extends Mutating {
  readonly kind: 'append'
  readonly target: string
  readonly messages: readonly OutgoingMessage[]
}

/** UID REPLACE (RFC 8508): the message takes the place of `uid`, in one step. Only planned where the server can; answered by `appended`. */
export interface ReplaceStep extends Mutating {
  readonly kind: 'replace'
  readonly mailbox: MailboxIdentity
  readonly uid: Uid
  readonly target: string
  readonly message: OutgoingMessage
}

/** CREATE (RFC 9051 §6.3.4). */
export interface CreateStep extends Mutating {
  readonly kind: 'create'
  readonly path: string
}

/** RENAME (RFC 9051 §6.3.6): inferior names follow. */
export interface RenameStep extends Mutating {
  readonly kind: 'rename'
  readonly path: string
  readonly to: string
}

/** DELETE (RFC 9051 §6.3.5). */
export interface DeleteStep extends Mutating {
  readonly kind: 'delete'
  readonly path: string
}

/** SUBSCRIBE (RFC 9051 §6.3.7). */
export interface SubscribeStep extends Mutating {
  readonly kind: 'subscribe'
  readonly path: string
}

/** UNSUBSCRIBE (RFC 9051 §6.3.8). */
export interface UnsubscribeStep extends Mutating {
  readonly kind: 'unsubscribe'
  readonly path: string
}

export type ReadStep = ListStep | NamespacesStep | StatusStep | OpenStep | LeaveStep | SearchStep | FetchStep | FetchBodyStep
/** Steps on mailboxes as such, not on what is in them. */
export type MailboxStep = CreateStep | RenameStep | DeleteStep | SubscribeStep | UnsubscribeStep
export type MutatingStep = StoreStep | CopyStep | MoveStep | ExpungeStep | ExpungeAllStep | AppendStep | ReplaceStep | MailboxStep
export type Step = ReadStep | MutatingStep

/** Steps that must not be repeated without evidence (I-LOG-3). */
export type NonIdempotentStep = CopyStep | MoveStep | AppendStep | ReplaceStep

const READ_KINDS: ReadonlySet<Step['kind']> = new Set<ReadStep['kind']>([
  'list',
  'namespaces',
  'status',
  'open',
  'leave',
  'search',
  'fetch',
  'fetch-body',
])
const NON_IDEMPOTENT_KINDS: ReadonlySet<Step['kind']> = new Set<NonIdempotentStep['kind']>(['copy', 'move', 'append', 'replace'])

export function isMutating(step: Step): step is MutatingStep {
  return !READ_KINDS.has(step.kind)
}

/** Whether the step may be sent again after a lost answer. For steps on mailboxes the LIST before it tells whether it is still needed. */
export function isIdempotent(step: MutatingStep): step is Exclude<MutatingStep, NonIdempotentStep> {
  return !NON_IDEMPOTENT_KINDS.has(step.kind)
}
