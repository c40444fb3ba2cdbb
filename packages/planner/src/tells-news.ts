/** Decides whether what a server says of a mailbox, while it is watched, is more than the store holds. */

import type { MailboxRecord, MailboxSeen, StatusSeen } from '@tidemail/core'

/** What the server leaves out says nothing. A mailbox that is not known is news. */
export function tellsNews(mailbox: MailboxRecord | undefined, status: StatusSeen): boolean {
  if (mailbox === undefined) return true
  const { checkpoint, isSelectable } = mailbox
  if (checkpoint === null) return isSelectable
  return (
    differs(status.uidValidity, mailbox.uidValidity) ||
    differs(status.uidNext, checkpoint.uidNext) ||
    differs(status.messages, checkpoint.known.size) ||
    differs(status.highestModSeq, checkpoint.highestModSeq)
  )
}

/** A name that is not known, or is no mailbox any more, or is subscribed otherwise. What is not there is not missed here. */
export function tellsName(mailbox: MailboxRecord | undefined, seen: MailboxSeen): boolean {
  if (mailbox === undefined) return seen.isSelectable
  return mailbox.isSelectable !== seen.isSelectable || mailbox.isSubscribed !== seen.isSubscribed
}

function differs<T>(there: T | null, here: T | null): boolean {
  return there !== null && here !== null && there !== here
}
