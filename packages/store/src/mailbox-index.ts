/** The columns of an open mailbox in memory, with its messages in the order they show. Brought up to date by revision, chunk by chunk. */

import type { BoxEpoch, Flag, UidSet } from '@tidemail/core'
import { isUnread, KeywordDictionary } from './keyword-dictionary.ts'
import { type ColumnsRow, chunkOf, extraOf, positionsIn } from './packed-columns.ts'
import type { BoxRow, StoreDatabase } from './schema.ts'
import { checkColumns } from './unit-of-work.ts'

/** Boxes whose columns stay in memory; the one used longest ago goes first. */
const INDEXES_MAX = 16
const KEY_MAX = 4_294_967_295

/** Immutable: a newer revision is a new index. */
export interface MailboxIndex {
  readonly box: BoxEpoch
  readonly madeAt: number
  readonly revision: number
  readonly dictionary: KeywordDictionary
  readonly chunks: ReadonlyMap<number, ColumnsRow>
  /** Newest first; of equal dates the greater UID first. */
  readonly uids: Uint32Array
  readonly dates: Float64Array
}

/** A message in the index: its chunk, and its place there. */
export interface IndexedMessage {
  readonly columns: ColumnsRow
  readonly position: number
}

export function findMessage(index: MailboxIndex, uid: number): IndexedMessage | null {
  const columns = index.chunks.get(chunkOf(uid))
  if (columns === undefined) return null
  const position = columns.uids.indexOf(uid)
  return position < 0 ? null : { columns, position }
}

export function flagsAt(index: MailboxIndex, { columns, position }: IndexedMessage): readonly Flag[] {
  const bits = columns.flags[position] as number
  return index.dictionary.decode({ bits, extra: extraOf(columns, columns.uids[position] as number) })
}

/** The messages of the set, chunk by chunk. */
export function* messagesOfSet(index: MailboxIndex, uids: UidSet): Generator<IndexedMessage> {
  if (uids.isEmpty) return
  for (const columns of index.chunks.values()) {
    for (const position of positionsIn(columns, uids)) yield { columns, position }
  }
}

export const isUnreadAt = ({ columns, position }: IndexedMessage): boolean => isUnread(columns.flags[position] as number)

/** The first place in the order that comes after this date and UID. */
export function placeAfter(index: MailboxIndex, cursor: { readonly date: number; readonly uid: number }): number {
  let low = 0
  let high = index.uids.length
  while (low < high) {
    const middle = (low + high) >> 1
    const date = index.dates[middle] as number
    const isBefore = date > cursor.date || (date === cursor.date && (index.uids[middle] as number) >= cursor.uid)
    if (isBefore) low = middle + 1
    else high = middle
  }
  return low
}

/** The indexes of the boxes that were read last. */
export class MailboxIndexes {
  readonly #indexes: Map<BoxEpoch, MailboxIndex> = new Map()

  /** The index as of this row of the box, which was read in the same transaction. */
  async load(db: StoreDatabase, row: BoxRow): Promise<MailboxIndex> {
    const held = this.#indexes.get(row.box)
    const isUsable = held !== undefined && held.revision <= row.revision && held.madeAt === (row.madeAt ?? 0)
    const index = isUsable ? await bringForward(db, held, row) : await buildIndex(db, row)
    const latest = this.#indexes.get(row.box)
    if (latest === undefined || latest.revision <= index.revision) {
      this.#indexes.delete(row.box)
      this.#indexes.set(row.box, index)
    }
    for (const box of this.#indexes.keys()) {
      if (this.#indexes.size <= INDEXES_MAX) break
      this.#indexes.delete(box)
    }
    return index
  }
}

async function buildIndex(db: StoreDatabase, row: BoxRow): Promise<MailboxIndex> {
  const columns = await db.columns.where('[box+chunk]').between([row.box, 0], [row.box, KEY_MAX], true, true).toArray()
  await checkColumns(db, row.box, columns)
  return ordered(row, new Map(columns.map((chunk) => [chunk.chunk, chunk])), orderOf(columns))
}

async function bringForward(db: StoreDatabase, held: MailboxIndex, row: BoxRow): Promise<MailboxIndex> {
  if (held.revision === row.revision) return held
  const from = [row.box, held.revision + 1]
  const changed = await db.columns.where('[box+revision]').between(from, [row.box, Number.MAX_SAFE_INTEGER], true, true).toArray()
  await checkColumns(db, row.box, changed)
  const chunks = new Map(held.chunks)
  const isSameOrder = changed.every((columns) => hasSameOrder(chunks.get(columns.chunk), columns))
  for (const columns of changed) chunks.set(columns.chunk, columns)
  return ordered(row, chunks, isSameOrder ? held : mergeOrder(held, changed))
}

type Order = Pick<MailboxIndex, 'uids' | 'dates'>

function ordered(row: BoxRow, chunks: ReadonlyMap<number, ColumnsRow>, { uids, dates }: Order): MailboxIndex {
  return {
    box: row.box,
    madeAt: row.madeAt ?? 0,
    revision: row.revision,
    dictionary: new KeywordDictionary(row.keywords),
    chunks,
    uids,
    dates,
  }
}

function hasSameOrder(before: ColumnsRow | undefined, after: ColumnsRow): boolean {
  if (before === undefined || before.uids.length !== after.uids.length) return false
  return after.uids.every((uid, i) => uid === before.uids[i] && after.dates[i] === before.dates[i])
}

function orderOf(columns: readonly ColumnsRow[]): Order {
  const count = columns.reduce((total, { uids }) => total + uids.length, 0)
  const uids = new Uint32Array(count)
  const dates = new Float64Array(count)
  let at = 0
  for (const row of columns) {
    uids.set(row.uids, at)
    dates.set(row.dates, at)
    at += row.uids.length
  }
  const order = Uint32Array.from(uids.keys()).sort(
    (a, b) => (dates[b] as number) - (dates[a] as number) || (uids[b] as number) - (uids[a] as number),
  )
  return {
    uids: Uint32Array.from(order, (i) => uids[i] as number),
    dates: Float64Array.from(order, (i) => dates[i] as number),
  }
}

/** Takes the changed chunks out of the order, and merges them in again: one walk, no sorting of what stayed. */
function mergeOrder(held: Order, changed: readonly ColumnsRow[]): Order {
  const chunks = new Set(changed.map(({ chunk }) => chunk))
  const added = orderOf(changed)
  const uids: number[] = []
  const dates: number[] = []
  let at = 0
  const take = (uid: number, date: number): void => {
    uids.push(uid)
    dates.push(date)
  }
  const addedBefore = (uid: number, date: number): boolean => {
    const addedDate = added.dates[at] as number
    return addedDate > date || (addedDate === date && (added.uids[at] as number) > uid)
  }
  for (const [i, uid] of held.uids.entries()) {
    if (chunks.has(chunkOf(uid))) continue
    const date = held.dates[i] as number
    for (; at < added.uids.length && addedBefore(uid, date); at += 1) take(added.uids[at] as number, added.dates[at] as number)
    take(uid, date)
  }
  for (; at < added.uids.length; at += 1) take(added.uids[at] as number, added.dates[at] as number)
  return { uids: Uint32Array.from(uids), dates: Float64Array.from(dates) }
}
