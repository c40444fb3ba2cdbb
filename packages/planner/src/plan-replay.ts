/**
 * Decides what of the replay log is sent next: one batch of claims for one mailbox, in the user's order, folded into few steps.
 */

import { can, flagKey, type MailboxId, type MailboxRecord, UidSet } from '@tidemail/core'
import type { Entry, FlagOperation, Operation } from '@tidemail/replay-log'
import { planAppends } from './append-batch.ts'
import { MessageBatch, type ReadyEnd, type ReadyFlags } from './message-batch.ts'
import { type Batch, type BatchContext, isDue, type Lane, type ReplayState } from './replay-state.ts'

/** The lanes that have something to send now, in the order of their first entry. Mailboxes with an unsettled claim are left alone (H-7). */
export function planLanes(state: ReplayState): Lane[] {
  const quiet = mailboxesWithOpenClaims(state)
  const lanes = new Map<string, Lane>()
  for (const entry of state.entries) {
    if (!isDue(entry, state.now)) continue
    for (const lane of lanesOf(entry, state)) {
      if (!quiet.has(lane.mailboxId)) lanes.set(`${lane.kind}/${lane.mailboxId}`, lane)
    }
  }
  return [...lanes.values()]
}

/** Mailboxes that no mutating step may touch yet: a claim on them has no answer (H-7). */
export function mailboxesWithOpenClaims({ claims }: Pick<ReplayState, 'claims'>): Set<MailboxId> {
  return new Set(
    claims.flatMap((claim) => [
      ...claim.members.map((member) => member.targets.mailboxId),
      ...(claim.fence === null ? [] : [claim.fence.mailboxId]),
    ]),
  )
}

/** UIDs of a lane's mailbox whose identity a batch will need. */
export function identitiesWanted(lane: Lane, state: ReplayState): UidSet {
  return state.entries
    .filter(({ operation }) => operation.kind === 'move' || operation.kind === 'copy')
    .flatMap((entry) => entry.progress)
    .filter(({ state: at, targets }) => at === 'queued' && targets.kind === 'stored' && targets.mailboxId === lane.mailboxId)
    .reduce((all, { targets }) => (targets.kind === 'stored' ? all.union(targets.uids) : all), UidSet.EMPTY)
}

/** The next batch of a lane; without claims and moot targets when there is nothing more to send. */
export function planReplay(lane: Lane, state: ReplayState, context: BatchContext): Batch {
  const mailbox = state.mailboxes.get(lane.mailboxId)
  if (mailbox === undefined || mailbox.uidValidity === null) return { claims: [], steps: [], moot: [] }
  return lane.kind === 'appends' ? planAppends(mailbox, state, context) : planMessages(mailbox, state, context)
}

function lanesOf(entry: Entry, state: ReplayState): Lane[] {
  const { operation } = entry
  if (operation.kind === 'append') {
    return entry.progress.some(({ state: at }) => at === 'queued') ? [{ kind: 'appends', mailboxId: operation.to }] : []
  }
  return entry.progress
    .filter(({ state: at, targets }) => (at === 'queued' || at === 'copied') && targets.kind === 'stored')
    .filter(({ targets }) => state.mailboxes.has(targets.mailboxId))
    .map(({ targets }) => ({ kind: 'messages' as const, mailboxId: targets.mailboxId }))
}

/** Walks the log in order and takes, for each message, flag changes up to and with the first operation that copies or removes it. */
function planMessages(mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Batch {
  const known = mailbox.checkpoint?.known ?? UidSet.EMPTY
  const flags: ReadyFlags[] = []
  const ends: ReadyEnd[] = []
  const moot: Batch['moot'][number][] = []
  let taken = UidSet.EMPTY
  let copiesParked = UidSet.EMPTY
  for (const entry of state.entries) {
    for (const group of entry.progress) {
      const { targets } = group
      if (targets.kind !== 'stored' || targets.mailboxId !== mailbox.id || targets.box !== mailbox.box) continue
      const isSendable = (group.state === 'queued' || group.state === 'copied') && isDue(entry, state.now)
      const gone = isSendable ? targets.uids.difference(known) : UidSet.EMPTY
      if (!gone.isEmpty) moot.push({ seq: entry.seq, targets: { ...targets, uids: gone }, why: 'gone' })
      const uids = isSendable ? targets.uids.intersect(known).difference(taken) : UidSet.EMPTY
      const { operation } = entry
      if (operation.kind === 'flag') {
        if (!isSendable && group.state !== 'parked') taken = taken.union(targets.uids)
        else if (!uids.isEmpty && isPermitted(operation, mailbox)) flags.push({ entry, uids, operation })
        else if (!uids.isEmpty) moot.push({ seq: entry.seq, targets: { ...targets, uids }, why: 'not-permitted' })
      } else if (operation.kind !== 'append') {
        const saved = operation.kind === 'expunge' ? uids.intersect(copiesParked) : UidSet.EMPTY
        const free = uids.difference(saved)
        if (!saved.isEmpty) moot.push({ seq: entry.seq, targets: { ...targets, uids: saved }, why: 'needs-another' })
        const isCopied = group.state === 'copied'
        if (!free.isEmpty && !canFinish(operation.kind, isCopied, state))
          moot.push({ seq: entry.seq, targets: { ...targets, uids: free }, why: 'not-possible' })
        else if (!free.isEmpty) ends.push({ entry, uids: free, operation, isCopied })
        if (group.state !== 'parked') taken = taken.union(targets.uids)
        else if (operation.kind === 'copy') copiesParked = copiesParked.union(targets.uids)
      }
    }
  }
  const batch = new MessageBatch(mailbox, state, context)
  batch.storeFlags(flags)
  for (const end of ends) batch.finish(end)
  return { claims: batch.claims, steps: batch.steps, moot }
}

/** Without UIDPLUS nothing can be removed without endangering what others marked \Deleted (RFC 4549 §4.2.4). */
function canFinish(kind: Operation['kind'], isCopied: boolean, { server }: ReplayState): boolean {
  const removes = kind === 'expunge' || isCopied || (kind === 'move' && !can(server, 'MOVE'))
  return !removes || can(server, 'UIDPLUS')
}

/** H-14: a flag outside PERMANENTFLAGS would last for the session only. */
function isPermitted({ add, remove }: FlagOperation, { permanentFlags }: MailboxRecord): boolean {
  const permitted = new Set(permanentFlags.map(flagKey))
  const allowsKeywords = permitted.has('\\*')
  return [...add, ...remove].every((flag) => permitted.has(flagKey(flag)) || (allowsKeywords && !flag.startsWith('\\')))
}
