/** What the replay is decided on, and what is decided. */

import type {
  AccountId,
  ClaimId,
  Flag,
  MailboxId,
  MailboxRecord,
  MessageIdentity,
  ServerProfile,
  Step,
  Targets,
  Uid,
  UidSet,
} from '@tidemail/core'
import type { Claim, Entry } from '@tidemail/replay-log'
import type { StepNamer } from './step-ids.ts'

/** A claimed step is sent within this time or not at all (H-8). */
export const CLAIM_LIFE_MS = 30_000
/** Claims of one batch: what is at stake when the connection dies. */
export const REPLAY_BATCH_CLAIMS_MAX = 64

export interface ReplayState {
  readonly accountId: AccountId
  /** All open entries, by rising sequence number. */
  readonly entries: readonly Entry[]
  readonly claims: readonly Claim[]
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>
  readonly server: ServerProfile
  readonly now: number
  /** Where the server has just refused to take marks of ours off: they are left until the next pass. */
  readonly marksLeft?: ReadonlySet<MailboxId>
}

/** What the planner must be told to fence a batch: it decides without reading. */
export interface BatchContext {
  readonly name: StepNamer
  /** Fresh claim ids. */
  readonly claimId: () => ClaimId
  /** The identity of messages of the lane's mailbox that are about to be copied or moved. */
  readonly identities: ReadonlyMap<number, MessageIdentity>
  /** Of messages whose flags are about to be changed, the flags that the server is last known to have. */
  readonly rows: readonly { readonly uid: Uid; readonly flags: readonly Flag[] }[]
  /** What is marked \Deleted in the lane's mailbox, as just asked; null when it is not known: without UIDPLUS nothing is removed then. */
  readonly marked: UidSet | null
}

/** A mailbox whose messages entries act on, or that entries upload to. */
export interface Lane {
  readonly mailboxId: MailboxId
  /** `messages`: opened and brought forward first. `appends`: nothing needs to be open. */
  readonly kind: 'messages' | 'appends'
}

export interface Batch {
  readonly claims: readonly Claim[]
  /** The claims' steps, and reads that make evidence of their answers. */
  readonly steps: readonly Step[]
  /** Targets that are settled without asking: gone from the mailbox, refused before sending, or waiting for a parked copy. */
  readonly moot: readonly {
    readonly seq: Entry['seq']
    readonly targets: Targets
    readonly why: 'gone' | 'there-already' | 'not-permitted' | 'not-possible' | 'needs-another'
  }[]
}

/** The longest that an entry is made to wait, in milliseconds: a time further off was written before the clock was set back. */
const ENTRY_WAIT_MS_MAX = 600_000

/** Whether the entry may be tried now. */
export function isDue({ notBefore }: Entry, now: number): boolean {
  return notBefore <= now || notBefore > now + ENTRY_WAIT_MS_MAX
}
