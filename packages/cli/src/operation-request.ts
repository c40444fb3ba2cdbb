/** An operation as the command line asks for it, in plain words: what is carried out here, or handed to the process that owns the store. */

import type { Flag } from '@tidemail/core'

export type OperationRequest =
  | {
      readonly verb: 'flag'
      readonly mailbox: string
      readonly messages: string
      readonly add: readonly Flag[]
      readonly remove: readonly Flag[]
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
  | { readonly verb: 'undo' | 'retry' | 'discard'; readonly seq: number }

/** What came of a request: the entry, and what it does in words. */
export interface AcceptedOperation {
  readonly seq: number
  readonly description: string
}
