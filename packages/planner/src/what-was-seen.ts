/** Sorts the answers to a forward plan by what they tell of its mailbox. */

import { type FlagState, type ModSeq, type Observation, type RowSeen, type ServerMessage, UID_MAX, UidSet } from '@tidemail/core'
import type { ForwardPlan } from './plan-forward.ts'
import { uidAfter } from './uid-after.ts'

export interface Seen {
  readonly messages: readonly ServerMessage[]
  readonly states: readonly FlagState[]
  /** Every UID that a row or a search named. */
  readonly named: UidSet
  /** Every UID that the step listing all of them named; null where there was no such step. */
  readonly whole: UidSet | null
  readonly vanished: UidSet
  /** What VANISHED (EARLIER) named: gone before the mailbox was opened. */
  readonly earlier: UidSet
}

export function whatWasSeen(plan: ForwardPlan, observations: readonly Observation[]): Seen {
  const messages: ServerMessage[] = []
  const states: FlagState[] = []
  // In the plain tier mod-sequences are not believed, and what is seen now is newer than what is held.
  const modSeqOf = (row: RowSeen): ModSeq | null => (plan.request.tier === 'plain' ? null : row.modSeq)
  const named: number[] = []
  let searched = UidSet.EMPTY
  let whole: UidSet | null = null
  const vanished: UidSet[] = []
  const earlier: UidSet[] = []
  for (const item of observations) {
    if (!('mailbox' in item) || item.mailbox.path !== plan.request.mailbox.path) continue
    if (item.kind === 'row') {
      named.push(item.uid)
      const flags = item.flags ?? []
      if (item.summary !== null && item.flags !== null)
        messages.push({ uid: item.uid, flags, modSeq: modSeqOf(item), ...item.summary })
      else if (item.flags !== null) states.push({ uid: item.uid, flags, modSeq: modSeqOf(item) })
    } else if (item.kind === 'uids') {
      searched = searched.union(item.uids)
      if (item.id !== plan.wholeListId) continue
      // The list is the truth as of now: what VANISHED said before it, right or wrong, is in it.
      whole = item.uids
      vanished.length = 0
    } else if (item.kind === 'vanished') {
      vanished.push(item.uids)
      if (item.isEarlier) earlier.push(item.uids)
    }
  }
  const rows = UidSet.from(named)
  const listedByRows = plan.steps.some((step) => step.id === plan.wholeListId && step.kind === 'fetch')
  return {
    messages,
    states,
    named: rows.union(searched),
    whole: whole === null ? (listedByRows ? rows : null) : whole.union(rowsAbove(rows, whole)),
    vanished: unionOf(vanished),
    earlier: unionOf(earlier),
  }
}

function unionOf(sets: readonly UidSet[]): UidSet {
  return sets.reduce((all, set) => all.union(set), UidSet.EMPTY)
}

/** Rows of messages that arrived after the list was made. */
function rowsAbove(rows: UidSet, list: UidSet): UidSet {
  return rows.intersect(UidSet.range(uidAfter(list), UID_MAX))
}
