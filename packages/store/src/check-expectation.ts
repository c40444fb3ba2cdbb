/** Holds a change against what it was decided on, inside its transaction (H-16). */

import { type Change, namesReplaced } from '@tidemail/core'
import { decodeEntryRow } from './apply-log.ts'
import type { StoreDatabase } from './schema.ts'
import { Conflict } from './store-errors.ts'

/** @throws Conflict when something is not as it was */
export async function checkExpectation(db: StoreDatabase, change: Change): Promise<void> {
  const { expect } = change
  if (expect.leaderEpoch !== undefined) {
    const accounts = await db.accounts.toArray()
    if (!accounts.some(({ leaderEpoch }) => leaderEpoch === expect.leaderEpoch)) {
      throw new Conflict('leader', 'Another leader has taken over.')
    }
  }
  const boxes = expect.boxes ?? []
  const mailboxes = await db.mailboxes.bulkGet(boxes.map(({ mailboxId }) => mailboxId))
  for (const [i, { mailboxId, box }] of boxes.entries()) {
    if (mailboxes[i]?.box !== box) throw new Conflict('mailbox', `Mailbox ${mailboxId} is gone or has new UIDs.`)
  }
  const expected = expect.entries ?? []
  const entries = await db.entries.bulkGet(expected.map(({ seq }) => seq))
  for (const [i, { seq, revision }] of expected.entries()) {
    if (entries[i]?.revision !== revision) throw new Conflict('entry', `Entry ${seq} is gone or has changed.`)
  }
  await checkLateNames(db, change)
}

/** An operation accepted meanwhile must not be left with a name that the change replaces. */
async function checkLateNames(db: StoreDatabase, { expect, writes }: Change): Promise<void> {
  const { newestEntry } = expect
  if (newestEntry === undefined) return
  const forwards = writes.filter((write) => write.kind === 'forward')
  const late = await db.entries.where('seq').above(newestEntry.seq).toArray()
  for (const row of late) {
    const { accountId, effects } = decodeEntryRow(row)
    if (accountId === newestEntry.accountId && forwards.some((forward) => namesReplaced(effects, forward))) {
      throw new Conflict('entry', 'An operation was accepted meanwhile.')
    }
  }
}
