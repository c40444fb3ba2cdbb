/** Makes a mail engine: the public API over one account of a store and one remote. */

import {
  type AccountId,
  type EntrySeq,
  type MailboxId,
  type MailboxView,
  type MessageReference,
  type MessageView,
  type Page,
  type PageQuery,
  SyncError,
} from '@tidemail/core'
import { type Conditions, DEFAULT_CONDITIONS } from '@tidemail/planner'
import { decodeEntry, decodeReceipt, type Entry, type Receipt } from '@tidemail/replay-log'
import type {
  BackfillOptions,
  BackfillReport,
  EngineStatus,
  FetchPartOptions,
  FlagChange,
  LiveReads,
  MailEngine,
  MailEngineOptions,
  NewDraft,
  NewMailboxHandle,
  NewMessage,
  NewMessageHandle,
  NewSubmission,
  OperationHandle,
  PlanOptions,
  Selection,
  SyncOptions,
  SyncPlan,
  SyncReport,
  UndoOutcome,
  VerifyOptions,
  VerifyReport,
} from './api.ts'
import { backfillMailbox } from './backfill-mailbox.ts'
import type { Background } from './background.ts'
import { canonicalPath } from './canonical-path.ts'
import { stoppedIn, stoppedMailboxes } from './deletion-consents.ts'
import { makeParts } from './engine-parts.ts'
import { liveReads } from './live-reads.ts'
import { LiveValue } from './live-value.ts'
import { openAccount } from './open-account.ts'
import type { Operations } from './operations.ts'
import { planSync } from './plan-sync.ts'
import type { ReceiptsWatch } from './receipts-watch.ts'
import type { Synchroniser } from './synchroniser.ts'
import { verifyAccount } from './verify-account.ts'

const RECEIPTS_LIMIT = 100

/**
 * Opens an engine on an account of the store, and makes the account if it is new. Nothing is sent before `start`, `syncOnce` or `plan`.
 *
 * @example
 * const mail = await createMailEngine({ store, remote, account: { id: accountId('me'), host: 'mail.example', user: 'me' } })
 * await mail.syncOnce()
 * const inbox = await mail.mailbox('INBOX')
 * const { messages } = await mail.page({ mailboxId: inbox.id, limit: 50 })
 * await mail.flag(messages[0].reference, { add: ['\\Seen'] }).accepted
 *
 * @throws SyncError `account.mismatch` when the store keeps another host or user under this id; `store.*`
 */
export async function createMailEngine(options: MailEngineOptions): Promise<MailEngine> {
  return new Engine(options, await openAccount(options))
}

/** INBOX first, then mailboxes with a role, then the others, each by name. */
function inOrder(a: MailboxView, b: MailboxView): number {
  const rank = ({ role }: MailboxView): number => (role === 'inbox' ? 0 : role === null ? 2 : 1)
  return rank(a) - rank(b) || (a.path < b.path ? -1 : 1)
}

class Engine implements MailEngine {
  readonly accountId: AccountId
  readonly status: LiveValue<EngineStatus>
  readonly live: LiveReads
  private readonly options: MailEngineOptions
  private readonly receiptsWatch: ReceiptsWatch
  private readonly operations: Operations
  private readonly synchroniser: Synchroniser
  private readonly background: Background
  private conditions: Conditions = DEFAULT_CONDITIONS
  private isClosed = false

  constructor(options: MailEngineOptions, syncedAt: number | null) {
    this.options = options
    this.accountId = options.account.id
    this.status = new LiveValue<EngineStatus>({
      phase: 'idle',
      isConnected: false,
      progress: null,
      watching: null,
      syncedAt,
      problem: null,
    })
    const parts = makeParts(options, {
      status: this.status,
      conditions: () => this.conditions,
      assertOpen: () => this.assertOpen(),
    })
    this.receiptsWatch = parts.receiptsWatch
    this.synchroniser = parts.synchroniser
    this.background = parts.background
    this.operations = parts.operations
    this.live = liveReads(this, options)
  }

  start(): void {
    this.assertOpen()
    this.background.start()
  }

  networkChanged(): void {
    this.assertOpen()
    this.background.networkChanged()
  }

  async pause(): Promise<void> {
    this.assertOpen()
    await this.background.pause()
  }

  async syncOnce(options: SyncOptions = {}): Promise<SyncReport> {
    this.assertOpen()
    return this.synchroniser.syncOnce(options)
  }

  async plan(options: PlanOptions = {}): Promise<SyncPlan> {
    this.assertOpen()
    return planSync(this.synchroniser, options)
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.assertOpen()
    return verifyAccount(this.synchroniser, options)
  }

  async backfill(options: BackfillOptions): Promise<BackfillReport> {
    this.assertOpen()
    return backfillMailbox(this.synchroniser, options)
  }

