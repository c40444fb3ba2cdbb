/**
 * Decides what of the replay log is sent next: one batch of claims for one mailbox, in the user's order, folded into few steps.
 */

import { can, type MailboxRecord, type SearchStep, UidSet } from '@tidemail/core'
import { destinationOf, type Entry, isUpload, type Operation } from '@tidemail/replay-log'
import { planAppends } from './append-batch.ts'
import { planReplaces } from './draft-batch.ts'
import { identityOf } from './fence.ts'
import { MessageBatch } from './message-batch.ts'
import { planUnmarking, unwantedMarks } from './own-marks.ts'
import { readyMessages } from './ready-messages.ts'
import { readyReplace, uploadLanes } from './ready-uploads.ts'
import { type Batch, type BatchContext, isDue, type Lane, type ReplayState } from './replay-state.ts'
import { mailboxesWithOpenClaims } from './resting-mailboxes.ts'
import type { StepNamer } from './step-ids.ts'

/** The lanes that have something to send now, in the order of their first entry. Mailboxes with an unsettled claim are left alone (H-7). */
export function planLanes(state: ReplayState): Lane[] {
  const quiet = mailboxesWithOpenClaims(state)
  const lanes = new Map<string, Lane>()
  for (const entry of state.entries) {
    if (!isDue(entry, state.now) || awaitsMailbox(entry, state)) continue
    for (const lane of lanesOf(entry, state)) {
      if (!quiet.has(lane.mailboxId)) lanes.set(`${lane.kind}/${lane.mailboxId}`, lane)
    }
  }
  for (const mailbox of state.mailboxes.values()) {
    const isQuiet = !quiet.has(mailbox.id) && mailbox.isOnServer
    if (isQuiet && !unwantedMarks(mailbox, state).isEmpty)
      lanes.set(`messages/${mailbox.id}`, { kind: 'messages', mailboxId: mailbox.id })
  }
  return [...lanes.values()]
}

/** The lanes in which something can be sent, or settled without asking. All that is left may wait for a mailbox that the user must decide on. */
export function lanesWithWork(state: ReplayState): Lane[] {
  return planLanes(state).filter((lane) => {
    const mailbox = state.mailboxes.get(lane.mailboxId)
    if (lane.kind === 'appends' || mailbox === undefined || !unwantedMarks(mailbox, state).isEmpty) return true
    const { flags, ends, moot } = readyMessages(mailbox, state)
    if (flags.length + ends.length + moot.length > 0) return true
    return state.entries.some((entry) => readyReplace(entry, state)?.source.id === mailbox.id)
  })
}

/** UIDs of a lane's mailbox whose identity a batch will need: of what is to be copied or moved. */
export function identitiesWanted(lane: Lane, state: ReplayState): UidSet {
  return queuedUids(lane, state, ['copy', 'move'])
}

/** UIDs of a lane's mailbox whose flags a batch will change, the mark of what is removed among them. */
export function flagsWanted(lane: Lane, state: ReplayState): UidSet {
  return queuedUids(lane, state, ['flag', 'expunge', 'move', 'draft'])
}

function queuedUids(lane: Lane, { entries }: ReplayState, kinds: readonly Operation['kind'][]): UidSet {
  const ranges = entries
    .filter(({ operation }) => kinds.includes(operation.kind))
    .flatMap(({ progress }) => progress)
    .flatMap(({ state, targets }) =>
      (state === 'queued' || state === 'copied') && targets.kind === 'stored' && targets.mailboxId === lane.mailboxId
        ? targets.uids.ranges
        : [],
    )
  return UidSet.fromRanges(ranges)
}

/** Asks what is marked \Deleted, where a removal could take it along; null where that cannot be. Not answered, nothing may be removed. */
export function planMarkedLook(lane: Lane, state: ReplayState, name: StepNamer): SearchStep | null {
  const mailbox = state.mailboxes.get(lane.mailboxId)
  if (mailbox === undefined || lane.kind !== 'messages' || can(state.server, 'UIDPLUS')) return null
  if (!readyMessages(mailbox, state).ends.some(({ act }) => act.kind === 'remove')) return null
  return {
    kind: 'search',
    id: name('search'),
    mailbox: identityOf(mailbox),
    uids: UidSet.ALL,
    only: 'deleted',
    reason: 'the server has no UID EXPUNGE: see what others marked for deletion, to spare it',
  }
}

/** The next batch of a lane; without claims and moot targets when there is nothing more to send. */
export function planReplay(lane: Lane, state: ReplayState, context: BatchContext): Batch {
  const mailbox = state.mailboxes.get(lane.mailboxId)
  if (mailbox === undefined || mailbox.uidValidity === null) return { claims: [], steps: [], moot: [] }
  return lane.kind === 'appends' ? planAppends(mailbox, state, context) : planMessages(mailbox, state, context)
}

/** Whether it puts messages into a mailbox that is still to be made. */
export function awaitsMailbox({ operation }: Entry, { mailboxes }: Pick<ReplayState, 'mailboxes'>): boolean {
  const to = destinationOf(operation)
  return to !== null && mailboxes.get(to)?.isOnServer === false
}

function lanesOf(entry: Entry, state: ReplayState): Lane[] {
  if (isUpload(entry.operation)) return uploadLanes(entry, state)
  return entry.progress
    .filter(({ state: at, targets }) => (at === 'queued' || at === 'copied') && targets.kind === 'stored')
    .filter(({ targets }) => state.mailboxes.has(targets.mailboxId))
    .map(({ targets }) => ({ kind: 'messages' as const, mailboxId: targets.mailboxId }))
}

function planMessages(mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Batch {
  const unmarking = planUnmarking(mailbox, state, context)
  if (unmarking !== null) return unmarking
  const { flags, ends, moot } = readyMessages(mailbox, state)
  const batch = new MessageBatch(mailbox, state, context)
  batch.storeFlags(flags)
  batch.finish(ends)
  const replaces = planReplaces(mailbox, state, context, batch.claims.length)
  return { claims: [...batch.claims, ...replaces.claims], steps: [...batch.steps, ...replaces.steps], moot }
}
