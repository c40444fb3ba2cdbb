/** Turns what a probe proved into what the store writes (H-9): done is settled, not done is queued again, anything else is shown. */

import { type Uid, UidPairs, UidSet, uid } from '@tidemail/core'
import { type Claim, type ClaimMember, type Evidence, type Fence, placedOf } from '@tidemail/replay-log'
import { sentUids, sentUnder } from './claim-members.ts'
import type { MessageVerdict, ProbeFindings } from './conclude-probe.ts'
import type { Ledger } from './ledger.ts'
import { namedLocals } from './named-locals.ts'
import { removalsOf } from './parked-targets.ts'
import { settleLanded, settleTransferred, unfoldChain } from './settle-names.ts'
import { type FencedClaim, partOfClaim, undecidedOf } from './undecided-claim.ts'

/** Settles each member of the claim by the verdicts on its messages. What is not done is kept in mind (H-10, H-11). */
export function settleVerdicts(claim: Claim, findings: ProbeFindings, ledger: Ledger): void {
  keepUndecided(settleMembers(claim, findings, ledger), findings, ledger)
}

/** As `settleVerdicts`, for a claim that was kept: only what is proved to be done counts now, and only for what is undecided still. */
export function settleLateEvidence(kept: Claim, findings: ProbeFindings, ledger: Ledger): void {
  const done = findings.verdicts.filter(({ kind }) => kind === 'done')
  const proved = UidSet.from(done.map(({ of }) => of))
  const claim = undecidedNow(kept, ledger)
  if (claim !== null) settleMembers(partOfClaim(claim, proved), { ...findings, verdicts: done }, ledger)
  const open = UidSet.from(findings.verdicts.map(({ of }) => of)).difference(proved)
  keepUndecided(partOfClaim(kept, open), findings, ledger)
}

/** Once nothing is left to be decided, the claim goes. What was looked through without finding any of it need not be looked at again. */
function keepUndecided(claim: Claim, { verdicts, uidNext }: ProbeFindings, ledger: Ledger): void {
  const left = undecidedNow(claim, ledger)
  if (left === null) {
    ledger.removeClaim(claim)
    return
  }
  const isProvedAbsent = left.fence.messages.every(({ of }) =>
    verdicts.some((item) => item.of === of && item.kind === 'not-done'),
  )
  const from = isProvedAbsent ? Math.max(left.fence.uidNext, uidNext ?? 0) : left.fence.uidNext
  ledger.keep({ ...left, fence: { ...left.fence, uidNext: from } })
}

function undecidedNow(claim: Claim, ledger: Ledger): FencedClaim | null {
  return undecidedOf(
    claim,
    (seq) => ledger.entry(seq),
    (id) => ledger.server.mailbox(id),
  )
}

/** Answers the claim with its members as the log calls them from now on. */
function settleMembers(claim: Claim, findings: ProbeFindings, ledger: Ledger): Claim {
  const { verdicts } = findings
  const step = claim.steps[0]
  if (step?.kind === 'append' || step?.kind === 'replace') {
    for (const member of claim.members) settleUpload(claim, member, verdicts, ledger)
  } else if (step?.kind === 'move' || step?.kind === 'copy') {
    const settled = settleTransferVerdicts(claim, findings, step.kind, ledger)
    if (claim.fence !== null) stateFlags(claim.fence, findings, ledger)
    return settled
  }
  return claim
}

function settleUpload(claim: Claim, { seq, targets }: ClaimMember, verdicts: readonly MessageVerdict[], ledger: Ledger): void {
  if (targets.kind !== 'local') {
    // The version that a REPLACE removes: it is removed by itself once the new one is proved, and gone by then if the REPLACE was carried out.
    ledger.queueAgain(seq, targets)
    return
  }
  const verdict = verdicts.find((candidate) => targets.locals.has(candidate.of))
  if (verdict?.kind === 'done')
    settleLanded(ledger, { seq, targets }, claim, verdict.uid, probed('certain', [verdict.uid, ...verdict.more]))
  // An upload that was answered with OK is done, whoever took it away since; only its UID is not known.
  else if (claim.answer === 'ok') ledger.apply(seq, targets, probed('possible', []))
  else if (verdict?.kind === 'not-done') ledger.queueAgain(seq, targets)
  else ledger.park(seq, targets, 'uncertain')
}

