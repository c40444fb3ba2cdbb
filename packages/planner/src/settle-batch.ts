/** Turns the answers to a batch into what the store writes: server state, entries and receipts in one change (H-2). */

import {
  type Appended,
  type Copied,
  type Done,
  type EntrySeq,
  type MutatingStep,
  type Observation,
  type Outcome,
  type Targets,
  UidPairs,
  UidSet,
  uid,
} from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'
import { classifyRejection } from './classify-rejection.ts'
import type { Ledger } from './ledger.ts'
import type { Batch } from './replay-state.ts'

/** Settles what needs no answer: targets that were gone before anything was sent, and flags the server would not keep. */
export function settleMoot(moot: Batch['moot'], ledger: Ledger): void {
  for (const { seq, targets, why } of moot) {
    if (why === 'needs-another') ledger.park(seq, targets, why)
    else if (why === 'not-possible') ledger.park(seq, targets, 'not-permitted')
    else if (why === 'not-permitted') ledger.reject(seq, targets, { kind: 'nothing-sent' })
    else ledger.settleGone(seq, targets, { kind: 'vanished', uids: targets.kind === 'stored' ? targets.uids : UidSet.EMPTY })
  }
}

/** Settles each claim by the ending of its steps and by the evidence that came with them. */
export function settleBatch(batch: Batch, observations: readonly Observation[], ledger: Ledger): void {
  const looks = looksAfter(batch, observations)
  const endings = new Map(observations.flatMap((item) => (item.kind === 'done' ? [[item.id, item] as const] : [])))
  for (const claim of batch.claims) {
    const dones = claim.steps.map((step) => endings.get(step.id))
    switch (worst(dones)) {
      case 'ok':
        settleAnswered(claim, batch, looks, observations, ledger)
        break
      case 'rejected':
        settleRejected(claim, dones, observations, ledger)
        break
      case 'unknown':
        ledger.lose(claim)
        break
      case 'stale':
      case 'not-sent':
      case 'skipped':
        ledger.release(claim)
        break
    }
  }
}

