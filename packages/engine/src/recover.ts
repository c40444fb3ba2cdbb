/** Finds out what became of steps whose answer was lost, before anything is sent again (H-7 to H-11). */

import { type Done, isMutating } from '@tidemail/core'
import {
  isFromTheFuture,
  isPassing,
  isRepeatable,
  needsSecondLook,
  planRestore,
  type RecoveryTimes,
  recoverableFrom,
  settleLostSubmission,
  settleVerdicts,
  underCurrentNames,
} from '@tidemail/planner'
import { type Claim, decodeClaim, isOpenClaim } from '@tidemail/replay-log'
import { changeLog } from './change-log.ts'
import { forgetDecided } from './late-evidence.ts'
import { probeOf, probeServer } from './probe-server.ts'
import type { Work } from './work.ts'

/** What puts back the marks of others is sent within this time, or not at all (H-8). */
const RESTORE_LIFE_MS = 60_000

/** Settles each lost claim that can be decided by now. Answers when the next one can be, in milliseconds since 1970, or null. */
export async function recover(work: Work): Promise<number | null> {
  const { accountId, clock, store } = work.options
  // What may be repeated comes first: once queued again, it follows a message that a probe then finds moved.
  const all = (await store.planning.claims(accountId)).map((record) => underCurrentNames(decodeClaim(record), work.mailboxes))
  await forgetDecided(
    work,
    all.filter((claim) => !isOpenClaim(claim)),
  )
  const claims = all.filter(isOpenClaim).toSorted((a, b) => Number(isRepeatable(b)) - Number(isRepeatable(a)))
  if (claims.length === 0) return null
  work.options.onPhase('recovering')
  let next: number | null = null
  for (const stored of claims) {
    // Passes come one after another: what an earlier one of this engine sent has ended, though its answer could not be written.
    const isLeftOver = stored.lostAt === null && work.options.ownClaims.get(stored.id) === stored.claimedAt
    const claim = isLeftOver || isFromTheFuture(stored, clock.now()) ? await takeTimesAnew(work, stored) : stored
    const from = recoverableFrom(claim, recoveryTimes(work))
    if (from > clock.now()) next = next === null ? from : Math.min(next, from)
    else await recoverClaim(work, claim)
  }
  return next
}

export function recoveryTimes({ options: { startedAt, store }, server: { measured } }: Work): RecoveryTimes {
  return { ownership: store.ownership, startedAt, listingLagMs: measured?.listingLagMs ?? 0 }
}

async function recoverClaim(work: Work, claim: Claim): Promise<void> {
  if (claim.submission !== undefined) {
    await changeLog(work, {
      reason: 'nobody can tell whether a message was sent',
      claims: [claim],
      decide: (ledger) => settleLostSubmission(claim, ledger),
    })
    return
  }
  const probe = isRepeatable(claim) ? null : probeOf(work, claim)
  if (probe === null) {
    if (await areMarksRestored(work, claim)) await repeat(work, claim)
    return
  }
  const findings = await probeServer(work, probe)
  if (findings === null) return
  if (needsSecondLook(claim, findings.verdicts)) {
    await changeLog(work, {
      reason: 'look once more before anything is sent again',
      claims: [claim],
      decide: (ledger) => ledger.lookAgain(claim),
    })
    return
  }
  await changeLog(work, {
    reason: 'settle what a probe found',
    claims: [claim],
    decide: (ledger) => settleVerdicts(claim, findings, ledger),
  })
}

/** From now on the claim waits as if it had just been lost: the clock was set back, or nobody took down when it was lost. */
async function takeTimesAnew(work: Work, claim: Claim): Promise<Claim> {
  const now = work.options.clock.now()
  await changeLog(work, {
    reason: 'take down when an answer was lost',
    claims: [claim],
    decide: (ledger) => ledger.lose({ ...claim, claimedAt: now }, claim.answer),
  })
  return { ...claim, claimedAt: now, lostAt: now }
}

/** Repeating STORE and UID EXPUNGE is harmless: the targets are queued again. */
async function repeat(work: Work, claim: Claim): Promise<void> {
  await changeLog(work, {
    reason: 'send again what may be repeated',
    claims: [claim],
    decide: (ledger) => ledger.repeat(claim),
  })
}

/** Whether nothing that others marked is left without its mark; a mailbox that is gone, or has new UIDs, has nothing to put back. */
async function areMarksRestored(work: Work, claim: Claim): Promise<boolean> {
  const steps = planRestore(claim, work.name, work.options.clock.now() + RESTORE_LIFE_MS)
  if (steps === null) return true
  await changeLog(work, {
    reason: 'put back the marks of others',
    claims: [claim],
    decide: (ledger) => ledger.claimAnew(claim, steps.filter(isMutating)),
  })
  const observations = await work.run(steps)
  work.assertAlive()
  // What is refused for now is asked for again in the next pass; what is refused for good cannot be put back.
  const isOver = ({ outcome, rejection }: Done): boolean =>
    outcome === 'rejected' ? !isPassing(rejection) : ['ok', 'stale', 'skipped'].includes(outcome)
  return observations.every((item) => item.kind !== 'done' || isOver(item))
}
