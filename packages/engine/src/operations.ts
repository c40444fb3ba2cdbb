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
  type Write,
} from '@tidemail/core'
import {
  acceptOperation,
  decodeEntry,
  discardEntry,
  type Entry,
  encodeEntry,
  encodeReceipt,
  type OperationRequest,
  type Receipt,
  retryEntry,
  undoEntry,
} from '@tidemail/replay-log'
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

/** What is checked, and only has to be written. */
interface Prepared {
  readonly request: OperationRequest
  readonly targets: readonly Targets[]
  readonly bodies: Acceptance['bodies']
}

/** The operations of an engine, each with a handle at once. */
export class Operations {
  private readonly options: OperationsOptions
  /** Ends when the operations called so far have been handed to the store: they are accepted in the order of the calls. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(options: OperationsOptions) {
    this.options = options
  }

  flag(selection: Selection, change: { readonly add?: readonly string[]; readonly remove?: readonly string[] }): OperationHandle {
    return this.handle(async () => {
      const add = (change.add ?? []).map(parseFlag)
      const remove = (change.remove ?? []).map(parseFlag)
      if (add.length + remove.length === 0) throw new SyncError('input.bad-flag', 'No flag is named.')
      return this.requestsFor(selection, { kind: 'flag', add, remove })
    })
  }

  move(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.requestsFor(selection, { kind: 'move', to })
    })
  }

  copy(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.requestsFor(selection, { kind: 'copy', to })
    })
  }

  expunge(selection: Selection): OperationHandle {
    return this.handle(() => this.requestsFor(selection, { kind: 'expunge' }))
  }

  append(message: NewMessage): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(message.to)
      const { bytes, digest, message: local } = await newLocalMessage(message, this.options.clock.now())
      const request: OperationRequest = { kind: 'append', to: message.to, message: local, digest }
      return [{ request, targets: [], bodies: [{ bodyId: local.bodyId, bytes }] }]
    })
  }

  /** Takes the entry out again if nothing of it was sent: the view is right at once, for it was folded, not written. */
  async undo(seq: EntrySeq): Promise<Receipt> {
    return this.changeEntry(seq, (entry, now) => {
      const undone = undoEntry(entry, now)
      if (undone.kind === 'refused') throw new SyncError('input.not-undoable', REFUSED_UNDO[undone.reason](seq))
      return { answer: undone.receipt, writes: [{ kind: 'remove-entry', seq }, receiptWrite(undone.receipt)] }
    })
  }

  /** Gives up what is queued or parked of the entry; what is being sent stays. Nothing is undone on the server. */
  async discard(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, (entry, now) => {
      const result = discardEntry(entry, now)
      if (result.kind === 'refused') throw new SyncError('input.not-undoable', REFUSED_UNDO.sent(seq))
      const { receipt } = result
      const writes: Write[] =
        receipt === null ? [entryWrite(result.entry)] : [{ kind: 'remove-entry', seq }, receiptWrite(receipt)]
      return { answer: null, writes }
    })
  }

  /** Queues again what is parked of the entry. */
  async retry(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, (entry) => {
      const queued = retryEntry(entry)
      if (queued === null) throw new SyncError('input.unknown-operation', `Operation #${seq} does not wait for a decision.`)
      return { answer: null, writes: [entryWrite(queued)] }
    })
    this.options.onAccepted()
  }

  /** Decides on an open entry as it is, and again when it has changed meanwhile. */
  private async changeEntry<T>(seq: EntrySeq, decide: (entry: Entry, now: number) => Decision<T>): Promise<T> {
    const { accountId, clock, store } = this.options
    for (;;) {
      this.options.assertOpen()
      const record = (await store.planning.entries(accountId)).find((candidate) => candidate.seq === seq)
      if (record === undefined) {
        const receipt = await store.planning.receipt(accountId, seq)
        if (receipt === null) throw new SyncError('input.unknown-operation', `There is no operation #${seq}.`)
        throw new SyncError('input.not-undoable', REFUSED_UNDO.settled(seq))
      }
      const entry = decodeEntry(record)
      const { answer, writes } = decide(entry, clock.now())
      const expect = { entries: [{ seq, revision: entry.revision }] }
      const result = await store.commit({ reason: 'the user decided on an operation', expect, writes })
      if (result.kind === 'committed') return answer
    }
  }

  private handle(prepare: () => Promise<readonly Prepared[]>): OperationHandle {
    // One after another up to the store's own transaction, which keeps the order; the writing itself may overlap.
    const handedOver = this.turn.then(async () => {
      this.options.assertOpen()
      const prepared = await prepare()
      return { prepared, accepting: prepared.map((one) => this.accept(one)) }
    })
    // The bytes of a message are written before its transaction begins, so that what comes next must wait for that.
    const hasBodies = (one: Prepared): boolean => one.bodies.length > 0
    this.turn = handedOver.then(
      ({ prepared, accepting }) => (prepared.some(hasBodies) ? Promise.allSettled(accepting) : undefined),
      () => {},
    )
    const accepted = handedOver.then(async ({ accepting }) => {
      const seqs = await Promise.all(accepting)
      this.options.onAccepted()
      return seqs
    })
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

  /** One request for each mailbox that the selection touches. */
  private async requestsFor(selection: Selection, request: OperationRequest): Promise<readonly Prepared[]> {
    const groups = await targetsOf(selection, (reference) => this.options.store.view.message(reference))
    return groups.map((targets) => ({ request, targets: [targets], bodies: [] }))
  }

  private async accept({ request, targets, bodies }: Prepared): Promise<EntrySeq> {
    const { accountId, clock, store } = this.options
    const now = clock.now()
    const record = await store.accept({
      accountId,
      targets,
      bodies,
      build: (context) =>
        acceptOperation(request, context, { accountId, now, ...(targets[0] === undefined ? {} : { asked: targets[0] }) }),
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

interface Decision<T> {
  readonly answer: T
  readonly writes: readonly Write[]
}

const REFUSED_UNDO: Readonly<Record<'sent' | 'settled' | 'parked', (seq: EntrySeq) => string>> = {
  sent: (seq) => `Operation #${seq} is being sent already.`,
  settled: (seq) => `Operation #${seq} is settled already.`,
  parked: (seq) => `Operation #${seq} was sent and waits for a decision: retry or discard it.`,
}

function receiptWrite(receipt: Receipt): Write {
  return { kind: 'put-receipt', receipt: encodeReceipt(receipt) }
}

function entryWrite(entry: Entry): Write {
  return { kind: 'put-entry', entry: encodeEntry({ ...entry, revision: entry.revision + 1 }) }
}
