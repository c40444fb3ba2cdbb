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

  /** Pairs the sets of a COPYUID code, member by member in the order written; a range `12:10` is 10, 11, 12 (RFC 4315 §3).
   *  @throws SyncError `remote.protocol` when they differ in length. */
  static fromCopyUid(source: string, destination: string): UidPairs {
    const sources = parseRanges(source)
    const targets = parseRanges(destination)
    const pairs: UidPairRange[] = []
    let [i, j, fromUsed, toUsed] = [0, 0, 0, 0]
    while (i < sources.length && j < targets.length) {
      const from = sources[i] as UidRange
      const to = targets[j] as UidRange
      const length = Math.min(sizeOf(from) - fromUsed, sizeOf(to) - toUsed)
      pairs.push({ from: from.first + fromUsed, to: to.first + toUsed, length })
      fromUsed += length
      toUsed += length
      if (fromUsed === sizeOf(from)) [i, fromUsed] = [i + 1, 0]
      if (toUsed === sizeOf(to)) [j, toUsed] = [j + 1, 0]
    }
    if (i < sources.length || j < targets.length) {
      throw new SyncError('remote.protocol', 'The server answered a COPYUID whose two sets differ in length.')
    }
    return new UidPairs(pairs)
  }

  /** The pairs that lead back. */
  get inverse(): UidPairs {
    return new UidPairs(this.ranges.map(({ from, to, length }) => ({ from: to, to: from, length })))
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

function sizeOf({ first, last }: UidRange): number {
  return last - first + 1
}
