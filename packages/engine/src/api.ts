/** The public face of the engine: everything an app can ask of it, and what it answers. */

import type {
  AccountId,
  Clock,
  EntrySeq,
  Envelope,
  ErrorCode,
  Json,
  MailboxId,
  MailboxView,
  MessageReference,
  MessageStore,
  MessageView,
  MimePart,
  Page,
  PageQuery,
  Random,
  Remote,
  ServerProfile,
  Submitter,
  Targets,
  WatchWay,
} from '@tidemail/core'
import type { Conditions, Hold, MailboxPolicy, PartsLimits, Policy } from '@tidemail/planner'
import type { Entry, Receipt } from '@tidemail/replay-log'
import type { FlagChange, NewDraft, NewMessage, NewSubmission } from './operation-input.ts'
import type {
  BackfillOptions,
  BackfillReport,
  PlanOptions,
  SyncOptions,
  SyncPlan,
  SyncReport,
  VerifyOptions,
  VerifyReport,
} from './sync-report.ts'

export interface MailEngineOptions {
  readonly store: MessageStore
  readonly remote: Remote
  readonly account: AccountIdentity
  /** Sends messages; without it `submit` is refused, and what was accepted to be sent waits. */
  readonly submitter?: Submitter
  /** Left-out members are those of `DEFAULT_POLICY`. */
  readonly policy?: Partial<Policy>
  /** What is known of the server beforehand, as an examination gave it: what it must not be trusted with until that expires, and what was measured. */
  readonly serverProfile?: ServerProfile
  readonly clock?: Clock
  readonly random?: Random
  /** Receives what happened, as events with a sentence; never content, never a secret. */
  readonly log?: (event: LogEvent) => void
}

/** Which account of the store this engine serves. */
export interface AccountIdentity {
  readonly id: AccountId
  readonly host: string
  readonly user: string
  /** The app's own settings, kept in the store; no secret. */
  readonly settings?: Json
}

export interface LogEvent {
  readonly level: 'error' | 'info' | 'debug'
  readonly event: string
  readonly sentence: string
}

/** A value that changes, for `useSyncExternalStore` and its like. */
export interface Live<T, Unread = undefined> {
  /** The value as last read; undefined until the first read has come back. The same object until it changes. */
  getSnapshot(): T | Unread
  /** Calls the listener after each change, and reads while there is a listener. Returns the unsubscriber. */
  subscribe(listener: () => void): () => void
}

/** Messages, as references from pages, or as one set of UIDs or locals. */
export type Selection = MessageReference | readonly MessageReference[] | Targets

export interface MailEngine {
  readonly accountId: AccountId
  /** What the engine is doing. Its snapshot is never undefined. */
  readonly status: Live<EngineStatus, never>
  readonly live: LiveReads

  /** Synchronises in the background: now, after every operation, on news, and by a timer, until `pause` or `close`. */
  start(): void
  /** Says that the network has come back or is another one, as the browser's `online` event does: dead connections are noticed and made again at once. */
  networkChanged(): void
  /** Stops the background work after the step in flight; operations are still accepted. */
  pause(): Promise<void>
  /**
   * One synchronisation to the end: passes until the replay log is drained of what can be sent and every mailbox is taken in.
   * @throws SyncError what stopped the account: `remote.*`, `store.*`, `account.*`, `engine.aborted`, `engine.closed`
   */
  syncOnce(options?: SyncOptions): Promise<SyncReport>
  /**
   * What `syncOnce` would do and why. Reads the server by LIST, and by STATUS where LIST does not tell, or not at all with
   * `offline`: no mailbox is opened, and nothing is written here or there.
   */
  plan(options?: PlanOptions): Promise<SyncPlan>
  /**
   * Compares the store with the server: takes in what is new, sends nothing, and looks at what then still differs. A mailbox that differs is not trusted with
   * deltas for a while: the next synchronisation looks at the whole of it, and `repair` sets it right at once. Mailboxes with unanswered steps are left out.
   * @throws SyncError as {@link syncOnce}, and `input.unknown-mailbox`
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Fetches older messages than the policy holds of a mailbox, newest first. They stay here, also after a restart, until they are let go of by `messages: 0`.
   * @throws SyncError as {@link syncOnce}, and `input.unknown-mailbox`
   */
  backfill(options: BackfillOptions): Promise<BackfillReport>
  /**
   * Lets the deletions of a mailbox go on that a synchronisation has stopped and told of as `sync.mass-delete`: for an hour from now.
   * @throws SyncError `input.unknown-mailbox`
   */
  allowDeletions(options: { readonly mailbox: string }): Promise<void>

