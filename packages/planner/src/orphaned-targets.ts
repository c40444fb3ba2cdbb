/** Finds targets that will never be named, because what was to make them came to nothing. */

import { type EntrySeq, type Targets, UidSet } from '@tidemail/core'
import { type Entry, ownLocals } from '@tidemail/replay-log'

/** Queued targets whose local no upload, copy or move of the log will make any more. */
export function orphanedTargets(entries: readonly Entry[]): { readonly seq: EntrySeq; readonly targets: Targets }[] {
  const living = livingLocals(entries)
  return entries.flatMap(({ seq, operation, progress }) =>
    progress.flatMap(({ state, targets }) => {
      if (state !== 'queued' || targets.kind !== 'local') return []
      const locals = targets.locals.difference(living).difference(ownLocals(operation))
      return locals.isEmpty ? [] : [{ seq, targets: { ...targets, locals } }]
    }),
  )
}

/** Locals that still may be named: those of uploads, and those that moves and copies will make. */
function livingLocals(entries: readonly Entry[]): UidSet {
  return entries.reduce((all, { operation, progress, placed }) => {
    const remaining = progress.reduce(
      (set, { targets }) => (targets.kind === 'local' ? set.union(targets.locals) : set),
      UidSet.EMPTY,
    )
    return all.union(placed.destinations).union(ownLocals(operation).intersect(remaining))
  }, UidSet.EMPTY)
}
