/**
 * Looks once more for what was lost, before it is sent again (H-10), and before news of its mailbox is taken in, so that nothing shows twice (H-11).
 */

import type { MailboxRecord, StatusSeen } from '@tidemail/core'
import { settleLateEvidence, undecidedOf, underCurrentNames } from '@tidemail/planner'
import { type Claim, decodeClaim, isOpenClaim } from '@tidemail/replay-log'
import { changeLog, replayState } from './change-log.ts'
import { probeOf, probeServer } from './probe-server.ts'
import type { Work } from './work.ts'

/** A mailbox, with what STATUS told of it, where that is not out of date. */
interface LookedAt {
  readonly mailbox: MailboxRecord
  readonly status: StatusSeen | null
}

/** Settles what has turned up in these mailboxes of what was queued again or parked. */
export async function hearLateEvidence(work: Work, looks: readonly LookedAt[]): Promise<void> {
  for (const claim of await keptClaims(work)) {
    const look = looks.find(({ mailbox }) => mailbox.id === claim.fence?.mailboxId)
    const probe = look !== undefined && mayHaveMore(claim, look) ? probeOf(work, claim) : null
    const findings = probe === null ? null : await probeServer(work, probe)
    if (findings === null || findings.verdicts.every(({ kind }) => kind !== 'done')) continue
    await changeLog(work, {
      reason: 'settle what has turned up after all',
      claims: [claim],
      decide: (ledger) => settleLateEvidence(claim, findings, ledger),
    })
  }
}

/** Drops claims of which nothing is undecided any more. */
export async function forgetDecided(work: Work, kept: readonly Claim[]): Promise<void> {
  if (kept.length === 0) return
  const { entries } = await replayState(work)
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]))
  const isDecided = (claim: Claim): boolean =>
    undecidedOf(
      claim,
      (seq) => bySeq.get(seq),
      (id) => work.mailboxes.get(id),
    ) === null
  const decided = kept.filter(isDecided)
  if (decided.length === 0) return
  await changeLog(work, {
    reason: 'forget what is decided',
    claims: decided,
    decide: (ledger) => {
      for (const claim of decided) ledger.removeClaim(claim)
    },
  })
}

async function keptClaims(work: Work): Promise<Claim[]> {
  const { accountId, store } = work.options
  return (await store.planning.claims(accountId))
    .map(decodeClaim)
    .filter((claim) => !isOpenClaim(claim))
    .map((claim) => underCurrentNames(claim, work.mailboxes))
}

/** Whether UIDs may have been given there that nobody has looked at. */
function mayHaveMore({ fence }: Claim, { status }: LookedAt): boolean {
  return status === null || status.uidNext === null || status.uidNext > (fence?.uidNext ?? 0)
}
