/** Sends what the user did: lane by lane, a batch at a time, each claimed before it is sent and settled when it is answered. */

import { type BodyId, type MutatingStep, type Observation, type OutgoingMessage, SyncError } from '@tidemail/core'
import {
  type Batch,
  type Lane,
  Ledger,
  mailboxesWithOpenClaims,
  marksLeftBy,
  planLanes,
  planReplay,
  type ReplayState,
  settleBatch,
  settleMoot,
  statusesSeen,
} from '@tidemail/planner'
import { batchContext } from './batch-context.ts'
import { changeLog, replayState } from './change-log.ts'
import type { Discovery } from './discover.ts'
import { distrustCapability } from './distrust.ts'
import { foldUploads } from './fold-uploads.ts'
import { parkMassExpunges } from './guard-deletions.ts'
import { hearLateEvidence } from './late-evidence.ts'
import { prepareLane } from './prepare-lane.ts'
import { replayMailboxes } from './replay-mailboxes.ts'
import type { Work } from './work.ts'

/** Batches of one lane in one pass; what is left waits for the next. */
const BATCHES_MAX = 200

/** Uploads before anything is downloaded (RFC 4549 §3). Answers the mailboxes whose server state it changed. */
export async function replay(work: Work, discovery: Discovery): Promise<Set<number>> {
  work.options.onPhase('replaying')
  const statuses = statusesSeen(discovery.seen)
  const mailboxes = [...work.mailboxes.values()].filter(({ isOnServer }) => isOnServer)
  await hearLateEvidence(
    work,
    mailboxes.map((mailbox) => ({ mailbox, status: statuses.get(mailbox.path) ?? null })),
  )
  await changeLog(work, { reason: 'settle what can never be sent' })
  await parkMassExpunges(work)
  await foldUploads(work)
  const touched = new Set<number>()
  // Before all else, for messages may be on their way to a mailbox that is still to be made.
  await replayMailboxes(work, touched)
  const lanes = planLanes(await replayState(work))
  for (const lane of lanes.toSorted((a, b) => Number(a.kind === 'messages') - Number(b.kind === 'messages'))) {
    const mailbox = work.mailboxes.get(lane.mailboxId)
    const claimed = mailboxesWithOpenClaims(await replayState(work))
    if (mailbox === undefined || !work.isWanted(mailbox) || claimed.has(mailbox.id)) continue
    if (await prepareLane(work, lane, discovery)) await drainLane(work, lane, touched)
  }
  // And once more for mailboxes that were to be deleted when the messages are out of them.
  await replayMailboxes(work, touched)
  return touched
}

async function drainLane(work: Work, lane: Lane, touched: Set<number>): Promise<void> {
  for (let batches = 0; batches < BATCHES_MAX; batches += 1) {
    if (batches > 0) await foldUploads(work)
    const state = await replayState(work)
    if (!planLanes(state).some((other) => other.kind === lane.kind && other.mailboxId === lane.mailboxId)) return
    const batch = planReplay(lane, state, await batchContext(work, lane, state))
    if (batch.claims.length === 0 && batch.moot.length === 0) return
    if (!(await claimBatch(work, batch, state))) continue
    for (const claim of batch.claims) {
      for (const member of claim.members) touched.add(member.targets.mailboxId)
      if (claim.unmarks !== undefined) touched.add(claim.unmarks)
      if (claim.fence !== null) touched.add(claim.fence.mailboxId)
    }
    const { observations, unread } = await runBatch(work, batch)
    if (refusesUidExpunge(batch, observations))
      await distrustCapability(work, 'UIDPLUS', 'the server does not understand UID EXPUNGE')
    for (const id of marksLeftBy(batch, observations)) work.marksLeft.add(id)
    await changeLog(work, {
      reason: 'settle what the server answered',
      claims: batch.claims,
      decide: (ledger) => settleBatch(batch, observations, ledger),
    })
    if (unread !== null) await parkUnreadable(work, batch, unread)
    work.assertAlive()
    if (batch.claims.length > 0 && observations.every((item) => item.kind !== 'done' || item.outcome === 'stale')) return
  }
}

/** BAD to a command that UIDPLUS promises: the removal is planned once more, without (FIELD-5, RFC 4549 §4.2.4). */
function refusesUidExpunge({ steps }: Batch, observations: readonly Observation[]): boolean {
  const ids = new Set(steps.filter(({ kind }) => kind === 'expunge').map(({ id }) => id))
  return observations.some((item) => item.kind === 'done' && ids.has(item.id) && item.rejection?.status === 'BAD')
}

interface BatchAnswers {
  readonly observations: readonly Observation[]
  /** What was thrown because the bytes of an upload could not be read. */
  readonly unread: SyncError | null
}

/** What was answered counts, also when the bytes of a later upload cannot be read. */
async function runBatch(work: Work, batch: Batch): Promise<BatchAnswers> {
  const observations: Observation[] = []
  try {
    for await (const item of work.stream(batch.steps)) observations.push(item)
    return { observations, unread: null }
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'store.corrupt') throw error
    return { observations, unread: error }
  }
}

/** An upload whose bytes are lost must not stop the others (I-LOG-5). */
async function parkUnreadable(work: Work, batch: Batch, unread: SyncError): Promise<void> {
  for (const { steps, members } of batch.claims) {
    const messages = steps.flatMap(messagesOf)
    for (const [i, { seq, targets }] of members.entries()) {
      const message = messages[i]
      if (message === undefined || (await isReadable(work, message.bodyId))) continue
      work.problem({ code: unread.code, message: unread.message, mailbox: null, seq })
      await changeLog(work, {
        reason: 'the bytes of an upload are lost',
        decide: (ledger) => ledger.park(seq, targets, 'bytes-lost'),
      })
    }
  }
}

/** In the order of the claim's members; a REPLACE has its message first, and then what that replaces. */
function messagesOf(step: MutatingStep): readonly OutgoingMessage[] {
  if (step.kind === 'append') return step.messages
  return step.kind === 'replace' ? [step.message] : []
}

async function isReadable(work: Work, bodyId: BodyId): Promise<boolean> {
  return work.options.store.planning.body(bodyId).then(
    () => true,
    () => false,
  )
}

/** The fence, written before the first step is sent (I-LOG-3). */
async function claimBatch(work: Work, batch: Batch, state: ReplayState): Promise<boolean> {
  const ledger = new Ledger({ entries: state.entries, mailboxes: work.mailboxes, now: state.now })
  settleMoot(batch.moot, ledger)
  for (const claim of batch.claims) ledger.claim(claim)
  const { writes, expect } = ledger.change()
  const isWritten = await work.commit('claim what is about to be sent', writes, expect)
  if (isWritten) work.options.tally.entriesSettled += ledger.settledCount
  return isWritten
}
