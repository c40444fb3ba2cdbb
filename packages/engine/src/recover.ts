/** Finds out what became of steps whose answer was lost, before anything is sent again (H-7 to H-11). */

import { type MailboxRecord, type Observation, uidValidity } from '@tidemail/core'
import {
  concludeProbe,
  isFromTheFuture,
  isRepeatable,
  type Probe,
  planProbe,
  recoverableFrom,
  settleVerdicts,
} from '@tidemail/planner'
import { type Claim, decodeClaim } from '@tidemail/replay-log'
import { changeLog } from './change-log.ts'
import { sha256Hex } from './digest.ts'
import type { Work } from './work.ts'

/** The longest that the server of a session may stay silent on one step, in milliseconds (adapters keep to it). */
export const STEP_DEADLINE_MS = 60_000

/** Settles each lost claim that can be decided by now. Answers when the next one can be, in milliseconds since 1970, or null. */
export async function recover(work: Work): Promise<number | null> {
  const { accountId, clock, startedAt, store } = work.options
  // What may be repeated comes first: once queued again, it follows a message that a probe then finds moved.
  const claims = (await store.planning.claims(accountId))
    .map(decodeClaim)
    .toSorted((a, b) => Number(isRepeatable(b)) - Number(isRepeatable(a)))
  if (claims.length === 0) return null
  work.options.onPhase('recovering')
  let next: number | null = null
  for (const stored of claims) {
    const claim = isFromTheFuture(stored, clock.now()) ? await takeTimesAnew(work, stored) : stored
    const from = recoverableFrom(claim, { ownership: store.ownership, startedAt, stepDeadlineMs: STEP_DEADLINE_MS })
    if (from > clock.now()) next = next === null ? from : Math.min(next, from)
    else await recoverClaim(work, claim)
  }
  return next
}

async function recoverClaim(work: Work, claim: Claim): Promise<void> {
  const probe = isRepeatable(claim) ? null : planProbe(claim, sourceOf(work, claim), work.name)
  if (probe === null) return release(work, claim)
  const observations = await work.run(probe.steps)
  work.assertAlive()
  const target = claim.fence === null ? null : (work.mailboxes.get(claim.fence.mailboxId) ?? null)
  let conclusion = concludeProbe(probe, observations, target, new Map())
  if (conclusion.kind === 'need-digests') {
    conclusion = concludeProbe(probe, observations, target, await digests(work, probe, conclusion.uids))
  }
  if (conclusion.kind !== 'concluded') return
  const { verdicts, sourcesLeft } = conclusion
  await changeLog(work, {
    reason: 'settle what a probe found',
    decide: (ledger) => settleVerdicts(claim, verdicts, sourcesLeft, ledger),
  })
}

/** The clock was set back: from now on the claim waits as if it had just been lost. */
async function takeTimesAnew(work: Work, claim: Claim): Promise<Claim> {
  const now = work.options.clock.now()
  await changeLog(work, {
    reason: 'take times anew after the clock was set back',
    decide: (ledger) => ledger.lose({ ...claim, claimedAt: now }, claim.answer),
  })
  return { ...claim, claimedAt: now, lostAt: now }
}

/** Repeating STORE and UID EXPUNGE is harmless: the targets are queued again. */
async function release(work: Work, claim: Claim): Promise<void> {
  await changeLog(work, { reason: 'send again what may be repeated', decide: (ledger) => ledger.release(claim) })
}

/** The digests of messages in the target: only the bytes tell whether they are ours. */
async function digests(work: Work, { claim }: Probe, uids: readonly MessageUid[]): Promise<Map<number, string | null>> {
  const { fence } = claim
  if (fence === null) return new Map()
  const mailbox = { path: fence.path, uidValidity: uidValidity(fence.uidValidity) }
  const reason = 'only the bytes tell whether this is ours'
  const observations = await work.run([
    { kind: 'open', id: work.name('open'), path: fence.path, access: 'examine', reason },
    {
      kind: 'fetch-body',
      id: work.name('body'),
      mailbox,
      parts: uids.map((uid) => ({ uid, section: '', sizeBytes: 0 })),
      reason,
    },
  ])
  const found = new Map<number, string | null>(uids.map((uid) => [uid, null]))
  for (const item of observations)
    if (item.kind === 'body' && item.bytes !== null) found.set(item.uid, await sha256Hex(item.bytes))
  return found
}

type MessageUid = Extract<Observation, { kind: 'body' }>['uid']

function sourceOf(work: Work, claim: Claim): MailboxRecord | null {
  const [member] = claim.members
  return member === undefined || member.targets.kind === 'local' ? null : (work.mailboxes.get(member.targets.mailboxId) ?? null)
}
