/** How the flags of a message fit in 32 bits: five system flags, 26 keywords of the mailbox, and one bit that says there are more beside. */

import { type Flag, flagKey, SYSTEM_FLAGS } from '@tidemail/core'

/** Set where the row has keywords that found no room in the dictionary. */
const OVERFLOW_BIT = SYSTEM_FLAGS.length
const KEYWORD_BIT_FIRST = OVERFLOW_BIT + 1
/** Keywords that have a bit of their own. */
export const KEYWORD_BITS_MAX: number = 32 - KEYWORD_BIT_FIRST
const SEEN = 1

/** Flags as they are packed; `extra` are keywords past the dictionary, or null. */
export interface PackedFlags {
  readonly bits: number
  readonly extra: readonly Flag[] | null
}

export const isUnread = (bits: number): boolean => (bits & SEEN) === 0
export const hasExtra = (bits: number): boolean => (bits & (1 << OVERFLOW_BIT)) !== 0

/** The keywords of one box, each with its bit; a spelling is kept as the server wrote it. Grows only. */
export class KeywordDictionary {
  readonly #keywords: Flag[]
  readonly #bitOf: Map<Flag, number>
  readonly #decoded: Map<number, readonly Flag[]> = new Map()

  constructor(keywords: readonly Flag[]) {
    this.#keywords = [...keywords]
    this.#bitOf = new Map(SYSTEM_FLAGS.map((flag, bit) => [flag, bit]))
    for (const [i, keyword] of keywords.entries()) this.#bitOf.set(keyword, KEYWORD_BIT_FIRST + i)
  }

  get keywords(): readonly Flag[] {
    return this.#keywords
  }

  /** Packs normalised flags; keywords it has not met take a bit while there are any. */
  encode(flags: readonly Flag[]): PackedFlags {
    let bits = 0
    const extra: Flag[] = []
    for (const flag of flags) {
      const bit = this.#bitOf.get(flag) ?? this.#learn(flag)
      if (bit === undefined) extra.push(flag)
      else bits |= 1 << bit
    }
    if (extra.length > 0) bits |= 1 << OVERFLOW_BIT
    return { bits: bits >>> 0, extra: extra.length > 0 ? extra : null }
  }

  /** The flags again, sorted as `normaliseFlags` does. */
  decode({ bits, extra }: PackedFlags): readonly Flag[] {
    const known = this.#decoded.get(bits)
    if (known !== undefined && extra === null) return known
    const flags: Flag[] = [...(extra ?? [])]
    for (const [flag, bit] of this.#bitOf) if ((bits & (1 << bit)) !== 0) flags.push(flag)
    flags.sort((a, b) => (flagKey(a) < flagKey(b) ? -1 : 1))
    if (extra === null) this.#decoded.set(bits, flags)
    return flags
  }

  #learn(keyword: Flag): number | undefined {
    if (this.#keywords.length >= KEYWORD_BITS_MAX) return undefined
    this.#keywords.push(keyword)
    const bit = KEYWORD_BIT_FIRST + this.#keywords.length - 1
    this.#bitOf.set(keyword, bit)
    return bit
  }
}
