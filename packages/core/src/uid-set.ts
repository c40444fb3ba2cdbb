/** A set of UIDs (or local ids) as ascending ranges: `1:4294967295` is one range, and stays one. */

import { SyncError } from './errors.ts'
import { UID_MAX, uid } from './ids.ts'

/** An inclusive range of numbers, `first <= last`. */
export interface UidRange {
  readonly first: number
  readonly last: number
}

/**
 * An immutable set of numbers from 1 to 4,294,967,295, kept as ascending, disjoint, non-adjacent ranges. Every operation
 * costs in ranges, never in numbers; only {@link UidSet.values} walks the numbers, one at a time.
 */
export class UidSet {
  static readonly EMPTY: UidSet = new UidSet([])
  /** Every UID there can be. Sent as `1:4294967295`, never as `1:*` (cyrus-imapd#6071). */
  static readonly ALL: UidSet = new UidSet([{ first: 1, last: UID_MAX }])

  readonly ranges: readonly UidRange[]

  private constructor(ranges: readonly UidRange[]) {
    this.ranges = ranges
  }

  /** The set of these numbers, in any order, repeated or not. @throws SyncError `input.bad-uid` */
  static of(...values: readonly number[]): UidSet {
    return UidSet.from(values)
  }

  /** The set of these numbers, in any order, repeated or not. @throws SyncError `input.bad-uid` */
  static from(values: Iterable<number>): UidSet {
    const sorted = Float64Array.from(values).sort()
    const ranges: { first: number; last: number }[] = []
    for (const value of sorted) {
      const open = ranges.at(-1)
      if (open !== undefined && value <= open.last + 1) open.last = Math.max(open.last, uid(value))
      else ranges.push({ first: uid(value), last: value })
    }
    return new UidSet(ranges)
  }

  /** The numbers from `first` to `last`, in either order. @throws SyncError `input.bad-uid` */
  static range(first: number, last: number): UidSet {
    return UidSet.fromRanges([{ first, last }])
  }

  /** The union of these ranges, in any order, overlapping or not. @throws SyncError `input.bad-uid` */
  static fromRanges(ranges: readonly UidRange[]): UidSet {
    const ordered = ranges
      .map(({ first, last }) => ({ first: uid(Math.min(first, last)), last: uid(Math.max(first, last)) }))
      .sort((a, b) => a.first - b.first)
    const merged: { first: number; last: number }[] = []
    for (const range of ordered) {
      const open = merged.at(-1)
      if (open !== undefined && range.first <= open.last + 1) open.last = Math.max(open.last, range.last)
      else merged.push({ ...range })
    }
    return new UidSet(merged)
  }

  /**
   * Reads a UID set as RFC 9051 writes it: `12,15:20`; ranges may be written backwards. `*` is refused: what it names depends
   * on the moment. The empty text is the empty set.
   * @throws SyncError `input.bad-uid-set`
   */
  static parse(text: string): UidSet {
    if (text === '') return UidSet.EMPTY
    return UidSet.fromRanges(parseRanges(text))
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0
  }

  /** How many numbers are in the set. */
  get size(): number {
    let total = 0
    for (const { first, last } of this.ranges) total += last - first + 1
    return total
  }

  /** The least number, or undefined for the empty set. */
  get min(): number | undefined {
    return this.ranges[0]?.first
  }

  /** The greatest number, or undefined for the empty set. */
  get max(): number | undefined {
    return this.ranges.at(-1)?.last
  }

