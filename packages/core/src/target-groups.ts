/** Sets of messages by where they are: what two groups of targets have in common, and what one leaves of the other. */

import { UidSet } from './uid-set.ts'
import type { Targets } from './view-effect.ts'

/** The UIDs or locals of a group. */
export function numbersOf(targets: Targets): UidSet {
  return targets.kind === 'stored' ? targets.uids : targets.locals
}

/** The same place with other numbers. */
export function withNumbers(targets: Targets, numbers: UidSet): Targets {
  return targets.kind === 'stored' ? { ...targets, uids: numbers } : { ...targets, locals: numbers }
}

/** Whether equal numbers in both name the same messages. A local is one message of its account, wherever it shows. */
export function isSamePlace(a: Targets, b: Targets): boolean {
  return a.kind === 'stored' ? b.kind === 'stored' && a.box === b.box : b.kind === 'local'
}

/** The messages of `targets` that `others` names too. */
export function intersectTargets(targets: Targets, others: Targets): Targets {
  return withNumbers(targets, isSamePlace(targets, others) ? numbersOf(targets).intersect(numbersOf(others)) : UidSet.EMPTY)
}

/** The messages of `targets` that `others` does not name. */
export function subtractTargets(targets: Targets, others: Targets): Targets {
  return isSamePlace(targets, others) ? withNumbers(targets, numbersOf(targets).difference(numbersOf(others))) : targets
}

/**
 * Targets as an entry can hold them: one group a mailbox and kind, none empty; stored before local, then by mailbox and box. An operation on several of
 * these groups is accepted as one entry each.
 */
export function splitTargets(targets: readonly Targets[]): Targets[] {
  const groups = new Map<string, Targets>()
  for (const group of targets) {
    if (numbersOf(group).isEmpty) continue
    const key = group.kind === 'stored' ? `stored ${group.mailboxId} ${group.box}` : `local ${group.mailboxId}`
    const before = groups.get(key)
    groups.set(key, before === undefined ? group : withNumbers(group, numbersOf(before).union(numbersOf(group))))
  }
  return [...groups.values()].sort(byPlace)
}

function byPlace(a: Targets, b: Targets): number {
  if (a.kind !== b.kind) return a.kind === 'stored' ? -1 : 1
  if (a.mailboxId !== b.mailboxId || a.kind === 'local' || b.kind === 'local') return a.mailboxId - b.mailboxId
  return a.box - b.box
}
