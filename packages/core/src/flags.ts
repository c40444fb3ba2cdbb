/** Flags and keywords: how they are written, compared and combined (RFC 9051 §2.3.2). */

import { SyncError } from './errors.ts'

/** The system flags in their canonical spelling. `\Recent` is a session's own and is never stored. */
export const SYSTEM_FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const
export type SystemFlag = (typeof SYSTEM_FLAGS)[number]

/** A system flag or a keyword as the server spells it. Two flags that differ in case only are the same flag. */
export type Flag = string

/** A change of flags: absolute lists are never kept, only what was added and what was removed. */
export interface FlagDelta {
  readonly add: readonly Flag[]
  readonly remove: readonly Flag[]
}

const FLAG_OCTETS_MAX = 120
const ATOM = /^[\x21\x23\x24\x26\x27\x2b-\x5a\x5e-\x7a\x7c\x7e]+$/

/**
 * Reads a flag as a person writes it: `seen`, `\Seen` and `SEEN` are `\Seen`; anything else is a keyword and keeps its case.
 * @throws SyncError `input.bad-flag` for what is no atom (RFC 9051 §9), `\Recent`, unknown system flags, and over 120 octets.
 */
export function parseFlag(text: string): Flag {
  const bare = text.startsWith('\\') ? text.slice(1) : text
  const system = SYSTEM_FLAGS.find((flag) => flag.slice(1).toLowerCase() === bare.toLowerCase())
  if (system !== undefined) return system
  if (text.startsWith('\\') || text.length > FLAG_OCTETS_MAX || !ATOM.test(text)) {
    throw new SyncError('input.bad-flag', `"${text.slice(0, 60)}" is not a flag or keyword.`, {
      hint: 'Use seen, answered, flagged, deleted, draft, or a keyword of letters, digits, $, - and _.',
    })
  }
  return text
}

/** The key under which two spellings of one flag are equal. */
export function flagKey(flag: Flag): string {
  return flag.toLowerCase()
}

/** A list of flags without repeats and without `\Recent`, system flags in canonical case, sorted by key. */
export function normaliseFlags(flags: Iterable<Flag>): Flag[] {
  const byKey = new Map<string, Flag>()
  for (const flag of flags) {
    const key = flagKey(flag)
    if (key === '\\recent' || byKey.has(key)) continue
    byKey.set(key, SYSTEM_FLAGS.find((system) => system.toLowerCase() === key) ?? flag)
  }
  return [...byKey.keys()].sort().map((key) => byKey.get(key) as Flag)
}

export function hasFlag(flags: readonly Flag[], flag: Flag): boolean {
  const key = flagKey(flag)
  return flags.some((candidate) => flagKey(candidate) === key)
}

export function sameFlags(a: readonly Flag[], b: readonly Flag[]): boolean {
  const left = normaliseFlags(a).map(flagKey)
  const right = normaliseFlags(b).map(flagKey)
  return left.length === right.length && left.every((key, i) => key === right[i])
}

/** `(flags | add) & ~remove`. */
export function applyFlagDelta(flags: readonly Flag[], delta: FlagDelta): Flag[] {
  const removed = new Set(delta.remove.map(flagKey))
  return normaliseFlags([...flags, ...delta.add].filter((flag) => !removed.has(flagKey(flag))))
}
