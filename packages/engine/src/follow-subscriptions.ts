/** Takes subscriptions along when LIST shows that a rename of ours, whose answer or whose subscription was lost, took effect: as far as the server lets it. */

import type { MailboxId, MailboxRecord, MailboxStep } from '@tidemail/core'
import { changeLog } from './change-log.ts'
import type { Work } from './work.ts'

/** The steps are sent within this time, or not at all (H-8). */
const FOLLOW_LIFE_MS = 30_000

/** `before` are the mailboxes as they were called. Repeating these steps is harmless. */
export async function followSubscriptions(work: Work, before: ReadonlyMap<MailboxId, MailboxRecord>): Promise<void> {
  const notAfter = work.options.clock.now() + FOLLOW_LIFE_MS
  const reason = 'the subscription follows the name'
  const renamed = [...before.values()].flatMap(({ id, isOnServer, isSubscribed, path: former }) => {
    const path = work.mailboxes.get(id)?.path ?? former
    return isOnServer && isSubscribed && path !== former ? [{ id, former, path, step: work.name('subscribe') }] : []
  })
  if (renamed.length === 0) return
  const observations = await work.run(
    renamed.flatMap(({ former, path, step }): MailboxStep[] => [
      { kind: 'subscribe', id: step, path, notAfter, reason },
      { kind: 'unsubscribe', id: work.name('unsubscribe'), path: former, requires: [step], notAfter, reason },
    ]),
  )
  work.assertAlive()
  const done = new Set(observations.flatMap((item) => (item.kind === 'done' && item.outcome === 'ok' ? [item.id] : [])))
  await changeLog(work, {
    reason,
    decide: (ledger) => {
      for (const { id, step } of renamed) {
        const mailbox = ledger.server.mailbox(id)
        if (mailbox !== undefined && done.has(step)) ledger.server.put({ ...mailbox, isSubscribed: true })
      }
    },
  })
}
