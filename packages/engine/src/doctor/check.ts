/** What a check of a server is, and what it may find. */

import type { ServerMeasures } from '@tidemail/core'
import type { Bench } from './bench.ts'

/**
 * `as claimed`: the server does what it says; `missing`: it does not do it at all; `contradicts`: it does something else; `not offered`: it does not
 * claim it; `not checked`: something else stood in the way, or it was not asked for.
 */
export type Verdict = 'as claimed' | 'missing' | 'contradicts' | 'not offered' | 'not checked'

export interface CheckResult {
  readonly verdict: Verdict
  /** What was seen, as a sentence. */
  readonly sentence: string
  /** Capabilities that must not be used after this. */
  readonly distrust?: readonly string[]
  readonly measured?: Partial<Pick<ServerMeasures, 'listingLagMs' | 'idleMs'>>
}

export interface CheckSettings {
  /** How long the idle connection is tried, in milliseconds; 0: not at all. */
  readonly idleMs: number
}

export interface Check {
  readonly id: string
  /** What the server is held to, in a few words. */
  readonly what: string
  run(bench: Bench, settings: CheckSettings): Promise<CheckResult>
}

export interface Finding extends CheckResult {
  readonly id: string
  readonly what: string
}

export function asClaimed(sentence: string): CheckResult {
  return { verdict: 'as claimed', sentence }
}

export function missing(sentence: string, ...distrust: readonly string[]): CheckResult {
  return { verdict: 'missing', sentence, distrust }
}

export function contradicts(sentence: string, ...distrust: readonly string[]): CheckResult {
  return { verdict: 'contradicts', sentence, distrust }
}

export function notOffered(capability: string): CheckResult {
  return { verdict: 'not offered', sentence: `The server does not advertise ${capability}.` }
}
