/** Fetches older messages than the policy holds, because the app asks for them, and lets go of them again. */

import { leftOutRows, type MailboxRecord, missingRows, SyncError, UidSet } from '@tidemail/core'
import { backfilled } from '@tidemail/planner'
import type { BackfillOptions, BackfillReport } from './api.ts'
import { canonicalPath } from './canonical-path.ts'
import { discover } from './discover.ts'
import { prefetchParts } from './prefetch-parts.ts'
import { fetchMissing, resync, waitingMailboxes } from './resync.ts'
import type { Synchroniser } from './synchroniser.ts'
import type { Work } from './work.ts'

/** @see MailEngine.backfill */
export function backfillMailbox(synchroniser: Synchroniser, options: BackfillOptions): Promise<BackfillReport> {
  const { mailbox: name, messages } = options
  if (!(Number.isInteger(messages) && messages >= 0)) {
    throw new SyncError('input.usage', 'To backfill takes a whole number of messages.')
  }
  const path = canonicalPath(name)
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  return synchroniser.attend({ mailboxes: [path], ...signal }, async (work) => {
    await work.loadMailboxes()
    // What is older is counted from what is there now.
    await resync(work, await discover(work), new Set())
    const asked = await widen(work, path, messages)
    await fetchMissing(work, await waitingMailboxes(work))
    await prefetchParts(work)
    const mailbox = recordOf(work, path)
    const covered = mailbox?.checkpoint?.covered ?? UidSet.EMPTY
    return {
      messagesFetched: asked.intersect(covered).size,
      messagesToFetch: mailbox === undefined ? 0 : missingRows(mailbox).size,
      messagesLeftOut: mailbox === undefined ? 0 : leftOutRows(mailbox).size,
    }
  })
}

/** Remembers the wish before it is carried out; answers the messages that are wanted in addition. */
async function widen(work: Work, path: string, messages: number): Promise<UidSet> {
  const mailbox = recordOf(work, path)
  const window = mailbox === undefined ? null : backfilled(mailbox, messages)
  if (mailbox === undefined || window === null) return UidSet.EMPTY
  const { id, box } = mailbox
  const reason = `hold older messages of ${path} because they were asked for`
  await work.commit(reason, [{ kind: 'put-mailbox', mailbox: { ...mailbox, window } }], { boxes: [{ mailboxId: id, box }] })
  return window.backfilled.difference(mailbox.window?.backfilled ?? UidSet.EMPTY)
}

function recordOf(work: Work, path: string): MailboxRecord | undefined {
  return [...work.mailboxes.values()].find((mailbox) => mailbox.path === path)
}
