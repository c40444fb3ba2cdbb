import { type MailboxRole, type MailboxView, mailboxId } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { findMailbox } from './find-mailbox.ts'

const mailbox = (id: number, path: string, role: MailboxRole | null): MailboxView => {
  const counts = { total: 0, unread: 0, toFetch: 0, leftOut: 0 }
  return {
    id: mailboxId(id),
    path,
    role,
    delimiter: '/',
    namespace: 'personal',
    isSelectable: true,
    isSubscribed: true,
    isPending: false,
    ...counts,
  }
}
const MAILBOXES = [
  mailbox(1, 'INBOX', 'inbox'),
  mailbox(2, 'Papierkorb', 'trash'),
  mailbox(3, '\\Trash', null),
  mailbox(4, 'inbox/a', null),
]

describe('findMailbox', () => {
  it.each([
    ['INBOX', 1],
    ['inbox', 1],
    ['Inbox', 1],
    ['\\trash', 2],
    ['\\TRASH', 2],
    ['\\Trash', 3],
    ['inbox/a', 4],
  ])('finds %s', (name, id) => {
    expect(findMailbox(MAILBOXES, name).id).toBe(id)
  })

  it.each(['papierkorb', 'INBOX/A', '\\Sent', '', '*'])('does not guess what "%s" may be, and says what there is', (name) => {
    expect(() => findMailbox(MAILBOXES, name)).toThrow(
      expect.objectContaining({ code: 'input.unknown-mailbox', hint: 'The mailboxes are INBOX, Papierkorb, \\Trash, inbox/a.' }),
    )
  })
})
