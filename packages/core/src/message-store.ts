/** The port to where the mail is kept. Implemented over IndexedDB by `store`, and in memory by `testing`. */

import type { Acceptance, Change, CommitResult } from './change.ts'
import type { Flag } from './flags.ts'
import type { AccountId, BodyId, BoxEpoch, EntrySeq, LocalId, MailboxId, Uid } from './ids.ts'
import type { Envelope, MessageIdentity, MimePart } from './message.ts'
import type { MailboxNamespace } from './namespaces.ts'
import type { MailboxRole } from './observation.ts'
import type { AccountRecord, ClaimRecord, EntryRecord, MailboxRecord, ReceiptRecord } from './records.ts'
import type { UidSet } from './uid-set.ts'

/** Where the mail is kept. Every method rejects with a `store.*` SyncError, and `store.closed` after `close`. */
export interface MessageStore {
  /** Writes everything of the change in one durable transaction, or nothing. Resolves when it will survive a crash. */
  commit(change: Change): Promise<CommitResult>
  /** Accepts an operation (I-LOG-1): entry, effects, bodies and numbers in one transaction. Any tab may. */
  accept(acceptance: Acceptance): Promise<EntryRecord>
  /** Becomes the leader of the account: answers a new epoch; commits that expect an older one conflict (I-SYNC-4). */
  lead(accountId: AccountId): Promise<number>
  /** `process`: the store is locked against other processes, so an earlier leader is known to be dead. `shared`: it may only sleep. */
  readonly ownership: 'process' | 'shared'

  readonly planning: PlanningReads
  readonly view: ViewReads
  /** Called after each commit and accept, at most every 50 ms, with what changed since the last call. Returns the unsubscriber. */
  subscribe(listener: (news: StoreNews) => void): () => void
  /** Removes the account with everything it holds. */
  wipe(accountId: AccountId): Promise<void>
  close(): Promise<void>
}

/** What changed in the store, coalesced. */
export interface StoreNews {
  readonly revision: number
  readonly accounts: ReadonlySet<AccountId>
  readonly mailboxes: ReadonlySet<MailboxId>
  /** Whether entries, claims or receipts changed. */
  readonly hasLogChanged: boolean
}

/** Reads of server state and of the log, for the planner. */
export interface PlanningReads {
  accounts(): Promise<readonly AccountRecord[]>
  mailboxes(accountId: AccountId): Promise<readonly MailboxRecord[]>
  /** A number no mailbox has had, and one no box has had. */
  allocateMailbox(): Promise<{ readonly id: MailboxId; readonly box: BoxEpoch }>
  entries(accountId: AccountId): Promise<readonly EntryRecord[]>
  claims(accountId: AccountId): Promise<readonly ClaimRecord[]>
  /** Newest first. */
  receipts(accountId: AccountId, options: { readonly limit: number }): Promise<readonly ReceiptRecord[]>
  receipt(accountId: AccountId, seq: EntrySeq): Promise<ReceiptRecord | null>
  /** What identifies these messages (H-9); rows that are not held are left out. */
  identities(mailboxId: MailboxId, uids: UidSet): Promise<readonly (MessageIdentity & { readonly uid: Uid })[]>
  /** What identifies the messages of the mailbox's `formerBox`; empty when it has none. */
  formerIdentities(mailboxId: MailboxId): Promise<readonly (MessageIdentity & { readonly uid: Uid })[]>
  /** Flags of the held rows among these, as the server is last known to have them. */
  flags(mailboxId: MailboxId, uids: UidSet): Promise<readonly { readonly uid: Uid; readonly flags: readonly Flag[] }[]>
  /** Parts that the policy wants and the store has not, newest message first. */
  missingParts(mailboxId: MailboxId, wanted: PartsWanted): Promise<readonly MissingPart[]>
  /** Which of these gain parts by `link-parts`. */
  linkable(mailboxId: MailboxId, uids: UidSet): Promise<UidSet>
  /** The bytes of a message made here. Rejects with `store.corrupt` when there are none. */
  body(bodyId: BodyId): Promise<Uint8Array>
}

/** Which parts to hold: `text` parts only or all, of the newest messages, up to a size each. */
export interface PartsWanted {
  readonly parts: 'text' | 'all'
  readonly messagesMax: number
  readonly partBytesMax: number
  /** Only of messages received since, by INTERNALDATE in milliseconds since 1970; null: however old. */
  readonly receivedSince: number | null
}

export interface MissingPart {
  readonly uid: Uid
  readonly section: string
  readonly sizeBytes: number
  /** Octets of it that are here already, from its beginning. */
  readonly heldBytes: number
}

/** Where the server has a section; `sizeBytes` is null where the structure does not name it. */
export interface PartOnServer {
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
  readonly uid: Uid
  readonly sizeBytes: number | null
  /** Octets of it that are here, from its beginning, where it has been begun; 0 also when it is held. */
  readonly heldBytes: number
}

/** Reads of the view: server state with the pending entries applied, in order (I-STORE-3). What the app sees. */
export interface ViewReads {
  mailboxes(accountId: AccountId): Promise<readonly MailboxView[]>
  /** Messages by INTERNALDATE, newest first; of equal dates the greater UID first, locals before stored ones. */
  page(query: PageQuery): Promise<Page>
  message(reference: MessageReference): Promise<MessageView | null>
  /** The bytes of a section as the server sent them, still transfer-encoded; '' is the whole message. Null when not held. */
  part(reference: MessageReference, section: string): Promise<Uint8Array | null>
  /** Where the server has a section, held or not. Null when the message is gone, or was made here and is not there yet. */
  partOnServer(reference: MessageReference, section: string): Promise<PartOnServer | null>
}

/** Names one message: as the server does in one life of its mailbox, or as a local. Resolves through forwards. */
export type MessageReference =
  | { readonly kind: 'stored'; readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly uid: Uid }
  | { readonly kind: 'local'; readonly local: LocalId; readonly accountId: AccountId }

export interface PageQuery {
  readonly mailboxId: MailboxId
  readonly limit: number
  /** The last message of the page before. */
  readonly after?: PageCursor
}

export interface PageCursor {
  readonly internalDate: number
  readonly reference: MessageReference
}

export interface Page {
  readonly messages: readonly MessageView[]
  /** Null on the last page. */
  readonly next: PageCursor | null
}

export interface MailboxView {
  readonly id: MailboxId
  readonly path: string
  readonly delimiter: string | null
  readonly role: MailboxRole | null
  /** Whose it is: the user's own, another user's, or shared by many (RFC 2342). */
  readonly namespace: MailboxNamespace
  readonly isSelectable: boolean
  readonly isSubscribed: boolean
  /** Whether a pending operation changes the mailbox as such: makes, renames, deletes or (un)subscribes it. */
  readonly isPending: boolean
  /** Messages in the view. */
  readonly total: number
  /** Of these, without \Seen. */
  readonly unread: number
  /** Messages that the server has, the policy holds, and whose rows are not here yet. */
  readonly toFetch: number
  /** Messages that the server has and that the policy leaves out: `backfill` fetches them. */
  readonly leftOut: number
}

export interface MessageView {
  readonly reference: MessageReference
  readonly mailboxId: MailboxId
  readonly flags: readonly Flag[]
  readonly internalDate: number
  readonly sizeBytes: number
  readonly envelope: Envelope
  readonly parts: readonly MimePart[]
  readonly emailId: string | null
  /** Whether a pending entry touches it. */
  readonly isPending: boolean
  /** Sections whose bytes are held. */
  readonly heldSections: readonly string[]
}
