/** Writes to accounts and mailboxes. */

import type { BoxEpoch, MailboxId, MailboxRecord, Write } from '@tidemail/core'
import { dropBox } from './apply-parts.ts'
import { encodeMailbox, type MailboxRow } from './mailbox-codec.ts'
import type { UnitOfWork } from './unit-of-work.ts'

export async function putAccount(unit: UnitOfWork, { account }: Extract<Write, { kind: 'put-account' }>): Promise<void> {
  const before = await unit.db.accounts.get(account.id)
  const fresh = { id: account.id, nextLocal: 1, leaderEpoch: 0, logRevision: 0, logRewritten: unit.revision }
  await unit.db.accounts.put({ ...fresh, ...before, record: account })
  unit.accounts.add(account.id)
}

export async function putMailbox(unit: UnitOfWork, mailbox: MailboxRecord): Promise<void> {
  const before = await unit.db.mailboxes.get(mailbox.id)
  for (const box of boxesOf(before)) if (box !== mailbox.box && box !== mailbox.formerBox) await dropBox(unit, box)
  await unit.db.mailboxes.put(encodeMailbox(mailbox))
  if (before?.box !== mailbox.box) {
    const { revision } = unit
    const counted = { total: 0, unread: 0, keywords: [] }
    await unit.db.boxes.put({ box: mailbox.box, mailboxId: mailbox.id, madeAt: revision, revision, ...counted })
  }
  unit.numbers.nextMailbox = Math.max(unit.numbers.nextMailbox, mailbox.id + 1)
  unit.numbers.nextBox = Math.max(unit.numbers.nextBox, mailbox.box + 1)
  unit.mailboxes.add(mailbox.id)
  unit.accounts.add(mailbox.accountId)
}

/** Entries and the bodies that they name stay (I-STORE-2). */
export async function removeMailbox(unit: UnitOfWork, mailboxId: MailboxId): Promise<void> {
  const mailbox = await unit.db.mailboxes.get(mailboxId)
  if (mailbox === undefined) return
  for (const box of boxesOf(mailbox)) await dropBox(unit, box)
  await unit.db.mailboxes.delete(mailboxId)
  unit.mailboxes.add(mailboxId)
  unit.accounts.add(mailbox.accountId)
}

function boxesOf(row: MailboxRow | undefined): readonly BoxEpoch[] {
  const former = row?.record.formerBox ?? null
  return row === undefined ? [] : former === null ? [row.box] : [row.box, former]
}
