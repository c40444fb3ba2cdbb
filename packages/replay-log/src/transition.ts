/** Applies an event to targets of an entry: splits its groups, moves them on by the table, and settles what is done (H-1). */

import { numbersOf, SyncError, subtractTargets, type Targets, UidPairs } from '@tidemail/core'
import type { Entry, Evidence, ParkReason, Progress, SettledOutcome, Settlement, UnalteredFlag } from './entry.ts'
import { type Happening, LIFECYCLE, type NextState } from './entry-lifecycle.ts'
import { copiedOf, narrow, partOf, withProgress } from './progress-groups.ts'

export interface Transition {
  /** The same object as before where nothing changed. */
  readonly entry: Entry
  /** What was settled by this; it is in `entry.settled` too. */
  readonly settlements: readonly Settlement[]
}

/**
 * The entry after something befell those of its remaining targets that `targets` names; the others stay as they are. The revision is not raised:
 * that is for who writes it.
 * @throws SyncError `engine.bug` where a named target is in a state in which this cannot happen
 */
export function transition(entry: Entry, targets: Targets, happening: Happening): Transition {
  const progress: Progress[] = []
  const settlements: Settlement[] = []
  let hasChanged = false
  for (const group of entry.progress) {
    const part = partOf(group, targets)
    const next = numbersOf(part.targets).isEmpty ? null : LIFECYCLE[group.state][happening.kind]
    if (next === 'illegal') throw illegal(entry, group, happening)
    if (next === null || staysAlike(group, next, happening)) {
      progress.push(group)
      continue
    }
    hasChanged = true
    progress.push(narrow(group, subtractTargets(group.targets, part.targets)))
    if (next === 'settled') settlements.push(...settle(entry, part, happening))
    else progress.push(...advance(entry, part, next, happening))
  }
  if (!hasChanged) return { entry, settlements }
  const conflicts = happening.kind === 'conflict' ? [...entry.conflicts, ...happening.conflicts] : entry.conflicts
  const after = { ...withProgress(entry, progress), settled: [...entry.settled, ...settlements], conflicts }
  return { entry: happening.kind === 'answered-rejected-for-now' ? rejected(after, happening.notBefore) : after, settlements }
}

/** Whether nothing remains of the entry, so that it leaves the log with a receipt. */
export function isSettled(entry: Entry): boolean {
  return entry.progress.length === 0
}

/** Whether the event leaves even the reason of a parked group as it is. */
function staysAlike({ state, parkedFor }: Progress, next: NextState, happening: Happening): boolean {
  return state === next && ('parkedFor' in happening && state === 'parked' ? happening.parkedFor === parkedFor : true)
}

function rejected(entry: Entry, notBefore: number): Entry {
  return { ...entry, rejections: entry.rejections + 1, notBefore: Math.max(entry.notBefore, notBefore) }
}

function advance(
  entry: Entry,
  part: Progress,
  next: Exclude<NextState, 'settled' | 'illegal'>,
  happening: Happening,
): Progress[] {
  const waiting = { claimId: null, parkedFor: null }
  switch (next) {
    case 'queued':
      return [{ ...part, ...waiting, state: next }]
    case 'unsent': {
      const { copied, whole } = byCopy(entry, part)
      const mayBeDone = part.mayBeDone ?? ('mayBeDone' in happening ? happening.mayBeDone : undefined)
      const now = { ...waiting, ...(mayBeDone === undefined ? {} : { mayBeDone }) }
      return [
        { ...narrow(part, whole), ...now, state: 'queued' },
        { ...narrow(part, copied), ...now, state: 'copied' },
      ]
    }
    case 'copied':
      if (entry.operation.kind !== 'move') throw illegal(entry, part, happening)
      return [{ ...part, ...waiting, state: next, placed: UidPairs.EMPTY }]
    case 'sending':
      if (happening.kind !== 'claim') throw illegal(entry, part, happening)
      return [{ ...part, state: next, claimId: happening.claimId, parkedFor: null }]
    case 'unknown':
    case 'recovering':
      return [{ ...part, state: next }]
    case 'parked':
      return [{ ...part, state: next, claimId: null, parkedFor: reasonOf(happening) }]
  }
}

function reasonOf(happening: Happening): ParkReason {
  if (happening.kind === 'conflict') return 'conflict'
  return 'parkedFor' in happening ? happening.parkedFor : 'uncertain'
}

function unalteredOf({ targets }: Settlement, unaltered: readonly UnalteredFlag[] = []): Pick<Settlement, 'unaltered'> {
  const mine = unaltered
    .map(({ flag, uids }) => ({ flag, uids: uids.intersect(numbersOf(targets)) }))
    .filter(({ uids }) => !uids.isEmpty)
  return mine.length === 0 ? {} : { unaltered: mine }
}

function settle(entry: Entry, part: Progress, happening: Happening): Settlement[] {
  const as = (outcome: SettledOutcome, evidence: Evidence): Settlement[] => [{ outcome, targets: part.targets, evidence }]
  switch (happening.kind) {
    case 'answered-ok':
      // What was sent before may have made the rows what they were when it was sent again: how they were at first counts.
      return as('applied', happening.evidence).map((settlement) => ({
        ...settlement,
        ...unalteredOf(settlement, part.mayBeDone ?? happening.unaltered),
      }))
    case 'probe-certain':
      return as('applied', happening.evidence)
    case 'answered-rejected-for-good':
      return as('rejected', happening.evidence)
    case 'superseded':
      return as('superseded', happening.evidence)
    case 'give-up':
      return as('uncertain', happening.evidence)
    case 'undo':
      return as('undone', { kind: 'user-decision' })
    case 'discard':
      return as('discarded', { kind: 'user-decision' })
    case 'target-vanished':
    case 'probe-gone':
      return settleGone(entry, part, happening.evidence)
    default:
      throw illegal(entry, part, happening)
  }
}

/** Removing what is gone is success (RFC 4549 §5.1), and so is a move whose copy is proved; anything else is skipped. */
function settleGone(entry: Entry, part: Progress, evidence: Evidence): Settlement[] {
  const removes = ['expunge', 'draft', 'delete-mailbox'].includes(entry.operation.kind)
  if (removes) return [{ outcome: 'applied', targets: part.targets, evidence }]
  const { copied, whole } = byCopy(entry, part)
  const parts: Settlement[] = [
    { outcome: 'applied', targets: copied, evidence },
    { outcome: 'skipped', targets: whole, evidence },
  ]
  return parts.filter(({ targets }) => !numbersOf(targets).isEmpty)
}

/** The targets of a move whose copy is proved, and the others. */
function byCopy(entry: Entry, group: Progress): { readonly copied: Targets; readonly whole: Targets } {
  const copied = copiedOf(entry, group)
  return { copied, whole: subtractTargets(group.targets, copied) }
}

function illegal({ seq, operation }: Entry, { state }: Progress, { kind }: Happening): SyncError {
  return new SyncError(
    'engine.bug',
    `Operation #${seq} (${operation.kind}): "${kind}" cannot happen to targets that are ${state}.`,
  )
}
