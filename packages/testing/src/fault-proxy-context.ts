/** What a fault proxy lends to each of its connections. */

import type { ArmedFault, Direction } from './fault-proxy-fault.ts'
import type { Interlude } from './fault-proxy-interlude.ts'
import type { RewriteCommandLine, RewriteServerLine, ServerMask } from './fault-proxy-mask.ts'
import type { PipePace } from './fault-proxy-pipe.ts'
import type { ProxiedCommand } from './proxied-command.ts'

/** What a connection needs to know of its proxy, asked anew each time since it may change under way. */
export interface ConnectionContext {
  readonly number: number
  readonly host: string
  readonly port: number
  readonly mask: ServerMask | null
  readonly rewriteLine: RewriteServerLine | null
  readonly rewriteCommand: RewriteCommandLine | null
  readonly refuse: ReadonlySet<string>
  /** False passes bytes on without looking into them (TLS). */
  readonly readsLines: boolean
  fault(): ArmedFault
  /** What somebody does at a moment of this command; asked once per command. */
  interludes(command: ProxiedCommand): readonly Interlude[]
  pace(direction: Direction): PipePace
  countBytes(direction: Direction, count: number): void
  countTurn(): void
  addCommand(command: ProxiedCommand): void
  replaceCommand(previous: ProxiedCommand, command: ProxiedCommand): void
  closed(): void
}
