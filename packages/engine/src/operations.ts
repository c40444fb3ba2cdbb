/** Accepts what the user does: one transaction for the entry and its effect on the view, online or not (I-LOG-1). */

import {
  type Acceptance,
  type AccountId,
  type Clock,
  type EntrySeq,
  type MailboxId,
  type MessageStore,
  parseFlag,
  SyncError,
  type Targets,
} from '@tidemail/core'
import { acceptOperation, decodeEntry, encodeReceipt, type OperationRequest, type Receipt, undoEntry } from '@tidemail/replay-log'
import type { NewMessage, OperationHandle, Selection } from './api.ts'
import { newLocalMessage } from './new-local-message.ts'
import { targetsOf } from './targets-of.ts'

export interface OperationsOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly clock: Clock
  /** Rejects with `engine.closed` once the engine is closed. */
  readonly assertOpen: () => void
  /** Called after each acceptance: there is something to send. */
  readonly onAccepted: () => void
  /** Resolves with the receipt of an entry once there is one. */
  readonly settled: (seq: EntrySeq) => Promise<Receipt>
}

/** The operations of an engine, each with a handle at once. */
export class Operations {
  private readonly options: OperationsOptions

  constructor(options: OperationsOptions) {
    this.options = options
  }

  flag(selection: Selection, change: { readonly add?: readonly string[]; readonly remove?: readonly string[] }): OperationHandle {
    return this.handle(async () => {
      const add = (change.add ?? []).map(parseFlag)
      const remove = (change.remove ?? []).map(parseFlag)
      if (add.length + remove.length === 0) throw new SyncError('input.bad-flag', 'No flag is named.')
      return this.acceptFor(selection, { kind: 'flag', add, remove })
    })
  }

  move(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.acceptFor(selection, { kind: 'move', to })
    })
  }

  copy(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.acceptFor(selection, { kind: 'copy', to })
    })
  }

  expunge(selection: Selection): OperationHandle {
    return this.handle(() => this.acceptFor(selection, { kind: 'expunge' }))
  }

  append(message: NewMessage): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(message.to)
      const { bytes, digest, message: local } = await newLocalMessage(message, this.options.clock.now())
      const request: OperationRequest = { kind: 'append', to: message.to, message: local, digest }
      return [await this.accept({ request, targets: [], bodies: [{ bodyId: local.bodyId, bytes }] })]
    })
  }

  /** Takes the entry out again if nothing of it was sent: the view is right at once, for it was folded, not written. */
  async undo(seq: EntrySeq): Promise<Receipt> {
    const { accountId, clock, store } = this.options
    for (;;) {
      this.options.assertOpen()
      const record = (await store.planning.entries(accountId)).find((candidate) => candidate.seq === seq)
      if (record === undefined) {
        const receipt = await store.planning.receipt(accountId, seq)
        if (receipt === null) throw new SyncError('input.unknown-operation', `There is no operation #${seq}.`)
        throw new SyncError('input.not-undoable', `Operation #${seq} is settled already.`)
      }
      const entry = decodeEntry(record)
      const undone = undoEntry(entry, clock.now())
      if (undone.kind === 'refused') throw new SyncError('input.not-undoable', `Operation #${seq} is being sent already.`)
      const result = await store.commit({
        reason: 'the user took it back',
        expect: { entries: [{ seq, revision: entry.revision }] },
        writes: [
          { kind: 'remove-entry', seq },
          { kind: 'put-receipt', receipt: encodeReceipt(undone.receipt) },
        ],
      })
      if (result.kind === 'committed') return undone.receipt
    }
  }

  private handle(accept: () => Promise<readonly EntrySeq[]>): OperationHandle {
    const accepted = (async () => {
      this.options.assertOpen()
      const seqs = await accept()
      this.options.onAccepted()
      return seqs
    })()
    accepted.catch(() => {})
    const wait = this.options.settled
    let settled: Promise<readonly Receipt[]> | null = null
    return {
      accepted,
      get settled() {
        settled ??= accepted.then((seqs) => Promise.all(seqs.map(wait)))
        return settled
      },
      undo: async () => {
        const receipts: Receipt[] = []
        for (const seq of await accepted) receipts.push(await this.undo(seq))
        return receipts
      },
    }
  }

  private async acceptFor(selection: Selection, request: OperationRequest): Promise<readonly EntrySeq[]> {
    const groups = await targetsOf(selection, (reference) => this.options.store.view.message(reference))
    const seqs: EntrySeq[] = []
    for (const targets of groups) seqs.push(await this.accept({ request, targets: [targets], bodies: [] }))
    return seqs
  }

  private async accept({
    request,
    targets,
    bodies,
  }: {
    readonly request: OperationRequest
    readonly targets: readonly Targets[]
    readonly bodies: Acceptance['bodies']
  }): Promise<EntrySeq> {
    const { accountId, clock, store } = this.options
    const now = clock.now()
    const record = await store.accept({
      accountId,
      targets,
      bodies,
      build: (context) => acceptOperation(request, context, { accountId, now }),
    })
    return record.seq
  }

  private async assertMailbox(id: MailboxId): Promise<void> {
    const mailboxes = await this.options.store.planning.mailboxes(this.options.accountId)
    if (!mailboxes.some((mailbox) => mailbox.id === id && mailbox.isSelectable)) {
      throw new SyncError('input.unknown-mailbox', 'There is no such mailbox that can hold messages.')
    }
  }
}
