/** What a mailbox of the model answers, and what it tells those who listen. */

import type { UidSet } from '@tidemail/core'
import type { ModelMessage } from './message.ts'

/** What happened to a mailbox, told to those who listen. */
export type MailboxEvent =
  | { readonly kind: 'appended'; readonly uids: UidSet }
  /** Something arrived that is not listed yet. */
  | { readonly kind: 'arrived' }
  | { readonly kind: 'flags'; readonly uids: UidSet }
  | { readonly kind: 'expunged'; readonly uids: UidSet }
  | { readonly kind: 'renamed'; readonly from: string }
  /** UIDVALIDITY changed: who had the mailbox open has lost it. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'deleted' }

export interface StoreResult {
  /** The messages whose flags are different now. */
  readonly changed: readonly ModelMessage[]
  /** The messages that failed the UNCHANGEDSINCE test (MODIFIED). */
  readonly modified: UidSet
}

export interface ChangesSince {
  readonly changed: readonly ModelMessage[]
  /** Exact, or, after `forgetExpunges`, every absent UID below UIDNEXT (RFC 7162 §3.2.5.1 allows a superset). */
  readonly vanished: UidSet
  /** Whether the expunges since then are remembered: then nothing of them is left out for a sample of numbers (RFC 7162 §5.3). */
  readonly isRemembered: boolean
}

export interface MailboxStatus {
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly sizeOctets: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly highestModSeq: bigint
  readonly objectId: string
}
