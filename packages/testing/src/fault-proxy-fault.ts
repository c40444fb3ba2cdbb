/** The one fault a proxy is armed with: which byte, command or answer it waits for, and whether it has struck. */

import type { Allowance } from './fault-proxy-pipe.ts'
import type { ProxiedCommand } from './proxied-command.ts'

/** `up` runs from the client to the server. */
export type Direction = 'up' | 'down'
/** How a connection ends: by a reset, by an orderly end, or by falling silent while it stays open. */
export type CutHow = 'rst' | 'fin' | 'stall'
/** A command's name such as `'UID MOVE'` or `'APPEND'`, or a test of the recorded command. */
export type CommandMatch = string | ((command: ProxiedCommand) => boolean)

export type Fault =
  /**
   * Lets `bytes` more bytes pass in that direction, counted from now over all connections, and cuts the connection that carries the last. With `from`
   * they are counted from the first octet of that command, or, `down`, of what follows the answers to all commands before it.
   */
  | {
      readonly kind: 'cut-after'
      readonly direction: Direction
      readonly bytes: number
      readonly how: CutHow
      readonly from?: CommandMatch
      readonly nth?: number
    }
  /** The command never reaches the server; what was sent before it is still answered. */
  | { readonly kind: 'lose-request'; readonly command: CommandMatch; readonly nth?: number; readonly how: CutHow }
  /**
   * The server carries the command out and the client does not hear of it. `loses` says whether the untagged answers are lost
   * too (`everything`) or only the tagged reply (the default).
   */
  | {
      readonly kind: 'lose-answer'
      readonly command: CommandMatch
      readonly nth?: number
      readonly how: CutHow
      readonly loses?: 'tagged-reply' | 'everything'
    }
  /** Every new connection is reset at once, until another fault or none is set. */
  | { readonly kind: 'refuse-connections' }

export type CommandFault = Extract<Fault, { readonly command: CommandMatch }>

/** A fault strikes once, `refuse-connections` aside. */
export class ArmedFault {
  readonly #fault: Fault | null
  readonly #onStrike: () => void
  #bytesLeft: number
  #matchesLeft: number
  #isCounting: boolean
  #hasStruck = false

  constructor(fault: Fault | null, onStrike: () => void) {
    this.#fault = fault
    this.#onStrike = onStrike
    this.#bytesLeft = fault?.kind === 'cut-after' ? fault.bytes : 0
    this.#isCounting = fault?.kind === 'cut-after' && fault.from === undefined
    this.#matchesLeft = fault !== null && ('command' in fault || 'from' in fault) ? (fault.nth ?? 1) : 0
  }

  refusesConnections(): boolean {
    if (this.#fault?.kind !== 'refuse-connections') return false
    this.strike()
    return true
  }

  allowance(direction: Direction, count: number): Allowance {
    if (this.#fault?.kind !== 'cut-after' || this.#fault.direction !== direction || !this.#isCounting || this.#hasStruck)
      return { bytes: count, breaks: false }
    const bytes = Math.min(count, this.#bytesLeft)
    this.#bytesLeft -= bytes
    return { bytes, breaks: this.#bytesLeft === 0 }
  }

  /** How the line breaks where `allowance` said so. */
  get cutHow(): CutHow {
    return this.#fault !== null && 'how' in this.#fault ? this.#fault.how : 'rst'
  }

  /** The fault this command runs into, if any. Asked once per command, since it counts. */
  onCommand(command: ProxiedCommand): CommandFault | null {
    const fault = this.#fault
    if (fault === null || !('command' in fault) || this.#matchesLeft === 0 || !matches(fault.command, command)) return null
    this.#matchesLeft -= 1
    return this.#matchesLeft === 0 ? fault : null
  }

  /** Where the octets of a cut are counted from this command on: in which direction. Asked once per command, since it counts. */
  countsFrom(command: ProxiedCommand): Direction | null {
    const fault = this.#fault
    if (fault?.kind !== 'cut-after' || fault.from === undefined || this.#matchesLeft === 0) return null
    if (!matches(fault.from, command)) return null
    this.#matchesLeft -= 1
    return this.#matchesLeft === 0 ? fault.direction : null
  }

  startCounting(): void {
    this.#isCounting = true
  }

  strike(): void {
    this.#hasStruck = true
    this.#onStrike()
  }
}

export function matches(match: CommandMatch, command: ProxiedCommand): boolean {
  return typeof match === 'string' ? match.toUpperCase() === command.name : match(command)
}
