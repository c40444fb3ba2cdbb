/** The groups of an entry's remaining targets, kept few: groups that stand alike in one place are one. */

import { intersectTargets, isSamePlace, numbersOf, type Targets, UidPairs, UidSet, withNumbers } from '@tidemail/core'
import type { Entry, Progress } from './entry.ts'

/** The entry with these groups in place of its own; empty ones are left out, and what can be one group becomes one. */
export function withProgress(entry: Entry, progress: readonly Progress[]): Entry {
  const groups: Progress[] = []
  for (const group of progress) {
    if (numbersOf(group.targets).isEmpty) continue
    const at = groups.findIndex((other) => canJoin(group, other))
    const other = groups[at]
    if (other === undefined) groups.push(group)
    else groups[at] = join(other, group)
  }
  return { ...entry, progress: groups, placed: allPairs(groups) }
}

/** Which of these targets of an entry shows as which local. */
export function placedOf(entry: Entry, targets: Targets): UidPairs {
  return allPairs(entry.progress.map((group) => partOf(group, targets)))
}

/** The part of a group that `targets` names, with its pairs; its targets may be empty. */
export function partOf(group: Progress, targets: Targets): Progress {
  return narrow(group, intersectTargets(group.targets, targets))
}

/** Of a move, the targets of a group whose copy is proved: no local stands for them any more. */
export function copiedOf(
  { operation }: Pick<Entry, 'operation'>,
  { placed, targets }: Pick<Progress, 'placed' | 'targets'>,
): Targets {
  const numbers = operation.kind === 'move' ? numbersOf(targets).difference(placed.sources) : UidSet.EMPTY
  return withNumbers(targets, numbers)
}

/** The group with fewer targets. */
export function narrow(group: Progress, targets: Targets): Progress {
  return { ...group, targets, placed: group.placed.restrict(numbersOf(targets)) }
}

/** All pairs of these groups. */
export function allPairs(groups: readonly Progress[]): UidPairs {
  return groups.reduce((pairs, { placed }) => (placed.ranges.length === 0 ? pairs : pairs.union(placed)), UidPairs.EMPTY)
}

function canJoin(a: Progress, b: Progress): boolean {
  return (
    a.state === b.state &&
    a.claimId === b.claimId &&
    a.parkedFor === b.parkedFor &&
    a.mayBeDone === b.mayBeDone &&
    a.targets.mailboxId === b.targets.mailboxId &&
    isSamePlace(a.targets, b.targets)
  )
}

function join(a: Progress, b: Progress): Progress {
  const numbers = numbersOf(a.targets).union(numbersOf(b.targets))
  return { ...a, targets: withNumbers(a.targets, numbers), placed: joinRuns(a.placed.union(b.placed)) }
}

/** Pairs that continue one another as one range, so that splitting and joining does not wear them down. */
export function joinRuns({ ranges }: UidPairs): UidPairs {
  const runs: { from: number; to: number; length: number }[] = []
  for (const range of ranges) {
    const open = runs.at(-1)
    const continues = open !== undefined && open.from + open.length === range.from && open.to + open.length === range.to
    if (continues) open.length += range.length
    else runs.push({ ...range })
  }
  return new UidPairs(runs)
}
