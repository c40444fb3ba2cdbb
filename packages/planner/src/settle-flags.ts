/** Settles flag changes that the server answered with OK. */

import {
  type Done,
  type FlagDelta,
  hasFlag,
  type Observation,
  type RowSeen,
  type StoreStep,
  type Targets,
  UidSet,
  uid,
} from '@tidemail/core'
import type { Claim, ClaimMember, Entry, FlagConflict, UnalteredFlag } from '@tidemail/replay-log'
import { sentUids, sentUnder } from './claim-members.ts'
import { REJECTIONS_MAX } from './classify-rejection.ts'
import { conditionedOn, conditionVerdict } from './flag-conditions.ts'
import type { Ledger } from './ledger.ts'
import { isMark, isRemoval } from './own-marks.ts'
import type { Batch } from './replay-state.ts'
import { vanishedIn } from './vanished-in.ts'

/** What a removal does to a message, also where the server then keeps it. */
const MARKED: FlagDelta = { add: ['\\Deleted'], remove: [] }

export interface FlagAnswers {
  readonly batch: Batch
  readonly observations: readonly Observation[]
}

/**
 * H-14: OK does not prove that a message was there. Those reported gone meanwhile are skipped; of those that changed first, the look behind tells whether
 * it was others who changed them; for the rest the rows are inferred until restated.
 */
export function settleFlags(claim: Claim, answers: FlagAnswers, ledger: Ledger): void {
  const { batch, observations } = answers
  const rows = observations.filter((item): item is RowSeen => item.kind === 'row')
  const seen = UidSet.from(rows.map(({ uid }) => uid))
  const vanished = vanishedIn(observations).difference(goneAfter(claim, batch, observations))
  const modified = modifiedIn(claim, observations)
  const look = lookBehind(claim, answers)
  for (const step of claim.steps)
    if (step.kind === 'store') inferFlags(claim, step, { observations, look, seen, vanished }, ledger)
  let again = UidSet.EMPTY
  for (const member of claim.members) {
    const { seq } = member
    const uids = sentUids(member)
    const gone = uids.intersect(vanished)
    const disputed = uids.difference(gone).intersect(modified)
    const done = uids.difference(gone).difference(disputed)
    each(member, gone, (targets) => ledger.settleGone(seq, targets, { kind: 'vanished', uids: gone }))
    if (!disputed.isEmpty) again = again.union(settleDisputed(claim, { member, disputed, again, look }, answers, ledger))
    const { unaltered } = member
    each(member, done.intersect(seen), (targets) => ledger.apply(seq, targets, { kind: 'flags-seen' }, unaltered))
    each(member, done.difference(seen), (targets) => ledger.apply(seq, targets, { kind: 'tagged-ok' }, unaltered))
  }
  ledger.removeClaim(claim)
}

/**
 * What claims behind this one transferred or removed: it was still there when the flags were stored. Dovecot answers pipelined commands together, so
 * the VANISHED of a MOVE comes before the OK of the STORE in front of it.
 */
function goneAfter(claim: Claim, batch: Batch, observations: readonly Observation[]): UidSet {
  const behind = batch.claims.slice(batch.claims.indexOf(claim) + 1)
  const stepsBehind = behind.flatMap(({ steps }) => steps.map((step) => step.id))
  const copied = observations.flatMap((item) =>
    item.kind === 'copied' && stepsBehind.includes(item.id) ? [item.pairs.sources] : [],
  )
  const removed = behind.filter(isRemoval).flatMap(({ members }) => members.map(sentUids))
  return [...copied, ...removed].reduce((all, uids) => all.union(uids), UidSet.EMPTY)
}

/** Whether a refusal says no more than that a conditional STORE left some alone: the others may have been changed (RFC 7162 §3.1.3). */
export function isPartlyModified({ steps }: Claim, dones: readonly (Done | undefined)[]): boolean {
  const isConditional = steps.every((step) => step.kind === 'store' && step.unchangedSince !== undefined)
  return isConditional && dones.every((done) => done?.outcome === 'ok' || done?.rejection?.code === 'MODIFIED')
}

/** Messages that a conditional STORE of the claim left alone; of a refused one, all of them may have been (RFC 7162 §3.1.3). */
function modifiedIn({ steps }: Pick<Claim, 'steps'>, observations: readonly Observation[]): UidSet {
  return steps.reduce((all, step) => {
    if (step.kind !== 'store') return all
    const isRefused = observations.some((item) => item.kind === 'done' && item.id === step.id && item.outcome === 'rejected')
    if (isRefused) return all.union(step.uids)
    return observations.reduce((sum, item) => (item.kind === 'modified' && item.id === step.id ? sum.union(item.uids) : sum), all)
  }, UidSet.EMPTY)
}

type Statement = RowSeen & { readonly flags: readonly string[] }

