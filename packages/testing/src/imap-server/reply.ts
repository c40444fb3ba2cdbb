/** How a command ends, and what the rules of the commands look like. */

import type { Refusal } from '../model/message.ts'
import type { Arguments } from './command-syntax.ts'
import type { Session } from './session.ts'

export interface Reply {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** The response code without brackets, or null. */
  readonly code: string | null
  readonly text: string
}

/** A command as it was received: its arguments, and whether it came as `UID ...`. */
export interface Invocation {
  readonly session: Session
  readonly tag: string
  readonly args: Arguments
  readonly isUid: boolean
}

export interface CommandRule {
  /** In which states it is allowed (RFC 9051 §3). */
  readonly states: readonly SessionState[]
  readonly run: (invocation: Invocation) => Reply | Promise<Reply>
  /** Expunges may not be told while FETCH, STORE and SEARCH by sequence number run (RFC 9051 §7.5.1). */
  readonly holdsExpunges?: boolean
}

export type SessionState = 'not-authenticated' | 'authenticated' | 'selected'

export function ok(text: string, code: string | null = null): Reply {
  return { status: 'OK', code, text }
}

export function no(text: string, code: string | null = null): Reply {
  return { status: 'NO', code, text }
}

export function bad(text: string): Reply {
  return { status: 'BAD', code: null, text }
}

export function refused(refusal: Refusal): Reply {
  return no(refusal.text, refusal.code)
}

/** The commands of one family, by name. */
export interface CommandFamily {
  readonly plain: Readonly<Record<string, CommandRule>>
  /** Those that come after `UID`. */
  readonly byUid?: Readonly<Record<string, CommandRule>>
}
