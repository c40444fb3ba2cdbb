/** The record of a mailbox of which nothing is known but its name and its place in the account. */

import type { MailboxRecord } from '@tidemail/core'

export type MailboxSighting = Pick<
  MailboxRecord,
  'id' | 'box' | 'accountId' | 'path' | 'delimiter' | 'role' | 'isSelectable' | 'isSubscribed' | 'isOnServer'
>

export function mailboxNeverOpened(seen: MailboxSighting): MailboxRecord {
  return {
    ...seen,
    objectId: null,
    uidValidity: null,
    checkpoint: null,
    permanentFlags: [],
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
  }
}