/** What the server stated by the end of the look behind a conditional STORE, by UID; null where that look was not answered. */
type Look = ReadonlyMap<number, Statement> | null

function lookBehind({ steps }: Claim, { batch, observations }: FlagAnswers): Look {
  const last = steps.at(-1)?.id ?? ''
  const look = batch.steps.find((step) => step.kind === 'fetch' && step.after?.includes(last))
  const isEnd = (item: Observation): boolean =>
    item.kind === 'done' && item.id === look?.id && (item.outcome === 'ok' || item.outcome === 'rejected')
  const end = observations.findIndex(isEnd)
  if (look === undefined || end < 0) return null
  const stated = observations.slice(0, end).filter((item): item is Statement => item.kind === 'row' && item.flags !== null)
  return new Map(stated.map((row) => [row.uid, row]))
}

interface RowNews {
  readonly observations: readonly Observation[]
  readonly look: Look
  readonly seen: UidSet
  readonly vanished: UidSet
}

/** Our own change is a change of the row; and others who wait for the message to be as it was do not wait for that (RFC 7162 §3.1.3). */
function inferFlags(claim: Claim, step: StoreStep, { observations, look, seen, vanished }: RowNews, ledger: Ledger): void {
  const [first] = claim.members
  if (first === undefined) return
  const { mailboxId } = first.targets
  const left = modifiedIn({ steps: [step] }, observations)
  const isThere = (number: number): boolean => {
    const { flags = null } = look?.get(number) ?? {}
    return flags !== null && step.flags.every((flag) => hasFlag(flags, flag) === (step.direction === 'add'))
  }
  const there = UidSet.from([...left.values()].filter(isThere))
  const before = sentBefore(claim, ledger)
  ledger.server.inferFlags(mailboxId, step, { seen: seen.union(before), vanished: vanished.union(left.difference(there)) })
  // A mark that the user makes, or takes off, is none of a removal.
  if (step.flags.some(isMark)) ledger.server.unmark(mailboxId, step.uids)
  ledger.noteOwnChange(claim, step.uids.difference(left).union(there.intersect(before)), deltaOf(step))
}

/** Of a claim of several steps one was taken and another refused: those who wait for the messages to be as they were do not wait for that. */
export function notePartDone(
  claim: Claim,
  dones: readonly (Done | undefined)[],
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  for (const [i, step] of claim.steps.entries()) {
    if (step.kind !== 'store' || dones[i]?.outcome !== 'ok') continue
    ledger.noteOwnChange(claim, step.uids.difference(modifiedIn({ steps: [step] }, observations)), deltaOf(step))
  }
}

/** Whether some of a change of flags was taken, and the rest was not sent. */
export function isPartDone({ steps }: Claim, dones: readonly (Done | undefined)[]): boolean {
  return steps.every(({ kind }) => kind === 'store') && dones.some((done) => done?.outcome === 'ok')
}

export function repeatRest(
  claim: Claim,
  dones: readonly (Done | undefined)[],
  observations: readonly Observation[],
  ledger: Ledger,
): void {
  notePartDone(claim, dones, observations, ledger)
  ledger.repeat(claim)
}

function deltaOf({ direction, flags }: StoreStep): FlagDelta {
  return direction === 'add' ? { add: flags, remove: [] } : { add: [], remove: flags }
}

/** What may have been done by an attempt before: then the server tells of no change now (H-14), though it was one. */
function sentBefore({ members }: Pick<Claim, 'members'>, ledger: Ledger): UidSet {
  return members.reduce((all, member) => {
    const groups = ledger.entry(member.seq)?.progress.filter(({ mayBeDone }) => mayBeDone !== undefined) ?? []
    return groups.reduce(
      (sum, { targets }) => (targets.kind === 'stored' ? sum.union(targets.uids.intersect(sentUids(member))) : sum),
      all,
    )
  }, UidSet.EMPTY)
}

interface Disputed {
  readonly member: ClaimMember
  /** What the server says changed before our change came. */
  readonly disputed: UidSet
  /** Of these an earlier member is sent again: this one, done or not, comes after it. */
  readonly again: UidSet
  readonly look: Look
}

/**
 * A server may say so falsely (RFC 7162 §3.1.3), and it may have been us. Shown to the user is only what others did. Answers what is sent again.
 */
