/** The numbers of up to 256 messages as one row of columns: UID, flags, mod-sequence, date, size, and which have parts. */

import type { BoxEpoch, Flag, UidSet } from '@tidemail/core'

/** 256 UIDs a chunk: measured best between filling, flag changes and single reads. */
export const CHUNK_BITS = 8
/** Bit of `bits`: some section of the message is held. */
export const HAS_PARTS = 1

export const chunkOf = (uid: number): number => uid >>> CHUNK_BITS

/** The columns of one chunk, by ascending UID. Mod-sequence 0 stands for none. Arrays are never views on larger buffers. */
export interface ColumnsRow {
  readonly box: BoxEpoch
  readonly chunk: number
  /** The revision of the store that wrote it. */
  readonly revision: number
  readonly uids: Uint32Array
  readonly flags: Uint32Array
  readonly modSeqs: BigUint64Array
  readonly dates: Float64Array
  readonly sizes: Float64Array
  readonly bits: Uint8Array
  /** Keywords past the mailbox's dictionary, by UID. */
  readonly overflow: readonly (readonly [uid: number, keywords: readonly Flag[]])[]
}

/** One message of a chunk. */
export interface PackedMessage {
  readonly uid: number
  readonly flags: number
  readonly extra: readonly Flag[] | null
  readonly modSeq: bigint
  readonly date: number
  readonly size: number
  readonly bits: number
}

export function emptyColumns(box: BoxEpoch, chunk: number): ColumnsRow {
  return packColumns({ box, chunk, revision: 0 }, [])
}

/** Where the message is in its chunk, or -1. */
export function positionOf(columns: ColumnsRow, uid: number): number {
  let low = 0
  let high = columns.uids.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = columns.uids[middle] as number
    if (found === uid) return middle
    if (found < uid) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function messageAt(columns: ColumnsRow, position: number): PackedMessage {
  const uid = columns.uids[position] as number
  return {
    uid,
    flags: columns.flags[position] as number,
    extra: extraOf(columns, uid),
    modSeq: columns.modSeqs[position] as bigint,
    date: columns.dates[position] as number,
    size: columns.sizes[position] as number,
    bits: columns.bits[position] as number,
  }
}

export function extraOf(columns: ColumnsRow, uid: number): readonly Flag[] | null {
  if (columns.overflow.length === 0) return null
  return columns.overflow.find(([owner]) => owner === uid)?.[1] ?? null
}

/** The messages of a chunk, ascending. */
export function messagesOf(columns: ColumnsRow): PackedMessage[] {
  return Array.from(columns.uids, (_, position) => messageAt(columns, position))
}

/** Those of the chunk that are in the set, ascending. */
export function messagesIn(columns: ColumnsRow, uids: UidSet): PackedMessage[] {
  return positionsIn(columns, uids).map((position) => messageAt(columns, position))
}

/** Positions of the messages of the chunk that are in the set: one walk over the chunk, one search for its first range. */
export function positionsIn(columns: ColumnsRow, uids: UidSet): number[] {
  const positions: number[] = []
  const first = columns.uids[0]
  if (first === undefined) return positions
  let range = firstRangeEndingFrom(uids, first)
  for (const [position, uid] of columns.uids.entries()) {
    while (range < uids.ranges.length && (uids.ranges[range]?.last as number) < uid) range += 1
    if (range >= uids.ranges.length) break
    if ((uids.ranges[range]?.first as number) <= uid) positions.push(position)
  }
  return positions
}

/** The chunk without its messages at these ascending positions, and with these in their place or added. */
export function withMessages(columns: ColumnsRow, changed: readonly PackedMessage[], revision: number): ColumnsRow {
  const byUid = new Map(messagesOf(columns).map((message) => [message.uid, message]))
  for (const message of changed) byUid.set(message.uid, message)
  const messages = [...byUid.values()].sort((a, b) => a.uid - b.uid)
  return packColumns({ box: columns.box, chunk: columns.chunk, revision }, messages)
}

/** The chunk without these messages. */
export function withoutMessages(columns: ColumnsRow, removed: ReadonlySet<number>, revision: number): ColumnsRow {
  const kept = messagesOf(columns).filter(({ uid }) => !removed.has(uid))
  return packColumns({ box: columns.box, chunk: columns.chunk, revision }, kept)
}

/** Whether the row is what this code writes: equal lengths, UIDs rising and of this chunk. */
export function isWholeColumns(row: ColumnsRow): boolean {
  const { uids, flags, modSeqs, dates, sizes, bits, overflow } = row
  const isTyped =
    uids instanceof Uint32Array &&
    flags instanceof Uint32Array &&
    modSeqs instanceof BigUint64Array &&
    dates instanceof Float64Array &&
    sizes instanceof Float64Array &&
    bits instanceof Uint8Array &&
    Array.isArray(overflow)
  if (!isTyped) return false
  if ([flags, modSeqs, dates, sizes, bits].some((column) => column.length !== uids.length)) return false
  return uids.every((uid, i) => chunkOf(uid) === row.chunk && (i === 0 || uid > (uids[i - 1] as number)))
}

function packColumns(key: Pick<ColumnsRow, 'box' | 'chunk' | 'revision'>, messages: readonly PackedMessage[]): ColumnsRow {
  return {
    ...key,
    uids: Uint32Array.from(messages, ({ uid }) => uid),
    flags: Uint32Array.from(messages, ({ flags }) => flags),
    modSeqs: BigUint64Array.from(messages.map(({ modSeq }) => modSeq)),
    dates: Float64Array.from(messages, ({ date }) => date),
    sizes: Float64Array.from(messages, ({ size }) => size),
    bits: Uint8Array.from(messages, ({ bits }) => bits),
    overflow: messages.flatMap(({ uid, extra }) => (extra === null ? [] : [[uid, extra] as const])),
  }
}

function firstRangeEndingFrom(uids: UidSet, uid: number): number {
  let low = 0
  let high = uids.ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((uids.ranges[middle]?.last as number) < uid) low = middle + 1
    else high = middle
  }
  return low
}
