/** A TCP proxy in front of an IMAP server that counts exactly, slows down, breaks at a chosen point and hides abilities. */

import { type AddressInfo, createServer, type Server } from 'node:net'
import { FaultProxyConnection } from './fault-proxy-connection.ts'
import type { ConnectionContext } from './fault-proxy-context.ts'
import { ArmedFault, type CutHow, type Direction, type Fault } from './fault-proxy-fault.ts'
import { ArmedInterludes, type Interlude } from './fault-proxy-interlude.ts'
import type { RewriteCommandLine, RewriteServerLine, ServerMask } from './fault-proxy-mask.ts'
import type { PipePace } from './fault-proxy-pipe.ts'
import type { ProxiedCommand } from './proxied-command.ts'

/** Per direction; what is left out is without delay or limit. */
export interface ProxyPace {
  /** The flight time of every byte. A round trip takes the sum of both directions. */
  readonly delayMs?: { readonly up?: number; readonly down?: number }
  readonly bytesPerSecond?: { readonly up?: number; readonly down?: number }
}

export interface FaultProxyOptions {
  /** The server to stand in front of. */
  readonly host: string
  readonly port: number
  readonly pace?: ProxyPace
  readonly fault?: Fault
  readonly mask?: ServerMask
  /** Changes (or with null drops) lines of the server, without line end, literals left alone. Applied behind the mask. */
  readonly rewriteLine?: RewriteServerLine
  /**
   * Changes commands on their way to the server: their text up to the first literal, with its tag, without line end. The mask judges, and `commands`
   * keeps, what the client sent.
   */
  readonly rewriteCommand?: RewriteCommandLine
  /** Commands answered BAD without asking the server: `['IDLE', 'UID MOVE']`. */
  readonly refuse?: readonly string[]
  /** `opaque` passes bytes on unread, as TLS needs: then there are no commands, masks or command faults. The default is `imap`. */
  readonly reads?: 'imap' | 'opaque'
}

export interface ProxyCounts {
  readonly connections: number
  /** Received from clients. */
  readonly bytesUp: number
  /** Handed to clients. */
  readonly bytesDown: number
  /** Tagged commands, refused ones included. */
  readonly commands: number
  /** How often an answer followed a request: the round trips somebody waited for. A greeting is none. */
  readonly turns: number
  /** How often the armed fault struck. */
  readonly faults: number
}

/**
 * @example
 * const proxy = await FaultProxy.start({ host: server.host, port: server.port })
 * proxy.setFault({ kind: 'lose-answer', command: 'UID MOVE', how: 'rst' })
 */
export class FaultProxy {
  readonly #options: FaultProxyOptions
  readonly #listener: Server
  readonly #refuse: ReadonlySet<string>
  readonly #connections = new Set<FaultProxyConnection>()
  #pace: ProxyPace
  #fault: ArmedFault
  #interludes: ArmedInterludes = new ArmedInterludes([], 0)
  #commands: ProxiedCommand[] = []
  #counts: ProxyCounts = NO_COUNTS
  #connectionNumber = 0
  #strikeWaiters: (() => void)[] = []

  /** Starts listening on a port of 127.0.0.1 that the system chooses. */
  static start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    return new Promise((resolve, reject) => {
      proxy.#listener.once('error', reject)
      proxy.#listener.listen(0, '127.0.0.1', () => resolve(proxy))
    })
  }

  private constructor(options: FaultProxyOptions) {
    this.#options = options
    this.#pace = options.pace ?? {}
    this.#fault = this.#armed(options.fault ?? null)
    this.#refuse = new Set((options.refuse ?? []).map((name) => name.toUpperCase()))
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      // Errors of a client that is only turned away need no attention; a proxied one is followed by its connection.
      client.on('error', () => {})
      if (this.#fault.refusesConnections()) {
        client.resetAndDestroy()
        return
      }
      this.#count({ connections: 1 })
      this.#connectionNumber += 1
      const connection = new FaultProxyConnection(
        client,
        this.#context(this.#connectionNumber, () => this.#connections.delete(connection)),
      )
      this.#connections.add(connection)
    })
  }

  /** Where clients connect, on 127.0.0.1. */
  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Every command since the start or the last `reset`, in the order of arrival. */
  get commands(): readonly ProxiedCommand[] {
    return this.#commands
  }

  counts(): ProxyCounts {
    return this.#counts
  }

  /** Sets counts and commands back to nothing; connections, pace and fault stay as they are. */
  reset(): void {
    this.#counts = NO_COUNTS
    this.#commands = []
  }

  /** Arms a fault in place of the present one; null disarms. Bytes and commands are counted from here. */
  setFault(fault: Fault | null): void {
    this.#fault = this.#armed(fault)
  }

  /** Has somebody act at moments of the sessions that are open now, each once, in place of what was set before. */
  setInterludes(interludes: readonly Interlude[]): void {
    this.#interludes = new ArmedInterludes(interludes, this.#connectionNumber)
  }

  /** Resolves when the armed fault strikes next. */
  nextFault(): Promise<void> {
    return new Promise((resolve) => {
      this.#strikeWaiters.push(resolve)
    })
  }

  setPace(pace: ProxyPace): void {
    this.#pace = pace
  }

  /** Breaks every open connection now. */
  cut(how: CutHow): void {
    for (const connection of this.#connections) connection.cut(how)
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()))
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  #armed(fault: Fault | null): ArmedFault {
    return new ArmedFault(fault, () => {
      this.#count({ faults: 1 })
      const waiters = this.#strikeWaiters
      this.#strikeWaiters = []
      for (const wake of waiters) wake()
    })
  }

  #context(number: number, closed: () => void): ConnectionContext {
    return {
      number,
      host: this.#options.host,
      port: this.#options.port,
      mask: this.#options.mask ?? null,
      rewriteLine: this.#options.rewriteLine ?? null,
      rewriteCommand: this.#options.rewriteCommand ?? null,
      refuse: this.#refuse,
      readsLines: this.#options.reads !== 'opaque',
      fault: () => this.#fault,
      interludes: (command) => this.#interludes.onCommand(command),
      pace: (direction) => paceOf(this.#pace, direction),
      countBytes: (direction, count) => this.#count(direction === 'up' ? { bytesUp: count } : { bytesDown: count }),
      countTurn: () => this.#count({ turns: 1 }),
      addCommand: (command) => {
        this.#count({ commands: 1 })
        this.#commands.push(command)
      },
      replaceCommand: (previous, command) => {
        const at = this.#commands.lastIndexOf(previous)
        // A reset in between has taken the command away.
        if (at !== -1) this.#commands[at] = command
      },
      closed,
    }
  }

  #count(more: Partial<ProxyCounts>): void {
    const now = this.#counts
    this.#counts = {
      connections: now.connections + (more.connections ?? 0),
      bytesUp: now.bytesUp + (more.bytesUp ?? 0),
      bytesDown: now.bytesDown + (more.bytesDown ?? 0),
      commands: now.commands + (more.commands ?? 0),
      turns: now.turns + (more.turns ?? 0),
      faults: now.faults + (more.faults ?? 0),
    }
  }
}

const NO_COUNTS: ProxyCounts = { connections: 0, bytesUp: 0, bytesDown: 0, commands: 0, turns: 0, faults: 0 }

function paceOf(pace: ProxyPace, direction: Direction): PipePace {
  return { delayMs: pace.delayMs?.[direction] ?? 0, bytesPerSecond: pace.bytesPerSecond?.[direction] ?? 0 }
}