  has(value: number): boolean {
    let low = 0
    let high = this.ranges.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const range = this.ranges[middle] as UidRange
      if (value < range.first) high = middle - 1
      else if (value > range.last) low = middle + 1
      else return true
    }
    return false
  }

  union(other: UidSet): UidSet {
    if (this.isEmpty) return other
    if (other.isEmpty) return this
    return UidSet.fromRanges([...this.ranges, ...other.ranges])
  }

  intersect(other: UidSet): UidSet {
    const common: UidRange[] = []
    for (let i = 0, j = 0; i < this.ranges.length && j < other.ranges.length; ) {
      const a = this.ranges[i] as UidRange
      const b = other.ranges[j] as UidRange
      const first = Math.max(a.first, b.first)
      const last = Math.min(a.last, b.last)
      if (first <= last) common.push({ first, last })
      if (a.last < b.last) i += 1
      else j += 1
    }
    return new UidSet(common)
  }

  /** The numbers of this set that are not in the other. */
  difference(other: UidSet): UidSet {
    const kept: UidRange[] = []
    let j = 0
    for (const range of this.ranges) {
      let first = range.first
      while (j < other.ranges.length && (other.ranges[j] as UidRange).last < first) j += 1
      for (let k = j; k < other.ranges.length && first <= range.last; k += 1) {
        const cut = other.ranges[k] as UidRange
        if (cut.first > range.last) break
        if (cut.first > first) kept.push({ first, last: cut.first - 1 })
        first = Math.max(first, cut.last + 1)
      }
      if (first <= range.last) kept.push({ first, last: range.last })
    }
    return new UidSet(kept)
  }

  equals(other: UidSet): boolean {
    return (
      this.ranges.length === other.ranges.length &&
      this.ranges.every((range, i) => range.first === other.ranges[i]?.first && range.last === other.ranges[i]?.last)
    )
  }

  /** The greatest `count` numbers of the set: the newest messages of a mailbox. */
  highest(count: number): UidSet {
    const kept: UidRange[] = []
    let wanted = count
    for (let i = this.ranges.length - 1; i >= 0 && wanted > 0; i -= 1) {
      const { first, last } = this.ranges[i] as UidRange
      const start = Math.max(first, last - wanted + 1)
      kept.push({ first: start, last })
      wanted -= last - start + 1
    }
    return new UidSet(kept.reverse())
  }

  /** The numbers in ascending order, one at a time. Never spread a set that a server gave: it may hold four thousand million. */
  *values(): Generator<number> {
    for (const { first, last } of this.ranges) for (let value = first; value <= last; value += 1) yield value
  }

  /** The set cut into sets of at most `sizeMax` numbers each, ascending. */
  chunksOfSize(sizeMax: number): UidSet[] {
    if (!(sizeMax >= 1)) throw new SyncError('engine.bug', 'A piece of a set holds at least one number.')
    const chunks: UidSet[] = []
    let pending: UidRange[] = []
    let room = sizeMax
    for (const range of this.ranges) {
      for (let { first } = range; first <= range.last; ) {
        const last = Math.min(range.last, first + room - 1)
        pending.push({ first, last })
        room -= last - first + 1
        first = last + 1
        if (room > 0) continue
        chunks.push(new UidSet(pending))
        pending = []
        room = sizeMax
      }
    }
    if (pending.length > 0) chunks.push(new UidSet(pending))
    return chunks
  }

  /** The set cut so that each piece is written in at most `octetsMax` octets (command lines stay under 8,192: RFC 7162 §4). */
  chunksOfOctets(octetsMax: number): UidSet[] {
    const chunks: UidSet[] = []
    let pending: UidRange[] = []
    let octets = 0
    for (const range of this.ranges) {
      const length = formatRange(range).length + 1
      if (octets + length > octetsMax && pending.length > 0) {
        chunks.push(new UidSet(pending))
        pending = []
        octets = 0
      }
      pending.push(range)
      octets += length
    }
    if (pending.length > 0) chunks.push(new UidSet(pending))
    return chunks
  }

  /** As RFC 9051 writes it: `12,15:20`; empty for the empty set. */
  toString(): string {
    return this.ranges.map(formatRange).join(',')
  }
}

/**
 * Reads the ranges of a set in the order they are written, which is what COPYUID and APPENDUID need. Within a range the order means nothing:
 * `12:10` is 10, 11, 12 (RFC 4315 §3).
 * @throws SyncError `input.bad-uid-set`
 */
export function parseRanges(text: string): UidRange[] {
  return text.split(',').map((piece) => {
    const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(piece)
    const one = Number(match?.[1])
    const other = match?.[2] === undefined ? one : Number(match[2])
    const first = Math.min(one, other)
    const last = Math.max(one, other)
    if (match === null || first < 1 || last > UID_MAX) {
      throw new SyncError('input.bad-uid-set', `"${text.slice(0, 60)}" is not a UID set.`, {
        hint: 'Write UIDs and ranges such as 12,15:20.',
      })
    }
    return { first, last }
  })
}

function formatRange({ first, last }: UidRange): string {
  return first === last ? String(first) : `${first}:${last}`
}