/** The rows that were carried over have the flags that we knew of: what we changed of them just before may have had no answer. */
function stateFlags({ box, mailboxId }: Fence, { states }: ProbeFindings, ledger: Ledger): void {
  const target = ledger.server.mailbox(mailboxId)
  const held = states.filter(({ uid: number }) => target?.box === box && target.checkpoint?.covered.has(number) === true)
  if (held.length > 0) ledger.server.write({ kind: 'put-flags', mailboxId, states: held })
}

function settleTransferVerdicts(
  claim: Claim,
  { verdicts, sourcesLeft }: ProbeFindings,
  kind: 'move' | 'copy',
  ledger: Ledger,
): Claim {
  const found = new UidPairs(
    verdicts.flatMap((verdict) => (verdict.kind === 'done' ? [{ from: verdict.of, to: verdict.uid, length: 1 }] : [])),
  )
  const uidsOf = (wanted: MessageVerdict['kind']): UidSet =>
    UidSet.from(verdicts.filter((verdict) => verdict.kind === wanted).map((verdict) => verdict.of))
  // OK to a COPY that left nothing behind: sending it again would do the same.
  const notDone = claim.answer === 'ok' ? UidSet.EMPTY : uidsOf('not-done')
  const gone = uidsOf('gone')
  const probe = { found, more: moreThanOnce(verdicts), sourcesLeft }
  const unfolded = unfoldChain(ledger, claim, found.sources)
  for (const member of unfolded.members) {
    const { seq } = member
    settleFound(claim, member, probe, kind, ledger)
    const again = sentUnder(member, notDone)
    if (again !== null) ledger.queueAgain(seq, again)
    const lost = sentUnder(member, gone)
    if (lost !== null) ledger.settleGone(seq, lost, probed('none', []))
    const uncertain = sentUnder(member, sentUids(member).difference(found.sources).difference(notDone).difference(gone))
    if (uncertain !== null) ledger.park(seq, uncertain, 'uncertain')
  }
  return unfolded
}

interface Found {
  readonly found: UidPairs
  /** By message, what matches it besides the one that is taken for it. */
  readonly more: ReadonlyMap<number, readonly Uid[]>
  readonly sourcesLeft: UidSet
}

/** A move that was cut short may have left the original behind: then the copy is proved, and the original is still to be removed. */
function settleFound(
  claim: Claim,
  member: ClaimMember,
  { found, more, sourcesLeft }: Found,
  kind: 'move' | 'copy',
  ledger: Ledger,
): void {
  const targets = sentUnder(member, found.sources)
  if (targets === null) return
  const mine = found.restrict(sentUids(member))
  const surplus = [...mine.sources.values()].flatMap((of) => more.get(of) ?? [])
  const evidence = probed('certain', [...[...mine.destinations.values()].map((number) => uid(number)), ...surplus])
  if (member.isSuperseded === true || targets.kind === 'local') {
    ledger.supersede(member.seq, targets, evidence)
    return
  }
  const entry = ledger.entry(member.seq)
  if (entry?.operation.kind === 'copy') {
    const orphans = mine.restrict(mine.sources.difference(sourcesLeft))
    ledger.parkAll(removalsOf(ledger.open, namedLocals(placedOf(entry, targets), orphans).sources))
  }
  const finished = kind === 'move' ? mine.restrict(mine.sources.difference(sourcesLeft)) : mine
  const halfway = kind === 'move' ? mine.restrict(sourcesLeft) : UidPairs.EMPTY
  const settle = (pairs: UidPairs, step: 'move' | 'copy'): void => {
    if (pairs.ranges.length === 0) return
    const part = { seq: member.seq, targets: { ...targets, uids: pairs.sources } }
    settleTransferred(ledger, part, step, claim, pairs, evidence)
  }
  settle(finished, kind)
  settle(halfway, 'copy')
}

/** The user is told of them, and nothing is deleted (H-10). */
function moreThanOnce(verdicts: readonly MessageVerdict[]): ReadonlyMap<number, readonly Uid[]> {
  return new Map(verdicts.flatMap((verdict) => (verdict.kind === 'done' ? [[verdict.of, verdict.more] as const] : [])))
}

function probed(verdict: Extract<Evidence, { kind: 'probe' }>['verdict'], found: readonly Uid[]): Evidence {
  return { kind: 'probe', verdict, found }
}
