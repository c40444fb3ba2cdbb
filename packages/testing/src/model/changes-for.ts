/** What a mailbox that is opened tells a client that knows it from before (RFC 7162 §3.2.5): for both servers in memory. */

import { type KnownState, type SequenceMatch, UidSet } from '@tidemail/core'
import type { ChangesSince } from './mailbox-answers.ts'
import type { SelectedMailbox } from './selected-mailbox.ts'

type Known = Pick<KnownState, 'knownUids' | 'sequenceMatch'> & { readonly modSeq: bigint }

/** Null for a mod-sequence of the future, which is ignored, as servers do. */
export function changesFor(view: SelectedMailbox, known: Known): Pick<ChangesSince, 'changed' | 'vanished'> | null {
  const { mailbox } = view
  if (known.modSeq > mailbox.highestModSeq) return null
  const uids = known.knownUids ?? UidSet.ALL
  const { changed, isRemembered, vanished } = mailbox.changesSince(known.modSeq)
  const told = vanished.intersect(uids)
  return {
    changed: changed.filter(({ uid }) => uids.has(uid)),
    vanished: isRemembered ? told : told.difference(upToLastMatch(view, known.sequenceMatch)),
  }
}

/** Up to the greatest UID that still has the number the client knows: what vanished below it, it has heard of. */
function upToLastMatch(view: SelectedMailbox, sample: SequenceMatch | undefined): UidSet {
  if (sample === undefined) return UidSet.EMPTY
  const uids = sample.uids.values()
  let matched = 0
  for (const number of sample.numbers.values()) {
    const uid = uids.next().value
    if (uid === undefined || view.uidAt(number) !== uid) break
    matched = uid
  }
  return matched === 0 ? UidSet.EMPTY : UidSet.range(1, matched)
}
