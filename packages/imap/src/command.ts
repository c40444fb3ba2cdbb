/** A command as the wire takes it: what is written, and who hears what becomes of it. */

import type { TaggedResponse } from './response.ts'

/** A piece of a command: text, or a literal (RFC 9051 §4.3) that is written at once or only when the server asks for it. */
export type CommandPart = string | { readonly literal: Uint8Array; readonly isSynchronising: boolean }

/** A command to write. */
export interface Command {
  readonly parts: readonly CommandPart[]
  /** Called once: with the tagged reply, or null when the connection ended before it came. */
  settle(reply: TaggedResponse | null): void
  /** Not later than this is another part written (H-8). */
  readonly notAfter?: number
  /** Whether much may come or go before its tagged reply. */
  readonly isTransfer?: boolean
}

/** A command that was written. */
export interface SentCommand {
  readonly tag: string
  readonly command: Command
}
