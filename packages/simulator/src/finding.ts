/** What a check has to complain of. */

export interface Finding {
  /** The ID of what does not hold, as in docs/spec/invariants.md, or a word. */
  readonly check: string
  readonly what: string
}

/** Checks whose findings are told and counted, but fail nothing, as long as what they found waits to be mended. */
export const TOLERATED: readonly string[] = []
