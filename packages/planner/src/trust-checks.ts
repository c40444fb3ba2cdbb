/** The named checks that a server's word must pass before it is believed; on doubt a mailbox falls to a lower tier for this visit. */

import {
  bestTier,
  type MailboxRecord,
  type ModSeq,
  type Opened,
  type ServerProfile,
  type StatusSeen,
  type Tier,
  UID_MAX,
  UidSet,
} from '@tidemail/core'

export const RANK_OF_TIER: Readonly<Record<Tier, number>> = { plain: 0, condstore: 1, qresync: 2 }

/** The best tier that the server allows and that the mailbox has not been caught lying about. */
export function tierOf(mailbox: MailboxRecord, server: ServerProfile): Tier {
  const best = bestTier(server)
  const limit = mailbox.tierLimit?.tier ?? best
  return RANK_OF_TIER[limit] < RANK_OF_TIER[best] ? limit : best
}

export interface Distrust {
  readonly tier: Tier
  readonly reason: string
  /** `visit`: one look at everything sets it right. `lasting`: the server will do so again, and the mailbox is held to the tier for a while. */
  readonly holds: 'visit' | 'lasting'
}

/** What in a mailbox's STATUS contradicts what we know, or null. */
export function distrustOf(mailbox: MailboxRecord, status: StatusSeen | null, tier: Tier): Distrust | null {
  const { checkpoint } = mailbox
  if (tier === 'plain' || status === null || checkpoint === null || checkpoint.highestModSeq === null) return null
  if (status.uidValidity !== mailbox.uidValidity) return null
  if (hasFewerUids(checkpoint.uidNext, status.uidNext)) return { tier: 'plain', reason: UIDNEXT_WENT_BACK, holds: 'visit' }
  if (hasGoneBack(checkpoint.highestModSeq, status.highestModSeq)) {
    return { tier: 'plain', reason: 'HIGHESTMODSEQ went back under the same UIDVALIDITY', holds: 'visit' }
  }
  if (isStuck(mailbox, status, tier)) {
    return { tier: 'plain', reason: 'messages came or went and HIGHESTMODSEQ did not move', holds: 'lasting' }
  }
  return null
}

export const UIDNEXT_WENT_BACK = 'UIDNEXT went back under the same UIDVALIDITY'

/**
 * UIDs only ever ascend (RFC 9051 §2.3.1.1): who lowers UIDNEXT was put back to an earlier day, or lies. Mod-sequences were put back with it and may have
 * caught up since, so that only a list of what is there tells what is not; that of the checkpoint is never lowered, and each look is at everything until it is reached.
 */
export function hasFewerUids(before: number, now: number | null): boolean {
  return now !== null && now < before
}

/** FIELD-3: a mod-sequence that is lower than before says nothing. */
export function hasGoneBack(before: ModSeq | null, now: ModSeq | null): boolean {
  return before !== null && now !== null && now < before
}

/** Whether SELECT (QRESYNC ...) reported the changes we asked for (RFC 7162 §3.2.5). */
export function isUsableForQresync(opened: Opened, before: ModSeq | null): boolean {
  return opened.isResynced && opened.highestModSeq !== null && !hasGoneBack(before, opened.highestModSeq)
}

/** I-SYNC-2: as sets, what we believe to be there has as many members as the server counts. */
export function addsUp(known: { readonly size: number }, exists: number | null): boolean {
  return exists !== null && known.size === exists
}

/** FIELD-4: an append must raise HIGHESTMODSEQ; under QRESYNC an expunge must too. */
function isStuck(mailbox: MailboxRecord, status: StatusSeen, tier: Tier): boolean {
  const { checkpoint } = mailbox
  if (checkpoint === null || status.highestModSeq !== checkpoint.highestModSeq) return false
  const hasMoreUids = status.uidNext !== null && status.uidNext > checkpoint.uidNext
  // What we put there since is known by its COPYUID or APPENDUID, and may be counted already or not yet: a listing may lag.
  const listed = checkpoint.known.difference(UidSet.range(checkpoint.uidNext, UID_MAX))
  const hasOtherCount = status.messages !== null && (status.messages < listed.size || status.messages > checkpoint.known.size)
  return hasOtherCount && (tier === 'qresync' || hasMoreUids)
}
