/** Says under which UIDs the members of a claim were sent, whatever they are called in the log. */

import { type Targets, UidPairs, UidSet } from '@tidemail/core'
import type { ClaimMember } from '@tidemail/replay-log'

/** Empty for a member that has no UID yet, such as an upload. */
export function sentUids({ targets, sentAs }: ClaimMember): UidSet {
  if (targets.kind === 'stored') return targets.uids
  return sentAs?.destinations ?? UidSet.EMPTY
}

/** Those of the member's targets that were sent under these UIDs, as the log calls them; null when there are none. */
export function sentUnder({ targets, sentAs }: ClaimMember, uids: UidSet): Targets | null {
  if (targets.kind === 'stored') {
    const mine = targets.uids.intersect(uids)
    return mine.isEmpty ? null : { ...targets, uids: mine }
  }
  const locals = localsOf(sentAs ?? UidPairs.EMPTY, uids).sources
  return locals.isEmpty ? null : { ...targets, locals }
}

/** The pairs that lead to these UIDs. */
export function localsOf({ ranges }: UidPairs, uids: UidSet): UidPairs {
  return new UidPairs(
    ranges.flatMap(({ from, to, length }) =>
      UidSet.range(to, to + length - 1)
        .intersect(uids)
        .ranges.map(({ first, last }) => ({ from: from + (first - to), to: first, length: last - first + 1 })),
    ),
  )
}
