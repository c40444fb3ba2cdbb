/** A message as the model of a mail server holds it: plain data that is replaced, never altered. */

import type { Flag } from '@tidemail/core'

export interface ModelMessage {
  readonly uid: number
  readonly flags: readonly Flag[]
  /** The mod-sequence of its last change (RFC 7162 §3.1). */
  readonly modSeq: bigint
  /** INTERNALDATE in milliseconds since 1970. */
  readonly internalDate: number
  readonly bytes: Uint8Array
  /** EMAILID (RFC 8474 §5.1): stays the same over COPY and MOVE. */
  readonly emailId: string
}

/** X-GM-MSGID: a number of 64 bits that stays the same as the EMAILID does. */
export function gmailIdOf({ emailId }: Pick<ModelMessage, 'emailId'>): bigint {
  return GMAIL_ID_FIRST + BigInt(emailId.replace(/\D/g, ''))
}

const GMAIL_ID_FIRST = 1_278_455_344_230_334_865n

/** A message on its way into a mailbox. */
export interface NewMessage {
  readonly flags: readonly Flag[]
  readonly internalDate: number
  readonly bytes: Uint8Array
}

/** What the model refuses, with the response code of RFC 5530 that a server would send. */
export interface Refusal {
  readonly kind: 'refused'
  readonly code: RefusalCode | null
  readonly text: string
}

export type RefusalCode =
  | 'NONEXISTENT'
  | 'TRYCREATE'
  | 'ALREADYEXISTS'
  | 'OVERQUOTA'
  | 'TOOBIG'
  | 'NOPERM'
  | 'CANNOT'
  | 'USEATTR'
  | 'LIMIT'

/** Makes a {@link Refusal}. */
export function refuse(code: RefusalCode | null, text: string): Refusal {
  return { kind: 'refused', code, text }
}
