/** Adds up what strikes hit: the commands on their way, how far the entries had come, and the harm that was done. */

import type { TargetState } from '@tidemail/replay-log'
import type { RealAccount } from './real-account.ts'

/** What one strike left behind. One that was armed too late, or came when all was done, has not struck. */
export interface Struck {
  readonly hasStruck: boolean
  /** Sent, and never answered. */
  readonly commands: readonly string[]
  readonly states: readonly TargetState[]
}

export interface Tally {
  readonly commands: ReadonlySet<string>
  readonly states: ReadonlySet<TargetState>
}

/** How far the targets of the entries in the log have come. */
export async function statesLeft({ engine }: RealAccount): Promise<readonly TargetState[]> {
  return (await engine.entries()).flatMap((entry) => entry.progress.map((group) => group.state))
}

/** Adds up what has really struck, and says it in a line, too. */
export function tallyOf(
  what: string,
  trials: readonly { readonly struck: readonly Struck[]; readonly harm: readonly string[] }[],
): Tally {
  const struck = trials.flatMap((trial) => trial.struck.filter(({ hasStruck }) => hasStruck))
  const commands = new Set(struck.flatMap((strike) => strike.commands))
  const states = new Set(struck.flatMap((strike) => strike.states))
  const harm = trials.flatMap((trial) => trial.harm)
  const line = [
    `${what}: ${trials.length} points, ${struck.length} strikes`,
    `on their way: ${[...commands].toSorted().join(', ')}`,
    `entries left: ${[...states].toSorted().join(', ')}`,
    `harm: ${harm.length === 0 ? 'none' : harm.join('; ')}`,
  ]
  console.log(line.join('; '))
  return { commands, states }
}
