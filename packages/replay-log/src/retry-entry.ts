/** Tries again what was parked, because the user said so. */

import type { Entry } from './entry.ts'
import { transition } from './transition.ts'

/** The entry with what was parked queued again, as if it had just been accepted; null when nothing is parked. */
export function retryEntry(entry: Entry): Entry | null {
  const parked = entry.progress.filter(({ state }) => state === 'parked')
  if (parked.length === 0) return null
  const queued = parked.reduce((rest, { targets }) => transition(rest, targets, { kind: 'retry' }).entry, entry)
  return { ...queued, rejections: 0, notBefore: 0 }
}
