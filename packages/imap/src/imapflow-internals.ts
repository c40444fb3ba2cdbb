/** Everything of imapflow that its public types leave out and this package uses. imapflow is pinned exactly; a contract test looks at each of these. */

import type { ImapFlow } from 'imapflow'
import { decodeText, getStructuredParams } from 'imapflow/lib/tools.js'

/** An argument of a command, as imapflow's compiler takes it. */
export interface CommandArgument {
  readonly type: 'ATOM' | 'STRING'
  readonly value: string
  /** Kept out of imapflow's own log. */
  readonly sensitive?: boolean
}

/** The answer to a command. The reader stands still until `next` is called. */
export interface ExecAnswer {
  next(): void
}

export interface ExecOptions {
  /** Answers a continuation request. */
  readonly onPlusTag?: () => Promise<void>
}

/** A command of imapflow's own table: `run('LOGIN', user, password)` calls it with the client and these arguments. */
export type ImapFlowCommand = (client: ImapFlowInternals, ...args: never[]) => Promise<unknown>

/** The members used at run time. */
export interface ImapFlowInternals {
  /** The table of commands: replaced by a copy in which ID and NAMESPACE send nothing (H-22). */
  commands: Map<string, ImapFlowCommand>
  /** What the server advertises; APPENDLIMIT comes with its number. */
  readonly capabilities: ReadonlyMap<string, boolean | number>
  exec(command: string, attributes: readonly CommandArgument[], options?: ExecOptions): Promise<ExecAnswer>
  write(chunk: string): void
}

export function internalsOf(client: ImapFlow): ImapFlowInternals {
  return client as unknown as ImapFlowInternals
}

/** Decodes the encoded words of a header (RFC 2047), in any charset imapflow's libraries know. */
export function decodeHeaderText(text: string): string {
  return text.includes('=?') ? decodeText(text) : text
}

/** Joins and decodes MIME parameters (RFC 2231): `name*0*=utf-8''...`. Keys are in lower case. */
export function decodeParameters(pairs: readonly (string | null)[]): ReadonlyMap<string, string> {
  const decoded = structuredParams(pairs)
  return new Map(Object.entries(decoded).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Whoever writes a message chooses these names: `name**` beside `name*` is more than the library can bear, and then nothing is read. */
function structuredParams(pairs: readonly (string | null)[]): Readonly<Record<string, unknown>> {
  try {
    return getStructuredParams(pairs.map((value) => (value === null ? null : { type: 'STRING', value })) as never)
  } catch {
    return {}
  }
}
