/** Waits for receipts: whoever holds a handle learns what became of the operation as soon as it is settled. */

import { type AccountId, type EntrySeq, type MessageStore, SyncError } from '@tidemail/core'
import { decodeReceipt, type Receipt } from '@tidemail/replay-log'

export class ReceiptsWatch {
  private readonly store: MessageStore
  private readonly accountId: AccountId
  private readonly waiting = new Map<EntrySeq, { resolve: (receipt: Receipt) => void; reject: (error: unknown) => void }[]>()
  private readonly stop: () => void
  private isClosed = false

  constructor(store: MessageStore, accountId: AccountId) {
    this.store = store
    this.accountId = accountId
    this.stop = store.subscribe((news) => {
      if (news.hasLogChanged) void this.look()
    })
  }

  /** Resolves with the receipt; rejects with `engine.closed` when the engine is closed first. */
  settled(seq: EntrySeq): Promise<Receipt> {
    const promise = new Promise<Receipt>((resolve, reject) => {
      if (this.isClosed) return reject(closedError())
      this.waiting.set(seq, [...(this.waiting.get(seq) ?? []), { resolve, reject }])
    })
    promise.catch(() => {})
    void this.look()
    return promise
  }

  close(): void {
    this.isClosed = true
    this.stop()
    const error = closedError()
    for (const waiters of this.waiting.values()) for (const { reject } of waiters) reject(error)
    this.waiting.clear()
  }

  private async look(): Promise<void> {
    for (const seq of [...this.waiting.keys()]) {
      try {
        const record = await this.store.planning.receipt(this.accountId, seq)
        if (record === null) continue
        const receipt = decodeReceipt(record)
        for (const { resolve } of this.waiting.get(seq) ?? []) resolve(receipt)
        this.waiting.delete(seq)
      } catch (error) {
        for (const { reject } of this.waiting.get(seq) ?? []) reject(error)
        this.waiting.delete(seq)
      }
    }
  }
}

function closedError(): SyncError {
  return new SyncError('engine.closed', 'The engine was closed before the operation was settled; it stays queued.')
}