function settleDisputed(
  claim: Claim,
  { member, disputed, again: before, look }: Disputed,
  answers: FlagAnswers,
  ledger: Ledger,
): UidSet {
  const { seq } = member
  const entry = ledger.entry(seq)
  if (entry?.operation.kind !== 'flag') return UidSet.EMPTY
  if (look === null) {
    each(member, disputed, (targets) => ledger.repeatPart(seq, targets, member.unaltered))
    return disputed
  }
  const ours = ownChanges(claim, ledger).flatMap(({ operation, seq: other }) =>
    other !== seq && operation.kind === 'flag' ? [operation] : [],
  )
  const tried = sentBefore({ members: [member] }, ledger)
  const marked = ledger.server.mailbox(member.targets.mailboxId)?.checkpoint?.marked
  const bases = new Map(entry.operation.ifUnchanged?.base.map(({ uid: number, flags }) => [number as number, flags]))
  const known = new Set(entry.operation.ifUnchanged?.base.flatMap((row) => (row.isOurs === true ? [row.uid as number] : [])))
  const found = { done: [] as number[], again: [] as number[], byUs: [] as number[], conflict: [] as number[] }
  for (const number of disputed.values()) {
    const theirs = look.get(number)?.flags ?? null
    const steps = claim.steps.filter((step): step is StoreStep => step.kind === 'store' && step.uids.has(number))
    const itself = tried.has(number) ? [entry.operation] : []
    const own = [...ours, ...itself, ...(marked?.has(number) === true ? [MARKED] : [])]
    const sides = { base: bases.get(number) ?? null, theirs: theirs ?? [] }
    const verdict = theirs === null ? 'again' : conditionVerdict(entry.operation, steps, { ...sides, own })
    // We changed it since the user saw it: the server is right to say so, and has told what it is like now.
    const isOurs = theirs !== null && (known.has(number) || conditionVerdict(entry.operation, steps, sides) === 'conflict')
    const isAgain = verdict !== 'conflict' && (before.has(number) || (verdict === 'again' && isOurs))
    found[isAgain ? 'byUs' : verdict].push(number)
  }
  const [done, byUs, falsely] = [UidSet.from(found.done), UidSet.from(found.byUs), UidSet.from(found.again)]
  const again = byUs.union(falsely)
  const isTooOften = ledger.rejectionsOf(seq) + 1 >= REJECTIONS_MAX
  const conflicting = UidSet.from(found.conflict).union(isTooOften ? falsely : UidSet.EMPTY)
  const conflicts = [...conflicting.values()].map((number): FlagConflict => {
    return { uid: uid(number), base: bases.get(number) ?? [], theirs: look.get(number)?.flags ?? [] }
  })
  const restated = [...again.values()].flatMap((number) => look.get(number) ?? [])
  ledger.update(seq, (before) => conditionedOn(before, restated))
  const unaltered = unalteredOf(claim, member, answers, ledger)
  each(member, done, (targets) => ledger.apply(seq, targets, { kind: 'flags-seen' }, unaltered))
  each(member, conflicting, (targets) => ledger.advance(seq, targets, { kind: 'conflict', conflicts }))
  each(member, byUs, (targets) => ledger.repeatPart(seq, targets, member.unaltered))
  each(member, falsely.difference(conflicting), (targets) => ledger.unfold(seq, targets))
  return again.difference(conflicting)
}

/** Whose changes may have taken effect, folded into this one or sent in vain before: those of the claim, of which some may be settled by now, and others. */
function ownChanges({ members }: Claim, ledger: Ledger): readonly Entry[] {
  const sent = ledger.open.filter(({ progress }) =>
    progress.some(({ mayBeDone, state }) => mayBeDone !== undefined || state !== 'queued'),
  )
  return [...members.flatMap(({ seq }) => ledger.entry(seq) ?? []), ...sent]
}

/**
 * What was there without us. Of targets that were sent before, nobody can tell, and what was known at first counts; and what an earlier change of the claim was
 * to make otherwise was not there for this one.
 */
function unalteredOf(
  { members, steps }: Claim,
  member: ClaimMember,
  { observations }: FlagAnswers,
  ledger: Ledger,
): readonly UnalteredFlag[] {
  const { add, remove } = flagsOf(member, ledger)
  const earlier = members.slice(0, members.indexOf(member)).map((one) => ({ ...flagsOf(one, ledger), uids: sentUids(one) }))
  const left = steps.flatMap((step) => {
    if (step.kind !== 'store') return []
    const uids = modifiedIn({ steps: [step] }, observations)
    const mine = step.flags.filter((flag) => hasFlag(step.direction === 'add' ? add : remove, flag))
    return mine.map((flag) => {
      const others = earlier.filter((one) => hasFlag([...one.add, ...one.remove], flag))
      return { flag, uids: others.reduce((rest, one) => rest.difference(one.uids), uids) }
    })
  })
  return [...(member.unaltered ?? []), ...left.filter(({ uids }) => !uids.isEmpty)]
}

function flagsOf({ seq }: ClaimMember, ledger: Ledger): FlagDelta {
  const operation = ledger.entry(seq)?.operation
  return operation?.kind === 'flag' ? operation : { add: [], remove: [] }
}

function each(member: ClaimMember, uids: UidSet, settle: (targets: Targets) => void): void {
  const targets = sentUnder(member, uids)
  if (targets !== null) settle(targets)
}
