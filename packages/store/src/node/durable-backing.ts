/** Makes an IndexedDB that lives in memory outlast the process: every committed transaction goes, as one batch, to a backing on the disk. */

import { SyncError } from '@tidemail/core'
import type { DBCore, DBCoreMutateRequest, DBCoreMutateResponse, DBCoreTable, DBCoreTransaction } from 'dexie'
import type { Durability } from '../dexie-message-store.ts'
import type { StoreDatabase, StoreRow } from '../schema.ts'
import { corruptRecord } from '../store-errors.ts'
import type { CommitWitness } from './commit-witness.ts'
import { decodeRow, encodeRow } from './row-codec.ts'
import { RowSum } from './row-sum.ts'

/** One change of one row; a null value removes it. */
export interface BackedRow {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface BackingOptions {
  /** Whether to begin with nothing; a store that is there must have its rows. Left out: yes. */
  readonly create?: boolean
}

/** The port to an embedded key-value engine. */
export interface Backing {
  /** Everything that is stored. */
  rows(): AsyncIterable<readonly [key: string, value: Uint8Array]>
  /** Writes all or nothing; resolves when it is synced to the disk. Rejects with a `store.*` SyncError. */
  write(batch: readonly BackedRow[]): Promise<void>
  close(): Promise<void>
}

/** The row that every commit writes, with the revision that it made. */
const FIRST_ROW_KEY = 'store:"store"'

/** Rows that are put into memory in one request while loading. */
const LOAD_BATCH_ROWS_MAX = 1_000

/** The seam between Dexie and its backing. Batches are written one after another, in the order of their commits (H-19). */
export class DurableBacking implements Durability {
  readonly #backing: Backing
  readonly #witness: CommitWitness
  readonly #batches: Map<DBCoreTransaction, BackedRow[]> = new Map()
  readonly #sum: RowSum = new RowSum()
  #tail: Promise<void> = Promise.resolve()
  #isRecording = false
  #isPoisoned = false

  constructor(backing: Backing, witness: CommitWitness) {
    this.#backing = backing
    this.#witness = witness
  }

  /** Lays the seam under a database that is not open yet. */
  install(db: StoreDatabase): void {
    db.use({
      stack: 'dbcore',
      name: 'durable-backing',
      create: (below: DBCore): DBCore => ({ ...below, table: (name) => this.#watched(below.table(name)) }),
    })
  }

  /** Fills the database from the backing; from then on what is committed is recorded. @throws SyncError `store.corrupt` */
  async load(db: StoreDatabase): Promise<void> {
    const waiting = new Map<string, unknown[]>()
    const flush = async (table: string, rows: unknown[]): Promise<void> => {
      waiting.set(table, [])
      await db.table(table).bulkPut(rows)
    }
    for await (const [key, value] of this.#backing.rows()) {
      if (this.#sum.read(key, value)) continue
      const table = tableOf(key)
      if (!db.tables.some(({ name }) => name === table)) throw corruptRecord(`a row of an unknown table`)
      const rows = waiting.get(table) ?? []
      rows.push(decodeRow(value))
      waiting.set(table, rows)
      if (rows.length >= LOAD_BATCH_ROWS_MAX) await flush(table, rows)
    }
    for (const [table, rows] of waiting) if (rows.length > 0) await flush(table, rows)
    this.#isRecording = true
  }

  /** Whether what was loaded, at this revision, is all that was ever written. @throws SyncError `store.corrupt` */
  verify(revision: number): void {
    this.#sum.check()
    this.#witness.check(revision)
  }

  check(): void {
    if (this.#isPoisoned) throw poisoned()
  }

  settled(): Promise<void> {
    return this.#tail
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => {})
    await this.#witness.close()
    await this.#backing.close()
  }

  #watched(table: DBCoreTable): DBCoreTable {
    return { ...table, mutate: (request) => this.#mutate(table, request) }
  }

  #mutate(table: DBCoreTable, request: DBCoreMutateRequest): Promise<DBCoreMutateResponse> {
    if (!this.#isRecording) return table.mutate(request)
    if (request.type === 'deleteRange') {
      const { trans, range } = request
      const keys = table.query({ trans, values: false, query: { index: table.schema.primaryKey, range } })
      return keys.then(({ result }) => this.#carryOut(table, request, removals(table, result)))
    }
    if (request.type === 'delete') return this.#carryOut(table, request, removals(table, request.keys))
    const rows = request.values.map((value): BackedRow => {
      return { key: keyOf(table, table.schema.primaryKey.extractKey?.(value)), value: encodeRow(value) }
    })
    return this.#carryOut(table, request, rows)
  }

  #carryOut(table: DBCoreTable, request: DBCoreMutateRequest, rows: readonly BackedRow[]): Promise<DBCoreMutateResponse> {
    return table.mutate(request).then((response) => {
      const done = rows.filter((_, i) => !(i in response.failures))
      this.#batchOf(request.trans).push(...done)
      return response
    })
  }

  /** The batch of a transaction is written when it completes, which is before whoever awaits it goes on. */
  #batchOf(transaction: DBCoreTransaction): BackedRow[] {
    const held = this.#batches.get(transaction)
    if (held !== undefined) return held
    const batch: BackedRow[] = []
    this.#batches.set(transaction, batch)
    const target = transaction as unknown as EventTarget
    target.addEventListener('complete', () => {
      this.#batches.delete(transaction)
      if (batch.length > 0) this.#enqueue(this.#sum.with(batch))
    })
    target.addEventListener('abort', () => this.#batches.delete(transaction))
    return batch
  }

  #enqueue(batch: readonly BackedRow[]): void {
    const earlier = this.#tail
    this.#tail = this.#writeAfter(earlier, batch)
    this.#tail.catch(() => {})
  }

  /** Memory is ahead of the disk once a batch has failed: nothing is written after it. */
  async #writeAfter(earlier: Promise<void>, batch: readonly BackedRow[]): Promise<void> {
    await earlier.catch(() => {})
    this.check()
    try {
      await this.#backing.write(batch)
    } catch (error) {
      this.#isPoisoned = true
      throw error
    }
    await this.#witness.note(revisionMadeBy(batch))
  }
}

function revisionMadeBy(batch: readonly BackedRow[]): number {
  const first = batch.find(({ key }) => key === FIRST_ROW_KEY)?.value
  return first == null ? 0 : (decodeRow(first) as StoreRow).revision
}

function poisoned(): SyncError {
  return new SyncError('store.poisoned', 'An earlier write to the store failed.', {
    recovery: 'reopen',
    hint: 'Close the store and open it again.',
  })
}

function removals(table: DBCoreTable, keys: readonly unknown[]): BackedRow[] {
  return keys.map((key) => ({ key: keyOf(table, key), value: null }))
}

function keyOf(table: DBCoreTable, primaryKey: unknown): string {
  return `${table.name}:${JSON.stringify(primaryKey)}`
}

function tableOf(key: string): string {
  return key.slice(0, key.indexOf(':'))
}
