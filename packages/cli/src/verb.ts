/** What every verb is given, and what the command line says for all of them. */

import type { HoldOptions } from './hold-setting.ts'
import type { Printer } from './printer.ts'
import type { Terminal } from './terminal.ts'

/** Options that every verb takes, as they were typed. */
export interface CommonOptions extends HoldOptions {
  readonly store?: string
  readonly config?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly security?: string
  readonly ca?: string
  readonly allowCleartext?: boolean
  readonly passwordFile?: string
  readonly passwordCommand?: string
  readonly bodies?: string
  readonly headersOnly?: boolean
  /** Seconds. */
  readonly timeout?: number
}

export interface VerbContext {
  readonly options: CommonOptions
  readonly terminal: Terminal
  readonly printer: Printer
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/** Carries the verb out. What it rejects with is printed as the failure of the command. */
export type Run = (context: VerbContext) => Promise<void>

/** Called by the command line parser for the verb that was typed. */
export type Choose = (options: CommonOptions, run: Run) => void
