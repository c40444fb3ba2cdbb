/**
 * Tells what the server lists of a mailbox from what it merely named. COPYUID and APPENDUID name UIDs from UIDNEXT on (H-13), which a listing may leave out for
 * a while: a server that does not see a message yet does nothing to it, and says OK (H-14).
 */

import { type MailboxRecord, UID_MAX, UidSet } from '@tidemail/core'

/** What can be acted on. */
export function listedUids(mailbox: Pick<MailboxRecord, 'checkpoint'>): UidSet {
  return (mailbox.checkpoint?.known ?? UidSet.EMPTY).intersect(givenUids(mailbox))
}

/** Listed before, or passed over. */
export function goneUids(mailbox: Pick<MailboxRecord, 'checkpoint'>): UidSet {
  return givenUids(mailbox).difference(mailbox.checkpoint?.known ?? UidSet.EMPTY)
}

/** What a mailbox lists is among these; after the last UID there is no other. */
function givenUids({ checkpoint }: Pick<MailboxRecord, 'checkpoint'>): UidSet {
  const { uidNext = 1 } = checkpoint ?? {}
  const last = uidNext === UID_MAX ? UID_MAX : uidNext - 1
  return last < 1 ? UidSet.EMPTY : UidSet.range(1, last)
}
