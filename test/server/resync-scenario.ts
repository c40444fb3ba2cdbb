/** One situation between two looks at an account, as lines that are played on a server. */

import type { Policy } from '@tidemail/engine'
import type { RealServerName, ServerProfileName } from '@tidemail/testing'
import type { Line } from '../e2e/scenario-lines.ts'

export interface ResyncScenario {
  readonly name: string
  readonly lines: readonly Line[]
  /** `keywords`: is left out where the server keeps no keywords of one's own. */
  readonly needs?: 'keywords'
  /** Servers and profiles where it cannot be played, and why. */
  readonly except?: Partial<Readonly<Record<RealServerName | ServerProfileName, string>>>
  readonly policy?: Partial<Policy>
  /** Nobody else may use the server meanwhile. */
  readonly isAlone?: true
}

export function scenario(
  name: string,
  lines: readonly Line[],
  told: Omit<ResyncScenario, 'name' | 'lines'> = {},
): ResyncScenario {
  return { name, lines, ...told }
}
