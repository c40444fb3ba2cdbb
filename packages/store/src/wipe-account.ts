/** Removes an account with everything it holds, in one transaction. */

import type { AccountId } from '@tidemail/core'
import { removeClaim, removeEntry } from './apply-log.ts'
import { removeMailbox } from './apply-mailbox.ts'
import { releaseParts } from './apply-parts.ts'
import type { UnitOfWork } from './unit-of-work.ts'

export async function wipeAccount(unit: UnitOfWork, accountId: AccountId): Promise<void> {
  const { db } = unit
  for (const id of await db.mailboxes.where('accountId').equals(accountId).primaryKeys()) await removeMailbox(unit, id)
  for (const seq of await db.entries.where('accountId').equals(accountId).primaryKeys()) await removeEntry(unit, seq)
  for (const id of await db.claims.where('accountId').equals(accountId).primaryKeys()) await removeClaim(unit, id)
  const all = [accountId, 0]
  await db.receipts.where('[accountId+seq]').between(all, [accountId, Number.MAX_SAFE_INTEGER], true, true).delete()
  await db.forwards.bulkDelete(await db.forwards.where('accountId').equals(accountId).primaryKeys())
  await releaseParts(unit, accountId)
  await db.accounts.delete(accountId)
  unit.accounts.add(accountId)
  unit.hasLogChanged = true
}
