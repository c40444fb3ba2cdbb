/** What a synchronisation, a plan and a verification are asked, and what they answer. */

import type { EntrySeq, ErrorCode, Step, TierLimit, UidSet } from '@tidemail/core'

export interface SyncOptions {
  /** Only these mailboxes, by path; one that is not there is `input.unknown-mailbox`. Left out: all. */
  readonly mailboxes?: readonly string[]
  readonly signal?: AbortSignal
}

export interface PlanOptions extends SyncOptions {
  readonly offline?: boolean
}

export interface SyncPlan {
  readonly steps: readonly PlannedStep[]
  /** Entries that wait for something, and for what. */
  readonly waiting: readonly { readonly seq: EntrySeq; readonly reason: string }[]
}

export interface PlannedStep {
  readonly part: 'recover' | 'list' | 'replay' | 'resync' | 'bodies'
  readonly mailbox: string | null
  readonly step: Step
}

export interface SyncReport {
  /** `incomplete`: something is left that another run may do; `problems` says what. */
  readonly outcome: 'done' | 'incomplete'
  readonly mailboxesChecked: number
  readonly mailboxesOpened: number
  readonly messagesFetched: number
  readonly messagesRemoved: number
  readonly flagsChanged: number
  readonly partsFetched: number
  readonly entriesSettled: number
  readonly entriesPending: number
  readonly entriesParked: number
  readonly entriesUncertain: number
  /** Mailboxes that are taken to have been renamed elsewhere, where the server has nothing that would prove it. */
  readonly renamesGuessed: readonly GuessedRename[]
  readonly problems: readonly SyncProblem[]
}

/** By its state alone the mailbox is taken to be the same under another path. */
export interface GuessedRename {
  readonly from: string
  readonly to: string
}

/** What went wrong for a mailbox or an entry without stopping the account. */
export interface SyncProblem {
  readonly code: ErrorCode
  readonly message: string
  readonly mailbox: string | null
  readonly seq: EntrySeq | null
}

export interface BackfillOptions {
  readonly mailbox: string
  /** So many more of the newest messages that the policy leaves out; 0 lets go of all that were asked for before. */
  readonly messages: number
  readonly signal?: AbortSignal
}

export interface BackfillReport {
  readonly messagesFetched: number
  /** Messages that are wanted and could not be fetched now: the next synchronisation fetches them. */
  readonly messagesToFetch: number
  /** Messages of the mailbox that are on the server only still. */
  readonly messagesLeftOut: number
}

export interface VerifyOptions extends SyncOptions {
  /** Of so many messages of each mailbox flags, date, size and identity are compared, others each time. Left out: of all. UIDs are always compared whole. */
  readonly sample?: number
  /** Sets the store right. Parts that are held and right are not fetched again. */
  readonly repair?: boolean
}

export interface VerifyReport {
  /** `equal`; `repaired`: nothing is left that differs; `different`; `incomplete`: not every mailbox could be compared. */
  readonly outcome: 'equal' | 'repaired' | 'different' | 'incomplete'
  readonly mailboxes: readonly VerifiedMailbox[]
  /** Mailboxes that were left out, and why. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[]
}

/** How what is kept of a mailbox differs from what the server has. */
export interface VerifiedMailbox {
  readonly path: string
  /** Messages of which more than the UID was compared. */
  readonly compared: number
  /** On the server, and not here. */
  readonly missing: UidSet
  /** Here, and not on the server. */
  readonly extra: UidSet
  readonly flagsDiffer: UidSet
  /** Date, size, Message-ID or EMAILID are others. */
  readonly identityDiffers: UidSet
  /** Whether all of it was set right. */
  readonly isRepaired: boolean
  /** How far the mailbox is trusted from now on, where it was caught. */
  readonly tierLimit: TierLimit | null
}
