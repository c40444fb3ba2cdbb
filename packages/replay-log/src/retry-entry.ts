/** Tries again what was parked, because the user said so. */

import type { Entry } from './entry.ts'
import type { FlagBase, Operation } from './operation.ts'
import { transition } from './transition.ts'

/** The entry with what was parked queued again, as if it had just been accepted; null when nothing is parked. */
export function retryEntry(entry: Entry): Entry | null {
  const parked = entry.progress.filter(({ state }) => state === 'parked')
  if (parked.length === 0) return null
  const queued = parked.reduce((rest, { targets }) => transition(rest, targets, { kind: 'retry' }).entry, entry)
  return { ...queued, operation: allTheSame(queued), rejections: 0, notBefore: 0, conflicts: [] }
}

/** Of these messages the user has seen what others did, and wants the change all the same. */
function allTheSame({ conflicts, operation }: Entry): Operation {
  if (operation.kind !== 'flag' || operation.ifUnchanged === undefined || conflicts.length === 0) return operation
  const { base, since } = operation.ifUnchanged
  const seen = new Set(conflicts.map(({ uid }) => uid))
  const others = base.filter(({ uid }) => !seen.has(uid))
  const theirs = conflicts.map(({ theirs: flags, uid }): FlagBase => ({ uid, flags, since: null }))
  return { ...operation, ifUnchanged: { since, base: [...others, ...theirs] } }
}
