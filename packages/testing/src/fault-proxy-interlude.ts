/** What somebody else does at one moment of a session, while that connection waits: whose moment it is, and that each comes once. */

import { type CommandFault, type CommandMatch, matches } from './fault-proxy-fault.ts'
import type { FaultProxyPipe } from './fault-proxy-pipe.ts'
import type { ProxiedCommand } from './proxied-command.ts'

export interface Interlude {
  readonly command: CommandMatch
  /** `request`: all commands before this one are answered, and it has not reached the server. `reply`: the server has carried it out, and its tagged reply is on the way. */
  readonly at: 'request' | 'reply'
  /** The connection waits until this is settled, however it ends. */
  readonly act: () => Promise<void>
}

/** A command that was forwarded and is not yet answered. */
export interface Pending {
  readonly tag: string
  readonly name: string
  readonly answerFault: Extract<CommandFault, { readonly kind: 'lose-answer' }> | null
  /** Called once everything before the answer has been handed on. */
  readonly whenNext: (() => void)[]
  /** What somebody does before the tagged reply is handed on. */
  readonly meanwhile: readonly Interlude[]
}

export class ArmedInterludes {
  #left: readonly Interlude[]
  readonly #connectionMax: number

  /** On connections up to that number: those who act read through the same proxy, and are not to wait for themselves. */
  constructor(interludes: readonly Interlude[], connectionMax: number) {
    this.#left = interludes
    this.#connectionMax = connectionMax
  }

  /** Those whose moment comes with this command. Asked once per command, since each comes once. */
  onCommand(command: ProxiedCommand): readonly Interlude[] {
    if (command.connection > this.#connectionMax) return []
    const struck = this.#left.filter((interlude) => matches(interlude.command, command))
    this.#left = this.#left.filter((interlude) => !struck.includes(interlude))
    return struck
  }
}

/** Holds back what goes into the pipe from here; what is returned has somebody act, and lets it go on then. */
export function holdBack(pipe: FaultProxyPipe, act: Interlude['act']): () => void {
  let release = (): void => {}
  const acted = new Promise<void>((resolve) => {
    release = resolve
  })
  pipe.hold(() => acted)
  return () => void act().then(release, release)
}
