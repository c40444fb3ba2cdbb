/** Takes the mailbox back when the operation that was to make it is taken back or given up. */

import type { Change } from '@tidemail/core'
import { Ledger } from '@tidemail/planner'
import { decodeEntry, type Entry } from '@tidemail/replay-log'
import type { MailboxScene } from './mailbox-requests.ts'

/** What goes with the entry, in the same change; what was to go into the mailbox is parked, and its messages show where they were (I-STORE-2). */
export async function withdrawMailbox(
  { accountId, store }: MailboxScene,
  { seq, operation }: Entry,
  now: number,
): Promise<Pick<Change, 'writes' | 'expect'>> {
  const none = { writes: [], expect: {} }
  if (operation.kind !== 'create-mailbox') return none
  const mailboxes = new Map((await store.planning.mailboxes(accountId)).map((record) => [record.id, record]))
  if (mailboxes.get(operation.mailboxId)?.isOnServer !== false) return none
  const entries = (await store.planning.entries(accountId)).map(decodeEntry).filter((entry) => entry.seq !== seq)
  const ledger = new Ledger({ entries, mailboxes, now })
  ledger.server.remove(operation.mailboxId)
  return ledger.change()
}
