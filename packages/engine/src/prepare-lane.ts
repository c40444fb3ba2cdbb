/** Makes a lane ready for replay: what it acts on and what it sends to is opened and compared before anything is done (RFC 4549 §3). */

import type { MailboxRecord, Rejection } from '@tidemail/core'
import { isGone, isPassing, type Lane, planVisits, statusesSeen } from '@tidemail/planner'
import { destinationOf, type Entry, isUpload } from '@tidemail/replay-log'
import { bringForward } from './bring-forward.ts'
import { changeLog, replayState } from './change-log.ts'
import type { Discovery } from './discover.ts'
import type { Work } from './work.ts'

/**
 * Brings the lane's own mailbox forward, last, so that it is the open one, and learns which targets are gone (H-12); mailboxes that were never taken in, and to
 * which it copies or uploads, before. False when the lane cannot be replayed now; what never can be is parked.
 */
export async function prepareLane(work: Work, lane: Lane, discovery: Discovery): Promise<boolean> {
  const { entries } = await replayState(work)
  for (const target of untakenTargets(work, lane, entries)) await isOpened(work, target, discovery)
  const own = work.mailboxes.get(lane.mailboxId)
  if (own?.isOnServer !== true) return false
  if (lane.kind === 'appends') return own.checkpoint !== null
  return isOpened(work, own, discovery)
}

function untakenTargets(work: Work, lane: Lane, entries: readonly Entry[]): MailboxRecord[] {
  const ids = entries.flatMap(({ operation, progress }) => {
    const to = destinationOf(operation)
    if (to === null) return []
    if (isUpload(operation)) return lane.kind === 'appends' && to === lane.mailboxId ? [to] : []
    return lane.kind === 'messages' && progress.some(({ targets }) => targets.mailboxId === lane.mailboxId) ? [to] : []
  })
  return [...new Set(ids)].flatMap((id) => {
    const mailbox = work.mailboxes.get(id)
    return mailbox?.isOnServer === true && mailbox.checkpoint === null ? [mailbox] : []
  })
}

async function isOpened(work: Work, mailbox: MailboxRecord, { seen }: Discovery): Promise<boolean> {
  const status = statusesSeen(seen).get(mailbox.path) ?? null
  const [visit] = planVisits([mailbox], [], work.server)
  const reason = 'there are operations to replay in it'
  const { taken, refused } = await bringForward(work, [{ mailbox, status, tier: visit?.tier ?? 'plain', reason }], 'list')
  const rejection = refused.get(mailbox.id)
  // A refusal without a code says nothing: the mailbox is listed, so it may open the next time.
  const isFinal = rejection !== undefined && (rejection?.code ?? null) !== null && !isPassing(rejection)
  if (isFinal) await parkWhatNeeds(work, mailbox, rejection)
  return taken.has(mailbox.id)
}

async function parkWhatNeeds(work: Work, mailbox: MailboxRecord, rejection: Rejection | null): Promise<void> {
  const parkedFor = isGone(rejection) ? ('mailbox-gone' as const) : ('not-permitted' as const)
  await changeLog(work, {
    reason: `${mailbox.path} cannot be opened: show what waits for it`,
    decide: (ledger) => ledger.parkWhatNeeds(mailbox.id, parkedFor),
  })
}