  mailboxes(): Promise<readonly MailboxView[]>
  /** The mailbox of that path; INBOX in any case. @throws SyncError `input.unknown-mailbox` */
  mailbox(path: string): Promise<MailboxView>
  page(query: PageQuery): Promise<Page>
  /** Null when it is gone. */
  message(reference: MessageReference): Promise<MessageView | null>
  /** The bytes of a section as the server sent them, still transfer-encoded; null when they are not held. */
  part(reference: MessageReference, section: string): Promise<Uint8Array | null>
  /**
   * As `part`, and where the part is not held it is fetched from the server, before anything else, and kept. The empty section is the whole message. What has
   * come of a large part stays when the connection is lost, and is not fetched again.
   * @throws SyncError `input.unknown-message`, `input.unknown-part`, `input.part-too-large`, `remote.not-there`, and as {@link syncOnce}
   */
  fetchPart(reference: MessageReference, section: string, options?: FetchPartOptions): Promise<Uint8Array>
  /** Says what the device is on: on a metered network, or on battery, less is fetched of itself. Left-out members stay as they are. */
  setConditions(conditions: Partial<Conditions>): void

  /** Adds and removes flags and keywords. @throws SyncError (through `accepted`) `input.bad-flag`, `input.unknown-message`, `input.not-conditional` */
  flag(selection: Selection, change: FlagChange): OperationHandle
  move(selection: Selection, to: MailboxId): OperationHandle
  copy(selection: Selection, to: MailboxId): OperationHandle
  /** Removes the messages for good. */
  expunge(selection: Selection): OperationHandle
  /** Uploads a message. @throws SyncError (through `accepted`) `input.bad-message`, `input.message-too-large`, `input.bad-flag` */
  append(message: NewMessage): NewMessageHandle
  /**
   * Moves the messages to Trash, and removes for good those that are there already. `to` is the mailbox to use as Trash; left out: the one with the role.
   * @throws SyncError (through `accepted`) `input.no-trash`, `input.unknown-mailbox`, `input.unknown-message`
   */
  delete(selection: Selection, options?: { readonly to?: MailboxId }): OperationHandle
  /**
   * Saves a draft in place of the version before, which is removed only when the new one is proved to be there. Of versions that replace one another while they
   * wait, the last one only is uploaded.
   * @throws SyncError (through `accepted`) `input.no-drafts`, and as {@link append}
   */
  saveDraft(draft: NewDraft): NewMessageHandle
  /**
   * Sends a message, at most once, and then puts a copy of it into Sent. Where nobody can tell whether it was sent, it is parked as `uncertain`.
   * @throws SyncError (through `accepted`) `account.no-submitter`, `input.no-sent`, `input.bad-address`, and as {@link append}
   */
  submit(message: NewSubmission): OperationHandle

  /**
   * Makes a mailbox, and its superiors where the server does so. It is there at once, and mail can be moved into it before the server has it.
   * @throws SyncError (through `accepted`) `input.bad-name`, `input.mailbox-exists`
   */
  createMailbox(path: string): NewMailboxHandle
  /** Renames a mailbox with all below it; INBOX cannot be. @throws SyncError (through `accepted`) as {@link createMailbox}, and `input.unknown-mailbox` */
  renameMailbox(id: MailboxId, path: string): OperationHandle
  /**
   * Deletes a mailbox with the messages in it, once what the user did to them before is settled; when that failed, the deletion waits for a decision.
   * @throws SyncError (through `accepted`) `input.unknown-mailbox`, `input.bad-name` for INBOX
   */
  deleteMailbox(id: MailboxId): OperationHandle
  /** Marks a mailbox as one to be shown by all mail programs. @throws SyncError (through `accepted`) `input.unknown-mailbox` */
  subscribe(id: MailboxId): OperationHandle
  unsubscribe(id: MailboxId): OperationHandle

