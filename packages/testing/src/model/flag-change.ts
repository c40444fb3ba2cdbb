/** What STORE asks of the flags of a message, and what becomes of them. */

import { type Flag, flagKey, normaliseFlags } from '@tidemail/core'

export interface FlagChange {
  readonly direction: 'add' | 'remove' | 'replace'
  readonly flags: readonly Flag[]
  /** UNCHANGEDSINCE (RFC 7162 §3.1.3): messages with a greater mod-sequence are left alone. */
  readonly unchangedSince?: bigint
}

/** The flags after the change. */
export function changedFlags(before: readonly Flag[], direction: FlagChange['direction'], flags: readonly Flag[]): Flag[] {
  if (direction === 'replace') return normaliseFlags(flags)
  if (direction === 'add') return normaliseFlags([...before, ...flags])
  const removed = new Set(flags.map(flagKey))
  return before.filter((flag) => !removed.has(flagKey(flag)))
}

/** Whether both lists, each without repeats, hold the same flags. */
export function sameFlagKeys(a: readonly Flag[], b: readonly Flag[]): boolean {
  const keys = new Set(a.map(flagKey))
  return a.length === b.length && b.every((flag) => keys.has(flagKey(flag)))
}
