/** Turns what a probe proved into what the store writes (H-9): done is settled, not done is queued again, anything else is shown. */

import { type Uid, UidPairs, UidSet } from '@tidemail/core'
import type { Claim, ClaimMember, Evidence } from '@tidemail/replay-log'
import type { MessageVerdict } from './conclude-probe.ts'
import type { Ledger } from './ledger.ts'

/** Settles each member of the claim by the verdicts on its messages. `sourcesLeft` are the originals that are still there. */
export function settleVerdicts(claim: Claim, verdicts: readonly MessageVerdict[], sourcesLeft: UidSet, ledger: Ledger): void {
  const step = claim.steps[0]
  for (const member of claim.members) {
    if (step?.kind === 'append') settleUpload(claim, member, verdicts, ledger)
    else if (step?.kind === 'move' || step?.kind === 'copy')
      settleTransferVerdicts(claim, member, verdicts, sourcesLeft, step.kind, ledger)
  }
  ledger.removeClaim(claim)
}

function settleUpload(claim: Claim, { seq, targets }: ClaimMember, verdicts: readonly MessageVerdict[], ledger: Ledger): void {
  if (targets.kind !== 'local') return
  const verdict = verdicts.find((candidate) => targets.locals.has(candidate.of))
  if (verdict?.kind === 'done') ledger.settleLanded(seq, targets, claim, verdict.uid, probed('certain', [verdict.uid]))
  // An upload that was answered with OK is done, whoever took it away since; only its UID is not known.
  else if (claim.answer === 'ok') ledger.apply(seq, targets, probed('possible', []))
  else if (verdict?.kind === 'not-done') ledger.queueAgain(seq, targets)
  else ledger.park(seq, targets, 'uncertain')
}

function settleTransferVerdicts(
  claim: Claim,
  { seq, targets }: ClaimMember,
  verdicts: readonly MessageVerdict[],
  sourcesLeft: UidSet,
  kind: 'move' | 'copy',
  ledger: Ledger,
): void {
  if (targets.kind !== 'stored') return
  const mine = verdicts.filter((verdict) => targets.uids.has(verdict.of))
  const uidsOf = (wanted: MessageVerdict['kind']): UidSet =>
    UidSet.from(mine.filter((verdict) => verdict.kind === wanted).map((verdict) => verdict.of))
  const done = mine.flatMap((verdict) => (verdict.kind === 'done' ? [{ from: verdict.of, to: verdict.uid, length: 1 }] : []))
  const found = new UidPairs(done)
  if (done.length > 0) {
    // A move that was cut short may have left the original behind: then the copy is proved, and the original is still to be removed.
    const finished = kind === 'move' ? found.restrict(found.sources.difference(sourcesLeft)) : found
    const halfway = kind === 'move' ? found.restrict(sourcesLeft) : UidPairs.EMPTY
    const evidence = probed(
      'certain',
      done.map((pair) => pair.to as Uid),
    )
    if (finished.ranges.length > 0)
      ledger.settleTransferred(seq, { ...targets, uids: finished.sources }, kind, claim, finished, evidence)
    if (halfway.ranges.length > 0)
      ledger.settleTransferred(seq, { ...targets, uids: halfway.sources }, 'copy', claim, halfway, evidence)
  }
  // OK to a COPY that left nothing behind: sending it again would do the same.
  const notDone = claim.answer === 'ok' ? UidSet.EMPTY : uidsOf('not-done')
  if (!notDone.isEmpty) ledger.queueAgain(seq, { ...targets, uids: notDone })
  const gone = uidsOf('gone')
  if (!gone.isEmpty) ledger.settleGone(seq, { ...targets, uids: gone }, probed('none', []))
  const uncertain = targets.uids.difference(found.sources).difference(notDone).difference(gone)
  if (!uncertain.isEmpty) ledger.park(seq, { ...targets, uids: uncertain }, 'uncertain')
}

function probed(verdict: Extract<Evidence, { kind: 'probe' }>['verdict'], found: readonly Uid[]): Evidence {
  return { kind: 'probe', verdict, found }
}
