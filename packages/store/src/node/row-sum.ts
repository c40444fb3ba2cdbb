/** Adds up all rows of a backing: a row that was lost, damaged or brought back shows when the store is opened. */

import { crc32 } from 'node:zlib'
import { corruptRecord } from '../store-errors.ts'
import type { BackedRow } from './durable-backing.ts'
import { decodeRow, encodeRow } from './row-codec.ts'

/** No table has this name. Written in every batch, with what the rows add up to after it. */
const SUM_KEY = 'sum:'
const MODULUS = 2 ** 32

/**
 * LevelDB passes over records of its log that are damaged, verifies no checksum when it reads, and does not miss a file that is gone: after that a
 * store would go on with some of its commits, but not with those between.
 */
export class RowSum {
  readonly #sums: Map<string, number> = new Map()
  #total = 0
  #stored: unknown = null

  /** Takes a row that was read. True when it is the sum itself, and belongs to no table. */
  read(key: string, value: Uint8Array): boolean {
    if (key === SUM_KEY) this.#stored = decodeRow(value)
    else this.#add({ key, value })
    return key === SUM_KEY
  }

  /** Holds what was read against what was written. A store from before there was a sum has none. @throws SyncError `store.corrupt` */
  check(): void {
    if (this.#stored === null) return
    const { rows, total } = this.#stored as { readonly rows?: unknown; readonly total?: unknown }
    if (rows !== this.#sums.size || total !== this.#total) throw corruptRecord('rows that do not add up')
  }

  /** The batch with the sum as it is after it. */
  with(batch: readonly BackedRow[]): readonly BackedRow[] {
    for (const row of batch) this.#add(row)
    return [...batch, { key: SUM_KEY, value: encodeRow({ rows: this.#sums.size, total: this.#total }) }]
  }

  #add({ key, value }: BackedRow): void {
    const before = this.#sums.get(key) ?? 0
    const after = value === null ? 0 : crc32(value, crc32(key))
    this.#total = (this.#total - before + after + MODULUS) % MODULUS
    if (value === null) this.#sums.delete(key)
    else this.#sums.set(key, after)
  }
}
