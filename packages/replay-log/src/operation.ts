/** What the user asked for, as plain data. */

import type { Flag, LocalMessage, MailboxId, Targets } from '@tidemail/core'

/** Flags and keywords added and removed; always deltas (RFC 4549 §4.2.3). */
export interface FlagOperation {
  readonly kind: 'flag'
  readonly targets: Targets
  readonly add: readonly Flag[]
  readonly remove: readonly Flag[]
}

export interface MoveOperation {
  readonly kind: 'move'
  readonly targets: Targets
  readonly to: MailboxId
}

export interface CopyOperation {
  readonly kind: 'copy'
  readonly targets: Targets
  readonly to: MailboxId
}

/** Removes messages for good: \Deleted and UID EXPUNGE of these UIDs only. */
export interface ExpungeOperation {
  readonly kind: 'expunge'
  readonly targets: Targets
}

/** A message made here, to be uploaded with its flags and INTERNALDATE. */
export interface AppendOperation {
  readonly kind: 'append'
  readonly to: MailboxId
  readonly message: LocalMessage
  /** SHA-256 of the bytes, hex: the last word on identity. */
  readonly digest: string
}

export type Operation = FlagOperation | MoveOperation | CopyOperation | ExpungeOperation | AppendOperation
