/** Sends what the user did: lane by lane, a batch at a time, each claimed before it is sent and settled when it is answered. */

import { type ClaimId, claimId, type MailboxRecord, type MessageIdentity, type Uid } from '@tidemail/core'
import {
  type Batch,
  identitiesWanted,
  type Lane,
  Ledger,
  planLanes,
  planReplay,
  planVisits,
  type ReplayState,
  settleBatch,
  settleMoot,
  statusesSeen,
} from '@tidemail/planner'
import { bringForward } from './bring-forward.ts'
import { changeLog, replayState } from './change-log.ts'
import type { Discovery } from './discover.ts'
import type { Work } from './work.ts'

/** Batches of one lane in one pass; what is left waits for the next. */
const BATCHES_MAX = 200

/** Uploads before anything is downloaded (RFC 4549 §3). Answers the mailboxes whose server state it changed. */
export async function replay(work: Work, discovery: Discovery): Promise<Set<number>> {
  work.options.onPhase('replaying')
  await changeLog(work, { reason: 'settle what can never be sent' })
  const touched = new Set<number>()
  const lanes = planLanes(await replayState(work))
  for (const lane of lanes.toSorted((a, b) => Number(a.kind === 'messages') - Number(b.kind === 'messages'))) {
    const mailbox = work.mailboxes.get(lane.mailboxId)
    if (mailbox === undefined || !work.isWanted(mailbox)) continue
    await prepareLane(work, lane, mailbox, discovery)
    await drainLane(work, lane, touched)
  }
  return touched
}

/** Opens the mailbox and compares UIDVALIDITY before anything is done in it (RFC 4549 §3), and learns which targets are gone (H-12). */
async function prepareLane(work: Work, lane: Lane, mailbox: MailboxRecord, { seen }: Discovery): Promise<void> {
  if (lane.kind === 'appends' && mailbox.uidValidity !== null) return
  const status = statusesSeen(seen).get(mailbox.path) ?? null
  const [visit] = planVisits([mailbox], [], work.options.session.server)
  await bringForward(
    work,
    [{ mailbox, status, tier: visit?.tier ?? 'plain', reason: 'there are operations to replay in it' }],
    'list',
  )
}

async function drainLane(work: Work, lane: Lane, touched: Set<number>): Promise<void> {
  for (let batches = 0; batches < BATCHES_MAX; batches += 1) {
    const state = await replayState(work)
    if (!planLanes(state).some((other) => other.kind === lane.kind && other.mailboxId === lane.mailboxId)) return
    const batch = planReplay(lane, state, {
      name: work.name,
      claimId: () => freshClaimId(work),
      identities: await identities(work, lane, state),
    })
    if (batch.claims.length === 0 && batch.moot.length === 0) return
    if (!(await claimBatch(work, batch, state))) continue
    for (const claim of batch.claims) {
      for (const member of claim.members) touched.add(member.targets.mailboxId)
      if (claim.fence !== null) touched.add(claim.fence.mailboxId)
    }
    const observations = await work.run(batch.steps)
    await changeLog(work, {
      reason: 'settle what the server answered',
      decide: (ledger) => settleBatch(batch, observations, ledger),
    })
    work.assertAlive()
    if (batch.claims.length > 0 && observations.every((item) => item.kind !== 'done' || item.outcome === 'stale')) return
  }
}

/** The fence, written before the first step is sent (I-LOG-3). */
async function claimBatch(work: Work, batch: Batch, state: ReplayState): Promise<boolean> {
  const ledger = new Ledger({ entries: state.entries, mailboxes: work.mailboxes, now: state.now })
  settleMoot(batch.moot, ledger)
  for (const claim of batch.claims) ledger.claim(claim)
  work.options.tally.entriesSettled += ledger.settledCount
  const { writes, expect } = ledger.change()
  return work.commit('claim what is about to be sent', writes, expect)
}

async function identities(work: Work, lane: Lane, state: ReplayState): Promise<Map<number, MessageIdentity>> {
  const wanted = identitiesWanted(lane, state)
  if (wanted.isEmpty) return new Map()
  const rows = await work.options.store.planning.identities(lane.mailboxId, wanted)
  return new Map(rows.map((row: MessageIdentity & { readonly uid: Uid }) => [row.uid, row]))
}

function freshClaimId(work: Work): ClaimId {
  return claimId(work.options.random.id())
}
