/** The mailbox that is selected, as far as the server has told. */

import type { MailboxIdentity, ModSeq, Observation, RowSeen, Uid, UidSet } from '@tidemail/core'
import { modSeq } from '@tidemail/core'
import type { FetchRow } from './fetch-row.ts'
import type { Untagged } from './response.ts'

export interface Selection {
  readonly mailbox: MailboxIdentity
  /** Kept up to date by EXISTS, EXPUNGE and VANISHED. */
  exists: number
  readonly highestModSeq: ModSeq | null
}

/** Takes in what a response says of the selected mailbox, whatever command it answers: the observation it makes, or null. */
export function takeNews(response: Untagged, selection: Selection): Observation | null {
  switch (response.kind) {
    case 'exists':
      selection.exists = response.count
      return null
    case 'expunged':
      selection.exists = Math.max(0, selection.exists - 1)
      return null
    case 'vanished':
      if (!response.isEarlier) selection.exists = countWithout(selection.exists, response.uids)
      if (response.uids.isEmpty) return null
      return { kind: 'vanished', mailbox: selection.mailbox, uids: response.uids, isEarlier: response.isEarlier }
    case 'fetch':
      return flagsRow(response.row, selection.mailbox)
    default:
      return null
  }
}

/**
 * How many messages there are after these have vanished. More than there are cannot vanish: then the count stays, so that it does not add up with what
 * was named, and the UIDs are listed before anything is believed.
 */
export function countWithout(exists: number, vanished: UidSet): number {
  return vanished.size > exists ? exists : exists - vanished.size
}

/** What a row says of flags, without what else it holds; null when it names no UID or says nothing. */
export function flagsRow(row: FetchRow, mailbox: MailboxIdentity): RowSeen | null {
  if (row.uid === null || (row.flags === null && row.modSeq === null)) return null
  return {
    kind: 'row',
    mailbox,
    uid: row.uid as Uid,
    flags: row.flags,
    modSeq: row.modSeq === null ? null : modSeq(row.modSeq),
    summary: null,
  }
}