  async allowDeletions({ mailbox }: { readonly mailbox: string }): Promise<void> {
    const { id } = await this.mailbox(mailbox)
    this.synchroniser.consents.allow(id)
    for (const { seq } of stoppedIn(await this.entries(), id)) await this.operations.decisions.retry(seq)
    this.background.wake()
  }

  async mailboxes(): Promise<readonly MailboxView[]> {
    this.assertOpen()
    return (await this.options.store.view.mailboxes(this.accountId)).toSorted(inOrder)
  }

  async mailbox(path: string): Promise<MailboxView> {
    const wanted = canonicalPath(path)
    const found = (await this.mailboxes()).find((mailbox) => mailbox.path === wanted)
    if (found === undefined) {
      throw new SyncError('input.unknown-mailbox', `There is no mailbox "${path}" in the store.`, {
        hint: 'List the mailboxes, or synchronise first.',
      })
    }
    return found
  }

  async page(query: PageQuery): Promise<Page> {
    this.assertOpen()
    return this.options.store.view.page(query)
  }

  async message(reference: MessageReference): Promise<MessageView | null> {
    this.assertOpen()
    return this.options.store.view.message(reference)
  }

  async part(reference: MessageReference, section: string): Promise<Uint8Array | null> {
    this.assertOpen()
    return this.options.store.view.part(reference, section)
  }

  async fetchPart(reference: MessageReference, section: string, options: FetchPartOptions = {}): Promise<Uint8Array> {
    const held = await this.part(reference, section)
    return held ?? this.synchroniser.fetchPart({ reference, section, ...options })
  }

  setConditions(conditions: Partial<Conditions>): void {
    this.assertOpen()
    this.conditions = { ...this.conditions, ...conditions }
    this.background.wake()
  }

  flag(selection: Selection, change: FlagChange): OperationHandle {
    return this.operations.flag(selection, change)
  }

  move(selection: Selection, to: MailboxId): OperationHandle {
    return this.operations.move(selection, to)
  }

  copy(selection: Selection, to: MailboxId): OperationHandle {
    return this.operations.copy(selection, to)
  }

  expunge(selection: Selection): OperationHandle {
    return this.operations.expunge(selection)
  }

  append(message: NewMessage): NewMessageHandle {
    return this.operations.append(message)
  }

  delete(selection: Selection, options: { readonly to?: MailboxId } = {}): OperationHandle {
    return this.operations.delete(selection, options)
  }

  saveDraft(draft: NewDraft): NewMessageHandle {
    return this.operations.saveDraft(draft)
  }

  submit(message: NewSubmission): OperationHandle {
    return this.operations.submit(message)
  }

  createMailbox(path: string): NewMailboxHandle {
    return this.operations.createMailbox(path)
  }

  renameMailbox(id: MailboxId, path: string): OperationHandle {
    return this.operations.renameMailbox(id, path)
  }

  deleteMailbox(id: MailboxId): OperationHandle {
    return this.operations.deleteMailbox(id)
  }

  subscribe(id: MailboxId): OperationHandle {
    return this.operations.subscribe(id, { isSubscribed: true })
  }

  unsubscribe(id: MailboxId): OperationHandle {
    return this.operations.subscribe(id, { isSubscribed: false })
  }

  async entries(): Promise<readonly Entry[]> {
    this.assertOpen()
    return (await this.options.store.planning.entries(this.accountId)).map(decodeEntry)
  }

  async receipts(options: { readonly limit?: number } = {}): Promise<readonly Receipt[]> {
    this.assertOpen()
    const records = await this.options.store.planning.receipts(this.accountId, { limit: options.limit ?? RECEIPTS_LIMIT })
    return records.map(decodeReceipt)
  }

  async undo(seq: EntrySeq): Promise<UndoOutcome> {
    return this.operations.decisions.undo(seq)
  }

  async retry(seq: EntrySeq): Promise<void> {
    for (const id of stoppedMailboxes(await this.entries(), seq)) this.synchroniser.consents.allow(id)
    return this.operations.decisions.retry(seq)
  }

  async discard(seq: EntrySeq): Promise<void> {
    return this.operations.decisions.discard(seq)
  }

  async retarget(seq: EntrySeq, to: MailboxId): Promise<void> {
    return this.operations.decisions.retarget(seq, to)
  }

  async wipe(): Promise<void> {
    this.assertOpen()
    await this.close()
    await this.options.store.wipe(this.accountId)
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.receiptsWatch.close()
    await this.background.pause()
    await this.synchroniser.close()
    this.status.set({ ...this.status.getSnapshot(), phase: 'closed', isConnected: false, progress: null })
  }

  private assertOpen(): void {
    if (this.isClosed) throw new SyncError('engine.closed', 'The engine was closed.')
  }
}
