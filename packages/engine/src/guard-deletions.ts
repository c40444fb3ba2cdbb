/** Stops what would delete many messages at once, here or on the server, until the app has said yes (FIELD-12). */

import { type MailboxRecord, UidSet } from '@tidemail/core'
import { asksBefore, massExpunges, policyOf } from '@tidemail/planner'
import { changeLog, replayState } from './change-log.ts'
import type { Work } from './work.ts'

/** Whether the rows of these messages, which the server has no more, may go now; where not, the app is told. */
export function mayLose(work: Work, mailbox: MailboxRecord, gone: UidSet): boolean {
  const { consents, policy } = work.options
  const held = mailbox.checkpoint?.covered ?? UidSet.EMPTY
  const loss = { going: held.intersect(gone).size, of: held.size }
  if (consents.has(mailbox.id) || !asksBefore(loss, policyOf(mailbox, policy))) return true
  const message = `${loss.going} of ${loss.of} messages of ${mailbox.path} are gone from the server: they stay here until their removal is allowed.`
  ask(work, { mailbox: mailbox.path, message, seq: null })
  return false
}

/** Parks what would expunge more of a mailbox than the policy lets through unasked. */
export async function parkMassExpunges(work: Work): Promise<void> {
  const { consents, policy } = work.options
  const { entries, mailboxes } = await replayState(work)
  const scene = { mailboxes, policy, allowed: consents }
  let stopped = massExpunges(entries, scene)
  if (stopped.length === 0) return
  await changeLog(work, {
    reason: 'ask before many messages are expunged',
    decide: (ledger) => {
      stopped = massExpunges(ledger.open, scene)
      for (const { seq, targets, reason } of stopped) ledger.park(seq, targets, reason)
    },
  })
  for (const { seq, mailbox, going } of stopped) {
    const message = `${going} messages of ${mailbox.path} are to be expunged: nothing is sent until that is allowed.`
    ask(work, { mailbox: mailbox.path, message, seq })
  }
}

function ask(
  work: Work,
  asked: { readonly mailbox: string; readonly message: string; readonly seq: Parameters<Work['problem']>[0]['seq'] },
): void {
  const isTold = work.options.tally.problems.some(
    ({ code, mailbox, seq }) => code === 'sync.mass-delete' && mailbox === asked.mailbox && seq === asked.seq,
  )
  if (!isTold) work.problem({ code: 'sync.mass-delete', ...asked })
}
