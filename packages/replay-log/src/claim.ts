/** The durable record that steps are about to be sent (H-2): written before them, removed in the commit that settles them. */

import type {
  AccountId,
  BoxEpoch,
  ClaimId,
  EntrySeq,
  MailboxId,
  MessageIdentity,
  MutatingStep,
  Targets,
  UidPairs,
  UidSet,
  UidValidity,
} from '@tidemail/core'
import type { UnalteredFlag } from './entry.ts'

/** Targets of one entry that a claim carries. */
export interface ClaimMember {
  readonly seq: EntrySeq
  readonly targets: Targets
  /** Of locals that no server has named, folded with the move that would make them: under which UIDs they are sent. */
  readonly sentAs?: UidPairs
  /** The others of the claim make this one needless: once they are done, it is. */
  readonly isSuperseded?: boolean
  /** Of a change of flags: see `Settlement.unaltered`. What was sent before it counts as done. */
  readonly unaltered?: readonly UnalteredFlag[]
}

/** What will tell, after a lost answer, whether a non-idempotent step took effect (I-LOG-3). */
export interface Fence {
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
  readonly path: string
  readonly uidValidity: UidValidity
  /** Any lower bound of the target's UIDNEXT known under that UIDVALIDITY (H-21). */
  readonly uidNext: number
  /** What is sent: one identity a message, with the target (UID or local) it belongs to, and the digest where the bytes are ours. */
  readonly messages: readonly FencedMessage[]
}

export interface FencedMessage extends MessageIdentity {
  readonly of: number
  readonly digest: string | null
}

/** A message about to be handed to the submission server, at most once. Its claim has no steps for the mail server. */
export interface Submission {
  /** Milliseconds since 1970: it is not handed over later than this. */
  readonly notAfter: number
}

export interface Claim {
  readonly id: ClaimId
  readonly accountId: AccountId
  /** What is sent and settled together: one non-idempotent step, or several idempotent ones. */
  readonly steps: readonly MutatingStep[]
  readonly members: readonly ClaimMember[]
  /** For copy, move, append and replace. */
  readonly fence: Fence | null
  /** Before a bare EXPUNGE: what others marked \Deleted, whose mark is taken off and put back (RFC 4549 §4.2.4). */
  readonly shielded?: UidSet
  /** Of a claim without members: the mailbox in which marks \Deleted of ours come off that no entry wants any more. */
  readonly unmarks?: MailboxId
  /** Instead of steps. After a lost answer the user decides: nothing can be asked. */
  readonly submission?: Submission
  /** Of a removal: what others had marked before. */
  readonly unaltered?: readonly UnalteredFlag[]
  /** When a first probe found nothing, in milliseconds since 1970: listings may lag, so a second one decides. */
  readonly probedAt?: number
  /** Milliseconds since 1970 when it was written. */
  readonly claimedAt: number
  /** When the connection ended with the step unanswered, in milliseconds since 1970; null while that is not known to have happened. */
  readonly lostAt: number | null
  /** `ok`: the server took the step, but did not say under which UIDs: they are looked for as after a lost answer. */
  readonly answer: 'none' | 'ok'
  /**
   * When the probes had ended without proof that it was carried out, in milliseconds since 1970: what it carries is queued again, or parked. Nothing waits for
   * the claim from then on; what turns up later at or above its fence is still compared with it (H-10, H-11).
   */
  readonly keptAt?: number
}

/** Whether an answer or a probe is still to come. */
export function isOpenClaim({ keptAt }: Claim): boolean {
  return keptAt === undefined
}
