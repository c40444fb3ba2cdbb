/** Says which UIDs the locals of a copy or move got. */

import { UidPairs, UidSet } from '@tidemail/core'

/** Which local became which UID, when `placed` says which source became which local. */
export function namedLocals(placed: UidPairs, pairs: UidPairs): UidPairs {
  const translated = pairs.ranges.flatMap(({ from, to, length }) =>
    placed.restrict(UidSet.range(from, from + length - 1)).ranges.map((range) => ({
      from: range.to,
      to: to + (range.from - from),
      length: range.length,
    })),
  )
  return new UidPairs(translated)
}
