/** Finds where a draft is on the server, once it has been named there. */

import type { MailboxId, MailboxRecord, Uid } from '@tidemail/core'
import type { Entry } from '@tidemail/replay-log'

/** Null for what is no draft, and where no APPENDUID of this life of the mailbox says: then nobody is led to it. */
export function landingOf(
  { operation, settled }: Entry,
  mailboxOf: (id: MailboxId) => MailboxRecord | undefined,
): { readonly mailbox: MailboxRecord; readonly uid: Uid } | null {
  if (operation.kind !== 'draft') return null
  const mailbox = mailboxOf(operation.to)
  const { local } = operation.message
  for (const { targets, evidence } of settled) {
    if (targets.kind !== 'local' || !targets.locals.has(local) || evidence.kind !== 'append-uid') continue
    if (mailbox?.uidValidity === evidence.target.uidValidity) return { mailbox, uid: evidence.uid }
  }
  return null
}
