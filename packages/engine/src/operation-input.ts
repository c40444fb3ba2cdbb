/** What an app gives with an operation: flags to change, messages to upload, to save as drafts, or to send. */

import type { Flag, MailboxId, MessageReference } from '@tidemail/core'

export interface FlagChange {
  readonly add?: readonly Flag[]
  readonly remove?: readonly Flag[]
  /**
   * `whatever`, when left out: changes of others stand beside ours, flag by flag. `unchanged`: messages that somebody else changed since they were last
   * taken in are left alone, and parked as `conflict`, with what they were and are; `retry` changes them all the same (RFC 7162 §3.1.3).
   */
  readonly when?: 'whatever' | 'unchanged'
}

export interface NewMessage {
  readonly to: MailboxId
  /** The message as RFC 5322 has it. Bare line feeds become CRLF; nothing else is altered. */
  readonly bytes: Uint8Array
  readonly flags?: readonly Flag[]
  /** INTERNALDATE in milliseconds since 1970; now, when left out. */
  readonly internalDate?: number
}

/** A version of a draft. */
export interface NewDraft extends Omit<NewMessage, 'to'> {
  /** Left out: the mailbox with the role `drafts`. */
  readonly to?: MailboxId
  /** The version before; one that is gone is nothing to replace. `flags` are \Draft and \Seen, when left out. */
  readonly replaces?: MessageReference
}

/** A message to be sent. */
export interface NewSubmission {
  /** The message as RFC 5322 has it. The same bytes go to the submission server and into Sent: a Bcc field in them shows to all. */
  readonly bytes: Uint8Array
  /** Addresses without names: `ann@example.org`. */
  readonly sender: string
  readonly recipients: readonly string[]
  /** Where the copy goes; the mailbox with the role `sent`, when left out; null where the server keeps one itself. */
  readonly saveTo?: MailboxId | null
}