  /** What waits in the replay log, in order. */
  entries(): Promise<readonly Entry[]>
  /** What became of operations, newest first. */
  receipts(options?: { readonly limit?: number }): Promise<readonly Receipt[]>
  /**
   * Takes back an operation: for free while nothing of it was sent, otherwise by the opposite, which is accepted as operations of its own.
   * @throws SyncError `input.not-undoable` where there is no opposite, or the operation is parked; `input.unknown-operation`
   */
  undo(seq: EntrySeq): Promise<UndoOutcome>
  /** Tries again what is parked of an operation. @throws SyncError `input.unknown-operation` when nothing of it is parked */
  retry(seq: EntrySeq): Promise<void>
  /** Gives up what of an operation is queued or parked: the view shows it no more. @throws SyncError `input.not-undoable` while it is being sent */
  discard(seq: EntrySeq): Promise<void>
  /**
   * Sends what of a move, copy, upload or draft is parked or queued to another mailbox.
   * @throws SyncError `input.not-retargetable`, `input.unknown-mailbox`, `input.unknown-operation`
   */
  retarget(seq: EntrySeq, to: MailboxId): Promise<void>

  /** Closes the engine and removes the account from the store, with everything it holds. What waits in the replay log is never sent. */
  wipe(): Promise<void>
  /** Ends all work. Every later call rejects with `engine.closed`. The store stays open: it is the caller's. */
  close(): Promise<void>
}

export interface FetchPartOptions {
  readonly signal?: AbortSignal
}

export interface LiveReads {
  mailboxes(): Live<readonly MailboxView[]>
  page(query: PageQuery): Live<Page>
  message(reference: MessageReference): Live<MessageView | null>
  part(reference: MessageReference, section: string): Live<Uint8Array | null>
}

/** What came of an undo. */
export type UndoOutcome =
  /** Nothing was sent, and it is as if it had never been. */
  | { readonly kind: 'undone'; readonly receipt: Receipt }
  /** The opposite was accepted, as these operations. */
  | { readonly kind: 'compensated'; readonly seqs: readonly EntrySeq[] }

/** What an operation call gives back, at once. */
export interface OperationHandle {
  /** Resolves when the operation will survive a crash: its entries (one for each mailbox the selection touched). */
  readonly accepted: Promise<readonly EntrySeq[]>
  /** Resolves when the server's answer is settled, with a receipt an entry. Waits as long as that takes; rejects with `engine.closed` on close. */
  readonly settled: Promise<readonly Receipt[]>
  /** As {@link MailEngine.undo}, for all its entries: what nothing came of is passed over, and one that is refused leaves none of the others out. */
  undo(): Promise<readonly UndoOutcome[]>
}

/** What `append` and `saveDraft` give back. */
export interface NewMessageHandle extends OperationHandle {
  /** The message, as soon as it is accepted. The reference stays valid when the server has named it. */
  readonly message: Promise<MessageReference>
}

/** What `createMailbox` gives back. */
export interface NewMailboxHandle extends OperationHandle {
  /** The mailbox, as soon as the operation is accepted. */
  readonly mailbox: Promise<MailboxId>
}

export type Phase =
  | 'idle'
  | 'connecting'
  | 'recovering'
  | 'listing'
  | 'replaying'
  | 'resyncing'
  | 'fetching-bodies'
  | 'watching'
  | 'waiting'
  | 'closed'

export interface EngineStatus {
  readonly phase: Phase
  /** Whether a connection stands. */
  readonly isConnected: boolean
  /** Of the phase at hand: messages of the account while resyncing, parts of the mailbox while fetching bodies; null when it cannot be told. */
  readonly progress: { readonly done: number; readonly total: number; readonly mailbox: string | null } | null
  /** While the phase is `watching`: how news come, and of which mailboxes at once; the others are looked at by a timer. */
  readonly watching: { readonly way: WatchWay; readonly mailboxes: 'all' | readonly string[] } | null
  /** When a pass last ended with everything done, in milliseconds since 1970. */
  readonly syncedAt: number | null
  readonly problem: { readonly code: ErrorCode; readonly message: string } | null
}

export type { FlagChange, NewDraft, NewMessage, NewSubmission } from './operation-input.ts'
export type {
  BackfillOptions,
  BackfillReport,
  GuessedRename,
  PlannedStep,
  PlanOptions,
  SyncOptions,
  SyncPlan,
  SyncProblem,
  SyncReport,
  VerifiedMailbox,
  VerifyOptions,
  VerifyReport,
} from './sync-report.ts'
export type { Conditions, Entry, Envelope, Hold, MailboxPolicy, MimePart, PartsLimits, Policy, Receipt }
