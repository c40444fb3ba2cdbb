/** Tells which rows of a mailbox are to be held: all of them, or those in the window of a policy and those that the app asked for beyond it. */

import type { BoxEpoch } from './ids.ts'
import { UID_MAX } from './ids.ts'
import type { MailboxRecord } from './records.ts'
import { UidSet } from './uid-set.ts'

/** Which rows a policy holds of a mailbox, of which all UIDs are known whatever it says (I-SYNC-2). */
export interface HeldWindow {
  /** Names what was asked for when the window was made, as `last-days:30`. */
  readonly hold: string
  /** The UIDs are those of this box: under another the window is to be made anew. */
  readonly box: BoxEpoch
  /** Every message from this UID on is held. */
  readonly from: number
  /** Of those below, the ones of the days that are held. */
  readonly dated: UidSet
  /** Nothing of before this time is held, in milliseconds since 1970; null where dates do not count. */
  readonly since: number | null
  /** Older messages that the app asked for: they stay until it lets go of them. */
  readonly backfilled: UidSet
}

type Windowed = Pick<MailboxRecord, 'box' | 'checkpoint' | 'window'>

/** The messages of which the row is to be held, here already or not. */
export function wantedRows({ box, checkpoint, window }: Windowed): UidSet {
  const known = checkpoint?.known ?? UidSet.EMPTY
  if (window === undefined || window === null || window.box !== box) return known
  const { from, dated, backfilled } = window
  return UidSet.range(Math.min(from, UID_MAX), UID_MAX).union(dated).union(backfilled).intersect(known)
}

/** The messages of which the row is wanted and not here. */
export function missingRows(mailbox: Windowed): UidSet {
  return wantedRows(mailbox).difference(mailbox.checkpoint?.covered ?? UidSet.EMPTY)
}

/** The messages that are on the server and that the policy leaves out. */
export function leftOutRows(mailbox: Windowed): UidSet {
  const known = mailbox.checkpoint?.known ?? UidSet.EMPTY
  return known.difference(wantedRows(mailbox)).difference(mailbox.checkpoint?.covered ?? UidSet.EMPTY)
}
