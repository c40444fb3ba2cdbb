/** Tells whether an entry, by its effects, names messages under names that a forward is about to replace (H-18). */

import type { ForwardSource } from './change.ts'
import { assertNever } from './errors.ts'
import type { UidPairs } from './uid-pairs.ts'
import type { UidSet } from './uid-set.ts'
import type { Targets, ViewEffect } from './view-effect.ts'

/** Names that are replaced: `pairs.sources` in a box, or locals. */
export interface ReplacedNames {
  readonly from: ForwardSource
  readonly pairs: UidPairs
}

/** Whether any of the effects is about one of these. */
export function namesReplaced(effects: readonly ViewEffect[], names: ReplacedNames): boolean {
  return effects.some((effect) => isAbout(effect, names))
}

function isAbout(effect: ViewEffect, { from, pairs }: ReplacedNames): boolean {
  switch (effect.kind) {
    case 'flags':
    case 'hide':
      return overlaps(effect.on, from, pairs.sources)
    case 'place': {
      const { from: origin } = effect
      const isSame = origin.kind === 'stored' ? from.kind === 'stored' && origin.box === from.box : from.kind === 'local'
      return isSame && !effect.pairs.sources.intersect(pairs.sources).isEmpty
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
