/** What the user asked for, as plain data. */

import {
  type Flag,
  type LocalId,
  type LocalMessage,
  type MailboxId,
  type ModSeq,
  type Targets,
  type Uid,
  UidSet,
} from '@tidemail/core'

/** What a mailbox was called when the operation was accepted. */
export interface MailboxName {
  readonly id: MailboxId
  readonly path: string
}

interface NamesMailboxes {
  /** The mailboxes that it is about: so that they can be named when they are gone. */
  readonly names?: readonly MailboxName[]
}

/** Flags and keywords added and removed; always deltas (RFC 4549 §4.2.3). */
export interface FlagOperation extends NamesMailboxes {
  readonly kind: 'flag'
  readonly targets: Targets
  readonly add: readonly Flag[]
  readonly remove: readonly Flag[]
  /** Left out: whatever others did meanwhile, for flags merge one by one. */
  readonly ifUnchanged?: FlagCondition
}

/** Only messages that nobody changed since the user saw them. */
export interface FlagCondition {
  /** The mod-sequence of the mailbox then. */
  readonly since: ModSeq
  readonly base: readonly FlagBase[]
}

/** One message as the user saw it, and as our own changes have made it since. */
export interface FlagBase {
  readonly uid: Uid
  readonly flags: readonly Flag[]
  /** The mod-sequence at which it is known to be so, where that is another one than the mailbox had; null where the user wants the change all the same. */
  readonly since?: ModSeq | null
  /** We have changed it after that: the server will be right to say that it changed. */
  readonly isOurs?: boolean
}

export interface MoveOperation extends NamesMailboxes {
  readonly kind: 'move'
  readonly targets: Targets
  readonly to: MailboxId
}

export interface CopyOperation extends NamesMailboxes {
  readonly kind: 'copy'
  readonly targets: Targets
  readonly to: MailboxId
}

/** Removes messages for good: \Deleted and UID EXPUNGE of these UIDs only. */
export interface ExpungeOperation extends NamesMailboxes {
  readonly kind: 'expunge'
  readonly targets: Targets
  /** What it was to remove was never uploaded, and is gone: it removes the version before, which is not what the user would have back. */
  readonly isHeir?: boolean
}

/** A message made here, to be uploaded with its flags and INTERNALDATE. */
export interface AppendOperation extends NamesMailboxes {
  readonly kind: 'append'
  readonly to: MailboxId
  readonly message: LocalMessage
  /** SHA-256 of the bytes, hex: the last word on identity. */
  readonly digest: string
}

/** A draft made here, which takes the place of an earlier version: uploaded, and then the earlier one removed. */
export interface DraftOperation extends NamesMailboxes {
  readonly kind: 'draft'
  readonly to: MailboxId
  readonly message: LocalMessage
  readonly digest: string
  /** The version before, as it was named when this one was accepted; null for the first. */
  readonly replaces: Targets | null
  /** It stands for versions before it, too, that were folded into it and never uploaded: without it nothing is left of them. */
  readonly isHeir?: boolean
}

/** A message handed to the submission server, at most once, and then kept in `to`. */
export interface SubmitOperation extends NamesMailboxes {
  readonly kind: 'submit'
  /** A number that nothing shows: it stands for the handing over, so that its progress is counted like that of a message. */
  readonly deed: LocalId
  readonly sender: string
  readonly recipients: readonly string[]
  /** Sent; null when the submission server keeps it there itself. */
  readonly to: MailboxId | null
  readonly message: LocalMessage
  readonly digest: string
}

interface OnMailbox {
  readonly mailboxId: MailboxId
  /** As in {@link SubmitOperation}. */
  readonly deed: LocalId
  /** The path that is made or given, or that the mailbox had when the operation was accepted. */
  readonly path: string
}

export interface CreateMailboxOperation extends OnMailbox {
  readonly kind: 'create-mailbox'
}

/** `path` is the new one. */
export interface RenameMailboxOperation extends OnMailbox {
  readonly kind: 'rename-mailbox'
  readonly from: string
}

export interface DeleteMailboxOperation extends OnMailbox {
  readonly kind: 'delete-mailbox'
}

export interface SubscribeMailboxOperation extends OnMailbox {
  readonly kind: 'subscribe-mailbox'
  readonly isSubscribed: boolean
}

/** Operations on messages that the server, or an earlier operation, makes. */
export type MessageOperation = FlagOperation | MoveOperation | CopyOperation | ExpungeOperation
/** Operations that bring a message of their own. */
export type UploadOperation = AppendOperation | DraftOperation | SubmitOperation
export type MailboxOperation =
  | CreateMailboxOperation
  | RenameMailboxOperation
  | DeleteMailboxOperation
  | SubscribeMailboxOperation
export type Operation = MessageOperation | UploadOperation | MailboxOperation

export function isOnMessages(operation: Operation): operation is MessageOperation {
  return ['flag', 'move', 'copy', 'expunge'].includes(operation.kind)
}

export function isUpload(operation: Operation): operation is UploadOperation {
  return ['append', 'draft', 'submit'].includes(operation.kind)
}

export function isOnMailbox(operation: Operation): operation is MailboxOperation {
  return operation.kind.endsWith('-mailbox')
}

/** The mailbox that an operation puts messages into; null when it puts none. */
export function destinationOf(operation: Operation): MailboxId | null {
  return 'to' in operation ? operation.to : null
}

/** Locals that the operation brings itself: no other operation is to name them first. */
export function ownLocals(operation: Operation): UidSet {
  const deed = 'deed' in operation ? UidSet.of(operation.deed) : UidSet.EMPTY
  return 'message' in operation ? deed.union(UidSet.of(operation.message.local)) : deed
}
