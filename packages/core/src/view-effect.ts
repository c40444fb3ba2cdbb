/** What a queued operation does to the view, as plain data: the store folds these over server state and needs to know no operation. */

import type { Flag, FlagDelta } from './flags.ts'
import type { BodyId, BoxEpoch, LocalId, MailboxId } from './ids.ts'
import type { Summary } from './message.ts'
import type { UidPairs } from './uid-pairs.ts'
import type { UidSet } from './uid-set.ts'

/** Messages that the server has named: UIDs in one life of a mailbox. */
export interface StoredTargets {
  readonly kind: 'stored'
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
  readonly uids: UidSet
}

/** Messages that exist only here so far, as they show in `mailboxId`. */
export interface LocalTargets {
  readonly kind: 'local'
  readonly mailboxId: MailboxId
  readonly locals: UidSet
}

/** The messages an operation is about: all in one mailbox, stored or local. */
export type Targets = StoredTargets | LocalTargets

/** A message that was made here: what the view shows of it until the server names it. */
export interface LocalMessage extends Summary {
  readonly local: LocalId
  readonly bodyId: BodyId
  readonly flags: readonly Flag[]
}

/** Flags change on messages. */
export interface FlagsEffect {
  readonly kind: 'flags'
  readonly on: Targets
  readonly delta: FlagDelta
}

/** Messages leave their mailbox. */
export interface HideEffect {
  readonly kind: 'hide'
  readonly on: Targets
}

/** Messages show in another mailbox too, as locals: `pairs` says which UID (or local) became which local. */
export interface PlaceEffect {
  readonly kind: 'place'
  readonly mailboxId: MailboxId
  readonly from: { readonly kind: 'stored'; readonly mailboxId: MailboxId; readonly box: BoxEpoch } | { readonly kind: 'local' }
  readonly pairs: UidPairs
}

/** A message made here shows in a mailbox. */
export interface NewEffect {
  readonly kind: 'new'
  readonly mailboxId: MailboxId
  readonly message: LocalMessage
}

/** Bytes that must stay though nothing shows them: of a message that is only handed to a submission server. */
export interface KeepEffect {
  readonly kind: 'keep'
  readonly bodyId: BodyId
}

/** What becomes of a mailbox itself. */
export type MailboxChange =
  /** It was made here: the store has a record of it that says so. */
  | { readonly kind: 'create' }
  /** It and what is below it shows under another name. */
  | { readonly kind: 'rename'; readonly path: string }
  | { readonly kind: 'delete' }
  | { readonly kind: 'subscribe'; readonly isSubscribed: boolean }

/** A mailbox changes as such. */
export interface MailboxEffect {
  readonly kind: 'mailbox'
  readonly mailboxId: MailboxId
  readonly change: MailboxChange
}

export type ViewEffect = FlagsEffect | HideEffect | PlaceEffect | NewEffect | KeepEffect | MailboxEffect
