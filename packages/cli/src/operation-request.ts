/** An operation as the command line asks for it, in plain words: what is carried out here, or handed to the process that owns the store. */

import type { Flag } from '@tidemail/core'

/** What can be done to a mailbox as such. */
export const MAILBOX_ACTIONS = ['create', 'rename', 'delete', 'subscribe', 'unsubscribe'] as const
export type MailboxAction = (typeof MAILBOX_ACTIONS)[number]

export type OperationRequest =
  | {
      readonly verb: 'flag'
      readonly mailbox: string
      readonly messages: string
      readonly add: readonly Flag[]
      readonly remove: readonly Flag[]
      readonly when: 'whatever' | 'unchanged'
    }
  | { readonly verb: 'move'; readonly mailbox: string; readonly messages: string; readonly target: string }
  | { readonly verb: 'copy'; readonly mailbox: string; readonly messages: string; readonly target: string }
  | { readonly verb: 'expunge'; readonly mailbox: string; readonly messages: string }
  | {
      readonly verb: 'append'
      readonly mailbox: string
      readonly flags: readonly Flag[]
      readonly internalDate: number | null
      readonly bytes: Uint8Array
    }
  /** `trash` is the mailbox to use as Trash; null for the one that has the role. */
  | { readonly verb: 'delete'; readonly mailbox: string; readonly messages: string; readonly trash: string | null }
  /** `mailbox` null: the one with the role. `replaces` names the version before, in the same mailbox. */
  | { readonly verb: 'draft'; readonly mailbox: string | null; readonly replaces: string | null; readonly bytes: Uint8Array }
  | { readonly verb: 'mailbox'; readonly action: Exclude<MailboxAction, 'rename'>; readonly mailbox: string }
  | { readonly verb: 'mailbox'; readonly action: 'rename'; readonly mailbox: string; readonly path: string }
  | { readonly verb: 'undo' | 'retry' | 'discard'; readonly seq: number }
  | { readonly verb: 'retarget'; readonly seq: number; readonly mailbox: string }

/** What came of a request: the entry, and what it does in words. */
export interface AcceptedOperation {
  readonly seq: number
  readonly description: string
}
