/** What an entry does to the view, by its operation and by what remains of it (H-17). */

import { assertNever, type Targets, type UidPairs, type ViewEffect } from '@tidemail/core'
import type { Entry, Progress } from './entry.ts'
import { joinRuns } from './progress-groups.ts'
import { isSamePlace, numbersOf, withNumbers } from './target-groups.ts'

/** The effects of what remains, in order. What is settled has none: it is server state, or it is reverted by leaving the log. */
export function effectsOf(entry: Entry): ViewEffect[] {
  const { operation } = entry
  if (operation.kind === 'append') {
    // Whatever befalls the upload, the message stays visible, and its bytes stay named, until it has landed or the user gives it up (I-STORE-2).
    return entry.progress.length === 0 ? [] : [{ kind: 'new', mailboxId: operation.to, message: operation.message }]
  }
  return mergeByPlace(entry.progress.filter(hasEffect)).flatMap(({ targets, placed }): ViewEffect[] => {
    switch (operation.kind) {
      case 'flag':
        return [{ kind: 'flags', on: targets, delta: { add: operation.add, remove: operation.remove } }]
      case 'copy':
        return placeEffect(targets, placed, operation.to)
      case 'move':
        return [...placeEffect(targets, placed, operation.to), { kind: 'hide', on: targets }]
      case 'expunge':
        return [{ kind: 'hide', on: targets }]
      default:
        return assertNever(operation)
    }
  })
}

/**
 * Whether the group still shows as done. Stored targets of a box that is gone name nothing; and what was to go to a mailbox that is gone shows where
 * it was, rather than nowhere.
 */
function hasEffect({ parkedFor, targets }: Progress): boolean {
  if (parkedFor === 'uidvalidity-changed') return targets.kind === 'local'
  return parkedFor !== 'mailbox-gone'
}

/** Targets of a move whose copy is proved have no pair: their copy is server state already. */
function placeEffect(targets: Targets, placed: UidPairs, to: Extract<ViewEffect, { kind: 'place' }>['mailboxId']): ViewEffect[] {
  const pairs = placed.restrict(numbersOf(targets))
  if (pairs.ranges.length === 0) return []
  const from =
    targets.kind === 'stored'
      ? { kind: 'stored' as const, mailboxId: targets.mailboxId, box: targets.box }
      : { kind: 'local' as const }
  return [{ kind: 'place', mailboxId: to, from, pairs }]
}

/** Groups of one place as one, whatever their states: an effect a place. */
function mergeByPlace(groups: readonly Progress[]): Pick<Progress, 'targets' | 'placed'>[] {
  const merged: Pick<Progress, 'targets' | 'placed'>[] = []
  for (const { targets, placed } of groups) {
    const at = merged.findIndex((other) => isSamePlace(other.targets, targets) && other.targets.mailboxId === targets.mailboxId)
    const other = merged[at]
    if (other === undefined) merged.push({ targets, placed })
    else {
      const numbers = numbersOf(other.targets).union(numbersOf(targets))
      merged[at] = { targets: withNumbers(targets, numbers), placed: joinRuns(other.placed.union(placed)) }
    }
  }
  return merged
}
