/** Carries what is held of a mailbox over to its new UIDs, once all of them are known, and lets go of the box before. */

import { type MailboxRecord, missingRows, UidSet, type Write } from '@tidemail/core'
import { planRelink, RELINK_CHUNK_MESSAGES, settleRelink } from '@tidemail/planner'
import { changeLog } from './change-log.ts'
import type { Work } from './work.ts'

/** Every mailbox that has a new UIDVALIDITY and is taken in whole; what was interrupted goes on. */
export async function relinkMailboxes(work: Work): Promise<void> {
  for (const mailbox of [...work.mailboxes.values()]) {
    const { checkpoint, formerBox } = mailbox
    const isWhole = checkpoint !== null && missingRows(mailbox).isEmpty
    if (formerBox !== null && isWhole) await relink(work, mailbox, formerBox)
  }
}

/** Parts first, so that the box before is only dropped when nothing more is wanted of it. */
async function relink(work: Work, mailbox: MailboxRecord, formerBox: NonNullable<MailboxRecord['formerBox']>): Promise<void> {
  const { planning } = work.options.store
  const now = await planning.identities(mailbox.id, mailbox.checkpoint?.covered ?? UidSet.EMPTY)
  const { content, messages } = planRelink(await planning.formerIdentities(mailbox.id), now)
  const reason = `keep what is held of ${mailbox.path} under its new UIDs`
  for (let left = content.sources; !left.isEmpty; ) {
    const chunk = left.highest(RELINK_CHUNK_MESSAGES)
    left = left.difference(chunk)
    const write: Write = { kind: 'carry-parts', mailboxId: mailbox.id, pairs: content.restrict(chunk) }
    const { id, box } = mailbox
    if (!(await work.commit(reason, [write], { boxes: [{ mailboxId: id, box }] }))) return
  }
  await changeLog(work, {
    reason,
    decide: (ledger) => {
      settleRelink(mailbox, formerBox, messages, ledger)
      const after = ledger.server.mailbox(mailbox.id)
      if (after !== undefined) ledger.server.put({ ...after, formerBox: null })
    },
  })
}
