/** Decides when a server that forgets what it expunged is given a sample of message numbers, and which, so that it need not tell of all that ever went. */

import { type Checkpoint, type SequenceMatch, UidSet } from '@tidemail/core'

/** The distances from the end at which numbers are sampled, 1, 2, 4 ... up to 2^31: a line of all pairs stays below 1,000 octets. */
export const SEQUENCE_MATCH_PAIRS_MAX = 32

/**
 * The last message, the one before it, and on at twice the distance each: the server tells of at most twice as many messages from the end as
 * it has to, whatever the size of the mailbox. Null where the numbers are not exact, or there is no message.
 */
export function sequenceMatchOf(checkpoint: Checkpoint): SequenceMatch | null {
  // Numbers are those of the whole mailbox as of its mod-sequence: what went since had one, and what we put there since may have others before it.
  if (checkpoint.goneSince !== undefined && !checkpoint.goneSince.isEmpty) return null
  const listed = belowUidNext(checkpoint.known, checkpoint)
  const count = listed.size
  const numbers: number[] = []
  const uids: number[] = []
  for (let last = 1; last <= count && numbers.length < SEQUENCE_MATCH_PAIRS_MAX; last *= 2) {
    const uid = listed.highest(last).min
    if (uid === undefined) break
    numbers.push(count - last + 1)
    uids.push(uid)
  }
  return numbers.length === 0 ? null : { numbers: UidSet.from(numbers), uids: UidSet.from(uids) }
}

/** Whether VANISHED (EARLIER) names messages that were gone when the checkpoint was taken: the server does not remember when they went. */
export function namesLongGone(checkpoint: Checkpoint, vanished: UidSet): boolean {
  const strangers = belowUidNext(vanished, checkpoint).difference(checkpoint.known)
  return !strangers.difference(checkpoint.goneSince ?? UidSet.EMPTY).isEmpty
}

/** Those that may have been there when the checkpoint was taken: new messages have higher UIDs. */
function belowUidNext(uids: UidSet, { uidNext }: Checkpoint): UidSet {
  return uidNext <= 1 ? UidSet.EMPTY : uids.intersect(UidSet.range(1, uidNext - 1))
}
