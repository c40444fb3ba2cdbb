/** Which UID a message had before a COPY or MOVE and which it has after, as COPYUID tells it (RFC 4315 §3). */

import { SyncError } from './errors.ts'
import { parseRanges, type UidRange, UidSet } from './uid-set.ts'

/** `length` consecutive messages: `from`, `from + 1`, ... became `to`, `to + 1`, ... */
export interface UidPairRange {
  readonly from: number
  readonly to: number
  readonly length: number
}

/** Pairs of UIDs, kept as ranges in ascending order of `from`. */
export class UidPairs {
  static readonly EMPTY: UidPairs = new UidPairs([])

  readonly ranges: readonly UidPairRange[]

  constructor(ranges: readonly UidPairRange[]) {
    this.ranges = [...ranges].sort((a, b) => a.from - b.from)
  }

  /** Pairs the sets of a COPYUID code, member by member in the order written; ranges may run backwards.
   *  @throws SyncError `remote.protocol` when they differ in length. */
  static fromCopyUid(source: string, destination: string): UidPairs {
    const sources = parseRanges(source).map(cursorOver)
    const targets = parseRanges(destination).map(cursorOver)
    const pairs: UidPairRange[] = []
    while (sources.length > 0 && targets.length > 0) {
      const from = sources[0] as Cursor
      const to = targets[0] as Cursor
      const length = from.step === to.step ? Math.min(from.left, to.left) : 1
      pairs.push({ from: lowest(from, length), to: lowest(to, length), length })
      if (advance(from, length)) sources.shift()
      if (advance(to, length)) targets.shift()
    }
    if (sources.length > 0 || targets.length > 0) {
      throw new SyncError('remote.protocol', 'The server answered a COPYUID whose two sets differ in length.')
    }
    return new UidPairs(pairs)
  }

  get sources(): UidSet {
    return UidSet.fromRanges(this.ranges.map(({ from, length }) => ({ first: from, last: from + length - 1 })))
  }

  get destinations(): UidSet {
    return UidSet.fromRanges(this.ranges.map(({ to, length }) => ({ first: to, last: to + length - 1 })))
  }

  /** What `from` became, or undefined. */
  get(from: number): number | undefined {
    const range = this.ranges.find((candidate) => from >= candidate.from && from < candidate.from + candidate.length)
    return range === undefined ? undefined : range.to + (from - range.from)
  }

  /** The pairs whose source is in `sources`. */
  restrict(sources: UidSet): UidPairs {
    const kept: UidPairRange[] = []
    for (const { from, to, length } of this.ranges) {
      for (const range of UidSet.range(from, from + length - 1).intersect(sources).ranges) {
        kept.push({ from: range.first, to: to + (range.first - from), length: range.last - range.first + 1 })
      }
    }
    return new UidPairs(kept)
  }

  union(other: UidPairs): UidPairs {
    return new UidPairs([...this.ranges, ...other.ranges])
  }
}

interface Cursor {
  at: number
  left: number
  readonly step: 1 | -1
}

function cursorOver({ first, last }: UidRange): Cursor {
  return { at: first, left: Math.abs(last - first) + 1, step: last < first ? -1 : 1 }
}

function lowest(cursor: Cursor, length: number): number {
  return cursor.step === 1 ? cursor.at : cursor.at - length + 1
}

function advance(cursor: Cursor, length: number): boolean {
  cursor.at += cursor.step * length
  cursor.left -= length
  return cursor.left === 0
}
