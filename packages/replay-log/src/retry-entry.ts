/** Tries again what was parked, because the user said so. */

import type { Entry } from './entry.ts'
import type { Operation } from './operation.ts'
import { transition } from './transition.ts'

/** The entry with what was parked queued again, as if it had just been accepted; null when nothing is parked. */
export function retryEntry(entry: Entry): Entry | null {
  const parked = entry.progress.filter(({ state }) => state === 'parked')
  if (parked.length === 0) return null
  const queued = parked.reduce((rest, { targets }) => transition(rest, targets, { kind: 'retry' }).entry, entry)
  return { ...queued, operation: unconditional(queued), rejections: 0, notBefore: 0, conflicts: [] }
}

/** The user has seen what others did, and wants the change all the same. */
function unconditional({ conflicts, operation }: Entry): Operation {
  if (operation.kind !== 'flag' || conflicts.length === 0) return operation
  const { ifUnchanged: _, ...whatever } = operation
  return whatever
}
