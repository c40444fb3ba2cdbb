/** Compares what others brought with what was parked because nobody could tell, before any of it is taken in: nothing shows twice (H-11). */

import { settleLateEvidence, undecidedOf, underCurrentNames, type Visit } from '@tidemail/planner'
import { type Claim, decodeClaim, isOpenClaim } from '@tidemail/replay-log'
import { changeLog, replayState } from './change-log.ts'
import { probeOf, probeServer } from './probe-server.ts'
import type { Work } from './work.ts'

/** Settles what is found of the parked among the messages that are new in these mailboxes. */
export async function hearLateEvidence(work: Work, visits: readonly Visit[]): Promise<void> {
  for (const claim of await parkedClaims(work)) {
    const isVisited = visits.some(({ mailbox }) => mailbox.id === claim.fence?.mailboxId)
    const probe = isVisited ? probeOf(work, claim) : null
    const found = probe === null ? null : await probeServer(work, probe)
    if (found === null || found.verdicts.every(({ kind }) => kind !== 'done')) continue
    await changeLog(work, {
      reason: 'settle what has turned up after all',
      claims: [claim],
      decide: (ledger) => settleLateEvidence(claim, found.verdicts, found.sourcesLeft, ledger),
    })
  }
}

/** Drops claims of which the user has decided all that was parked, or whose mailbox has other UIDs now. */
export async function forgetDecided(work: Work, parked: readonly Claim[]): Promise<void> {
  if (parked.length === 0) return
  const { entries } = await replayState(work)
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]))
  const isDecided = (claim: Claim): boolean =>
    undecidedOf(
      claim,
      (seq) => bySeq.get(seq),
      (id) => work.mailboxes.get(id),
    ) === null
  const decided = parked.filter(isDecided)
  if (decided.length === 0) return
  await changeLog(work, {
    reason: 'forget what the user has decided',
    claims: decided,
    decide: (ledger) => {
      for (const claim of decided) ledger.removeClaim(claim)
    },
  })
}

async function parkedClaims(work: Work): Promise<Claim[]> {
  const { accountId, store } = work.options
  return (await store.planning.claims(accountId))
    .map(decodeClaim)
    .filter((claim) => !isOpenClaim(claim))
    .map((claim) => underCurrentNames(claim, work.mailboxes))
}
