/** Reads what the planner must be told of a lane before it plans a batch: it decides without reading. */

import { claimId, type UidSet, type UidsSeen } from '@tidemail/core'
import { type BatchContext, flagsWanted, identitiesWanted, type Lane, planMarkedLook, type ReplayState } from '@tidemail/planner'
import type { Work } from './work.ts'

export async function batchContext(work: Work, lane: Lane, state: ReplayState): Promise<BatchContext> {
  const { random, store } = work.options
  const [identities, rows] = [identitiesWanted(lane, state), flagsWanted(lane, state)]
  const found = identities.isEmpty ? [] : await store.planning.identities(lane.mailboxId, identities)
  return {
    name: work.name,
    claimId: () => claimId(random.id()),
    identities: new Map(found.map((row) => [row.uid, row])),
    rows: rows.isEmpty ? [] : await store.planning.flags(lane.mailboxId, rows),
    marked: await markedDeleted(work, lane, state),
  }
}

/** Without UIDPLUS everything that is marked goes with ours: what others marked must be known just before (RFC 4549 §4.2.4). */
async function markedDeleted(work: Work, lane: Lane, state: ReplayState): Promise<UidSet | null> {
  const look = planMarkedLook(lane, state, work.name)
  if (look === null) return null
  const observations = await work.run([look])
  work.assertAlive()
  return observations.find((item): item is UidsSeen => item.kind === 'uids')?.uids ?? null
}
