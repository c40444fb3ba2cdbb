/** Tells whether an entry, by its effects, names messages whose names a forward is about to replace (H-18), or that are about to be evicted. */

import type { ForwardSource } from './change.ts'
import { assertNever } from './errors.ts'
import type { UidPairs } from './uid-pairs.ts'
import type { UidSet } from './uid-set.ts'
import type { StoredTargets, Targets, ViewEffect } from './view-effect.ts'

/** Names that are replaced: `pairs.sources` in a box, or locals. */
export interface ReplacedNames {
  readonly from: ForwardSource
  readonly pairs: UidPairs
}

/** Whether any of the effects is about one of these. */
export function namesReplaced(effects: readonly ViewEffect[], { from, pairs }: ReplacedNames): boolean {
  return effects.some((effect) => isAbout(effect, from, pairs.sources))
}

/** Whether any of the effects is about one of these UIDs of a box. */
export function namesStored(effects: readonly ViewEffect[], { box, uids }: Pick<StoredTargets, 'box' | 'uids'>): boolean {
  return effects.some((effect) => isAbout(effect, { kind: 'stored', box }, uids))
}

function isAbout(effect: ViewEffect, from: ForwardSource, names: UidSet): boolean {
  switch (effect.kind) {
    case 'flags':
    case 'hide':
      return overlaps(effect.on, from, names)
    case 'place': {
      const { from: origin } = effect
      const isSame = origin.kind === 'stored' ? from.kind === 'stored' && origin.box === from.box : from.kind === 'local'
      return isSame && !effect.pairs.sources.intersect(names).isEmpty
    }
    case 'new':
    case 'keep':
    case 'mailbox':
      return false
    default:
      return assertNever(effect)
  }
}

function overlaps(on: Targets, from: ForwardSource, sources: UidSet): boolean {
  if (on.kind === 'local') return from.kind === 'local' && !on.locals.intersect(sources).isEmpty
  return from.kind === 'stored' && on.box === from.box && !on.uids.intersect(sources).isEmpty
}
