/** Says what of a claim is still undecided: parked as uncertain, and neither settled nor taken up again by the user since (H-11). */

import { type EntrySeq, intersectTargets, type MailboxId, type MailboxRecord, numbersOf, UidSet } from '@tidemail/core'
import type { Claim, ClaimMember, Entry } from '@tidemail/replay-log'
import { sentUids } from './claim-members.ts'

/**
 * The claim with only these members and messages; null when nothing is left to be decided, or the mailbox has other UIDs than those that the fence is about.
 * The entries and mailboxes are those of now.
 */
export function undecidedOf(
  claim: Claim,
  entryOf: (seq: EntrySeq) => Entry | undefined,
  mailboxOf: (id: MailboxId) => MailboxRecord | undefined,
): Claim | null {
  const { fence } = claim
  if (fence === null || mailboxOf(fence.mailboxId)?.box !== fence.box) return null
  const members = claim.members.flatMap((member) => undecidedPart(member, entryOf(member.seq)))
  if (members.length === 0) return null
  const open = members.reduce((sum, member) => sum.union(asSent(member)), UidSet.EMPTY)
  return { ...claim, members, fence: { ...fence, messages: fence.messages.filter(({ of }) => open.has(of)) } }
}

function undecidedPart(member: ClaimMember, entry: Entry | undefined): ClaimMember[] {
  const parked = (entry?.progress ?? []).filter(({ parkedFor }) => parkedFor === 'uncertain')
  return parked.flatMap(({ targets }): ClaimMember[] => {
    const mine = intersectTargets(member.targets, targets)
    if (numbersOf(mine).isEmpty) return []
    return [
      { ...member, targets: mine, ...(member.sentAs === undefined ? {} : { sentAs: member.sentAs.restrict(numbersOf(mine)) }) },
    ]
  })
}

/** What the fence calls the member's messages: the UIDs under which they were sent, or the local of an upload. */
function asSent(member: ClaimMember): UidSet {
  return member.targets.kind === 'local' && member.sentAs === undefined ? member.targets.locals : sentUids(member)
}
