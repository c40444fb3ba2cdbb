/** The public face of the engine: everything an app can ask of it, and what it answers. */

import type {
  AccountId,
  Clock,
  EntrySeq,
  Envelope,
  ErrorCode,
  Flag,
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
  Step,
  Targets,
} from '@tidemail/core'
import type { Policy } from '@tidemail/planner'
import type { Entry, Receipt } from '@tidemail/replay-log'

export interface MailEngineOptions {
  readonly store: MessageStore
  readonly remote: Remote
  readonly account: AccountIdentity
  /** Left-out members are those of `DEFAULT_POLICY`. */
  readonly policy?: Partial<Policy>
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

  /** Synchronises in the background: now, after every operation, on news of INBOX, and by a timer, until `pause` or `close`. */
  start(): void
  /** Stops the background work after the step in flight; operations are still accepted. */
  pause(): Promise<void>
  /**
   * One synchronisation to the end: passes until the replay log is drained of what can be sent and every mailbox is taken in.
   * @throws SyncError what stopped the account: `remote.*`, `store.*`, `account.*`, `engine.aborted`, `engine.closed`
   */
  syncOnce(options?: SyncOptions): Promise<SyncReport>
  /** What `syncOnce` would do and why. Reads the server by LIST and EXAMINE only, or not at all with `offline`; writes nothing. */
  plan(options?: PlanOptions): Promise<SyncPlan>

  mailboxes(): Promise<readonly MailboxView[]>
  /** The mailbox of that path; INBOX in any case. @throws SyncError `input.unknown-mailbox` */
  mailbox(path: string): Promise<MailboxView>
  page(query: PageQuery): Promise<Page>
  /** Null when it is gone. */
  message(reference: MessageReference): Promise<MessageView | null>
  /** The bytes of a section as the server sent them, still transfer-encoded; null when they are not held. */
  part(reference: MessageReference, section: string): Promise<Uint8Array | null>

  /** Adds and removes flags and keywords. @throws SyncError (through `accepted`) `input.bad-flag`, `input.unknown-message` */
  flag(selection: Selection, change: { readonly add?: readonly Flag[]; readonly remove?: readonly Flag[] }): OperationHandle
  move(selection: Selection, to: MailboxId): OperationHandle
  copy(selection: Selection, to: MailboxId): OperationHandle
  /** Removes the messages for good. */
  expunge(selection: Selection): OperationHandle
  /** Uploads a message. @throws SyncError (through `accepted`) `input.bad-message`, `input.message-too-large`, `input.bad-flag` */
  append(message: NewMessage): OperationHandle

  /** What waits in the replay log, in order. */
  entries(): Promise<readonly Entry[]>
  /** What became of operations, newest first. */
  receipts(options?: { readonly limit?: number }): Promise<readonly Receipt[]>
  /** Takes back an operation of which nothing was sent. @throws SyncError `input.not-undoable`, `input.unknown-operation` */
  undo(seq: EntrySeq): Promise<Receipt>
  /** Tries again what is parked of an operation. @throws SyncError `input.unknown-operation` when nothing of it is parked */
  retry(seq: EntrySeq): Promise<void>
  /** Gives up what of an operation is queued or parked: the view shows it no more. @throws SyncError `input.not-undoable` while it is being sent */
  discard(seq: EntrySeq): Promise<void>

  /** Closes the engine and removes the account from the store, with everything it holds. What waits in the replay log is never sent. */
  wipe(): Promise<void>
  /** Ends all work. Every later call rejects with `engine.closed`. The store stays open: it is the caller's. */
  close(): Promise<void>
}

export interface LiveReads {
  mailboxes(): Live<readonly MailboxView[]>
  page(query: PageQuery): Live<Page>
  message(reference: MessageReference): Live<MessageView | null>
  part(reference: MessageReference, section: string): Live<Uint8Array | null>
}

export interface NewMessage {
  readonly to: MailboxId
  /** The message as RFC 5322 has it. Bare line feeds become CRLF; nothing else is altered. */
  readonly bytes: Uint8Array
  readonly flags?: readonly Flag[]
  /** INTERNALDATE in milliseconds since 1970; now, when left out. */
  readonly internalDate?: number
}

/** What an operation call gives back, at once. */
export interface OperationHandle {
  /** Resolves when the operation will survive a crash: its entries (one for each mailbox the selection touched). */
  readonly accepted: Promise<readonly EntrySeq[]>
  /** Resolves when the server's answer is settled, with a receipt an entry. Waits as long as that takes; rejects with `engine.closed` on close. */
  readonly settled: Promise<readonly Receipt[]>
  /** As {@link MailEngine.undo}, for all its entries. */
  undo(): Promise<readonly Receipt[]>
}

export interface SyncOptions {
  /** Only these mailboxes, by path; one that is not there is `input.unknown-mailbox`. Left out: all. */
  readonly mailboxes?: readonly string[]
  readonly signal?: AbortSignal
}

export interface PlanOptions extends SyncOptions {
  readonly offline?: boolean
}

export interface SyncPlan {
  readonly steps: readonly PlannedStep[]
  /** Entries that wait for something, and for what. */
  readonly waiting: readonly { readonly seq: EntrySeq; readonly reason: string }[]
}

export interface PlannedStep {
  readonly part: 'recover' | 'list' | 'replay' | 'resync' | 'bodies'
  readonly mailbox: string | null
  readonly step: Step
}

export interface SyncReport {
  /** `incomplete`: something is left that another run may do; `problems` says what. */
  readonly outcome: 'done' | 'incomplete'
  readonly mailboxesChecked: number
  readonly mailboxesOpened: number
  readonly messagesFetched: number
  readonly messagesRemoved: number
  readonly flagsChanged: number
  readonly partsFetched: number
  readonly entriesSettled: number
  readonly entriesPending: number
  readonly entriesParked: number
  readonly entriesUncertain: number
  readonly problems: readonly SyncProblem[]
}

/** What went wrong for a mailbox or an entry without stopping the account. */
export interface SyncProblem {
  readonly code: ErrorCode
  readonly message: string
  readonly mailbox: string | null
  readonly seq: EntrySeq | null
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
  /** When a pass last ended with everything done, in milliseconds since 1970. */
  readonly syncedAt: number | null
  readonly problem: { readonly code: ErrorCode; readonly message: string } | null
}

export type { Entry, Envelope, MimePart, Policy, Receipt }