/** What the steps of a claim came to, taken together: one unanswered step leaves the claim unanswered. */
function worst(dones: readonly (Done | undefined)[]): Outcome {
  const outcomes = dones.map((done) => done?.outcome ?? 'unknown')
  return (['unknown', 'rejected', 'stale', 'not-sent', 'skipped'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'ok'
}

function settleAnswered(
  claim: Claim,
  batch: Batch,
  looks: ReadonlyMap<string, UidSet>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const step = claim.steps.at(-1) as MutatingStep
  switch (step.kind) {
    case 'store':
      settleFlags(claim, transferredAfter(claim, batch, observations, ledger), observations, ledger)
      break
    case 'expunge':
      settleExpunge(claim, looks, observations, ledger)
      break
    case 'copy':
    case 'move':
      settleTransfer(claim, step, observations, ledger)
      break
    case 'append':
      settleAppend(claim, step.id, observations, ledger)
      break
  }
}

/** H-14: OK does not prove that a message was there. Those reported gone meanwhile are skipped; for the others the rows are inferred until restated. */
function settleFlags(claim: Claim, transferredLater: UidSet, observations: readonly Observation[], ledger: Ledger): void {
  const seen = UidSet.from(observations.flatMap((item) => (item.kind === 'row' ? [item.uid] : [])))
  const vanished = vanishedIn(observations).difference(transferredLater)
  for (const step of claim.steps) if (step.kind === 'store') ledger.inferFlags(claim, step, { seen, vanished })
  for (const { seq, targets } of claim.members) {
    if (targets.kind !== 'stored') continue
    const gone = targets.uids.intersect(vanished)
    const stated = targets.uids.difference(gone).intersect(seen)
    const silent = targets.uids.difference(gone).difference(stated)
    if (!gone.isEmpty) ledger.settleGone(seq, { ...targets, uids: gone }, { kind: 'vanished', uids: gone })
    if (!stated.isEmpty) ledger.apply(seq, { ...targets, uids: stated }, { kind: 'flags-seen' })
    if (!silent.isEmpty) ledger.apply(seq, { ...targets, uids: silent }, { kind: 'tagged-ok' })
  }
  ledger.removeClaim(claim)
}

/** Gone is what VANISHED names, or what the look after the expunge does not find; what is still there is tried again. */
function settleExpunge(
  claim: Claim,
  looks: ReadonlyMap<string, UidSet>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const vanished = vanishedIn(observations)
  const left = looks.get(claim.id) ?? null
  for (const { seq, targets } of claim.members) {
    if (targets.kind !== 'stored') continue
    const gone = left === null ? targets.uids.intersect(vanished) : targets.uids.difference(left)
    const kept = targets.uids.difference(gone)
    if (!gone.isEmpty) ledger.settleRemoved(seq, { ...targets, uids: gone }, { kind: 'vanished', uids: gone })
    if (!kept.isEmpty) ledger.retryOrPark(seq, { ...targets, uids: kept })
  }
  ledger.removeClaim(claim)
}

/** What the searches planned behind expunges found, by claim. */
function looksAfter(batch: Batch, observations: readonly Observation[]): Map<string, UidSet> {
  const found = new Map(observations.flatMap((item) => (item.kind === 'uids' ? [[item.id, item.uids] as const] : [])))
  return new Map(
    batch.claims.flatMap((claim) => {
      const last = claim.steps.at(-1)?.id ?? ''
      const look = batch.steps.find((step) => step.kind === 'search' && step.requires?.includes(last))
      const uids = look === undefined ? undefined : found.get(look.id)
      return uids === undefined ? [] : [[claim.id, uids] as const]
    }),
  )
}

function settleTransfer(
  claim: Claim,
  step: Extract<MutatingStep, { kind: 'copy' | 'move' }>,
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const answers = observations.filter((item): item is Copied => item.kind === 'copied' && item.id === step.id)
  if (answers.length === 0) {
    ledger.lose(claim, 'ok')
    return
  }
  const pairs = answers.reduce((all, item) => all.union(item.pairs), UidPairs.EMPTY)
  const target = (answers[0] as Copied).target
  const evidence = { kind: 'copy-uid' as const, target, pairs }
  for (const { seq, targets } of claim.members) {
    ledger.settleTransferred(seq, targets, step.kind, claim, pairs, evidence)
    const absent = targets.kind === 'stored' ? targets.uids.difference(pairs.sources) : UidSet.EMPTY
    if (targets.kind === 'stored' && !absent.isEmpty)
      ledger.settleGone(seq, { ...targets, uids: absent }, { kind: 'vanished', uids: absent })
  }
  ledger.removeClaim(claim)
}

function settleAppend(claim: Claim, stepId: string, observations: readonly Observation[], ledger: Ledger): void {
  const answer = observations.find((item): item is Appended => item.kind === 'appended' && item.id === stepId)
  if (answer === undefined || answer.uids.length !== claim.members.length) {
    ledger.lose(claim, 'ok')
    return
  }
  claim.members.forEach(({ seq, targets }, i) => {
    const named = uid(answer.uids[i] ?? 0)
    ledger.settleLanded(seq, targets, claim, named, { kind: 'append-uid', target: answer.target, uid: named })
  })
  ledger.removeClaim(claim)
}

function settleRejected(
  claim: Claim,
  dones: readonly (Done | undefined)[],
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  const at = dones.findIndex((done) => done?.outcome === 'rejected')
  const rejection = dones[at]?.rejection ?? null
  const step = claim.steps[at] as MutatingStep
  const evidence = { kind: 'rejection' as const, rejection: rejection ?? { status: 'NO' as const, code: null, text: '' } }
  for (const { seq, targets: asked } of claim.members) {
    const targets = settlePartOfTransfer(claim, step, seq, asked, observations, ledger)
    if (targets === null) continue
    if (claim.members.length > 1) {
      ledger.unfold(seq, targets)
      continue
    }
    const verdict = classifyRejection(rejection, step, ledger.rejectionsOf(seq))
    if (verdict.kind === 'retry' || verdict.kind === 'look-again') {
      ledger.retryLater(seq, targets)
      continue
    }
    ledger.parkDependants(seq, targets)
    if (verdict.kind === 'park') ledger.park(seq, targets, verdict.reason)
    else if (ledger.isHalfMoved(seq, targets)) ledger.park(seq, targets, 'rejected-repeatedly')
    else ledger.reject(seq, targets, evidence)
  }
  ledger.removeClaim(claim)
}

/** A MOVE may stop part way (RFC 6851 §3.3): what COPYUID named is done. Answers what is left, or null when nothing is. */
function settlePartOfTransfer(
  claim: Claim,
  step: MutatingStep,
  seq: EntrySeq,
  targets: Targets,
  observations: readonly Observation[],
  ledger: Ledger,
): Targets | null {
  if (targets.kind !== 'stored' || (step.kind !== 'move' && step.kind !== 'copy')) return targets
  const answers = observations.filter((item): item is Copied => item.kind === 'copied' && item.id === step.id)
  const pairs = answers.reduce((all, item) => all.union(item.pairs), UidPairs.EMPTY)
  const [answer] = answers
  if (answer === undefined) return targets
  ledger.settleTransferred(seq, targets, step.kind, claim, pairs, { kind: 'copy-uid', target: answer.target, pairs })
  const left = targets.uids.difference(pairs.sources)
  return left.isEmpty ? null : { ...targets, uids: left }
}

/**
 * What claims behind this one transferred, proved by COPYUID, now or by the copy whose original they remove: it was still there when the flags
 * were stored. Dovecot answers pipelined commands together, so the VANISHED of a MOVE comes before the OK of the STORE in front of it.
 */
function transferredAfter(claim: Claim, batch: Batch, observations: readonly Observation[], ledger: Ledger): UidSet {
  const behind = batch.claims.slice(batch.claims.indexOf(claim) + 1)
  const stepsBehind = behind.flatMap(({ steps }) => steps.map((step) => step.id))
  const copied = observations.flatMap((item) =>
    item.kind === 'copied' && stepsBehind.includes(item.id) ? [item.pairs.sources] : [],
  )
  const originals = behind
    .filter(({ steps }) => steps.at(-1)?.kind === 'expunge')
    .flatMap(({ members }) => members)
    .flatMap(({ seq, targets }) => (ledger.kindOf(seq) === 'move' && targets.kind === 'stored' ? [targets.uids] : []))
  return [...copied, ...originals].reduce((all, uids) => all.union(uids), UidSet.EMPTY)
}

function vanishedIn(observations: readonly Observation[]): UidSet {
  return observations.reduce((all, item) => (item.kind === 'vanished' ? all.union(item.uids) : all), UidSet.EMPTY)
}
