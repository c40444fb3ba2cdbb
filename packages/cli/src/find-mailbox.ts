/** Finds the mailbox a person means: by its path, INBOX in any case, or a role such as `\Trash`. */

import { type MailboxView, SyncError } from '@tidemail/core'

/** So many mailboxes are named in a hint. */
const HINTED_MAILBOXES_MAX = 8

/** @throws SyncError `input.unknown-mailbox` */
export function findMailbox(mailboxes: readonly MailboxView[], name: string): MailboxView {
  const found = seekMailbox(mailboxes, name)
  if (found !== undefined) return found
  const paths = mailboxes.slice(0, HINTED_MAILBOXES_MAX).map(({ path }) => path)
  const rest = mailboxes.length > paths.length ? `, and ${mailboxes.length - paths.length} more: see \`tidemail list\`` : ''
  throw new SyncError('input.unknown-mailbox', `There is no mailbox "${name.slice(0, 120)}" in the store.`, {
    hint: paths.length === 0 ? 'No mailbox is known yet: run `tidemail sync`.' : `The mailboxes are ${paths.join(', ')}${rest}.`,
  })
}

/** As {@link findMailbox}; undefined when there is none. */
export function seekMailbox(mailboxes: readonly MailboxView[], name: string): MailboxView | undefined {
  return mailboxes.find((mailbox) => mailbox.path === name) ?? byRole(mailboxes, name) ?? inbox(mailboxes, name)
}

function byRole(mailboxes: readonly MailboxView[], name: string): MailboxView | undefined {
  if (!name.startsWith('\\')) return undefined
  return mailboxes.find(({ role }) => role === name.slice(1).toLowerCase())
}

function inbox(mailboxes: readonly MailboxView[], name: string): MailboxView | undefined {
  return name.toUpperCase() === 'INBOX' ? mailboxes.find(({ path }) => path.toUpperCase() === 'INBOX') : undefined
}
