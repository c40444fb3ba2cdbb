/** Says what of a claim is still undecided: queued again or parked as uncertain by its probe, and nothing else has become of it since (H-10, H-11). */

import { type EntrySeq, intersectTargets, type MailboxId, type MailboxRecord, numbersOf, UidSet } from '@tidemail/core'
import { type Claim, type ClaimMember, destinationOf, type Entry, type Fence, type Progress } from '@tidemail/replay-log'
import { localsOf, sentUids, sentUnder } from './claim-members.ts'

/** Of a copy, move or upload. */
export type FencedClaim = Claim & { readonly fence: Fence }

/**
 * The claim with only these members and messages; null when nothing is left to be decided, or the target has other UIDs than those that the fence is about.
 * The entries and mailboxes are those of now.
 */
export function undecidedOf(
  claim: Claim,
  entryOf: (seq: EntrySeq) => Entry | undefined,
  mailboxOf: (id: MailboxId) => MailboxRecord | undefined,
): FencedClaim | null {
  const { fence } = claim
  if (fence === null || mailboxOf(fence.mailboxId)?.box !== fence.box) return null
  const members = claim.members.flatMap((member) => undecidedParts(member, claim, fence, entryOf(member.seq)))
  // A chain that was sent as one step is one only while all of it is as it was.
  const isChain = claim.members.some(({ sentAs, isSuperseded }) => sentAs !== undefined || isSuperseded === true)
  if (members.length === 0 || (isChain && countOf(members) !== countOf(claim.members))) return null
  return { ...claim, members, fence: onlyOf(members, fence) }
}

/** The claim with only these of its messages, called as in the fence. */
export function partOfClaim(claim: Claim, messages: UidSet): Claim {
  const members = claim.members.flatMap((member): ClaimMember[] => {
    if (isUploadOf(member)) {
      const locals = numbersOf(member.targets).intersect(messages)
      return locals.isEmpty ? [] : [{ ...member, targets: { ...member.targets, locals } }]
    }
    const targets = sentUnder(member, messages)
    if (targets === null) return []
    return [{ ...member, targets, ...(member.sentAs === undefined ? {} : { sentAs: localsOf(member.sentAs, messages) }) }]
  })
  return { ...claim, members, fence: claim.fence === null ? null : onlyOf(members, claim.fence) }
}

function undecidedParts(member: ClaimMember, claim: Claim, fence: Fence, entry: Entry | undefined): ClaimMember[] {
  if (entry === undefined || !isOfFence(member, claim)) return []
  // Sent elsewhere since, or folded with what sends it elsewhere: the message is not wanted there any more.
  if (member.isSuperseded !== true && destinationOf(entry.operation) !== fence.mailboxId) return []
  return entry.progress.filter(isUndecided).flatMap(({ targets }): ClaimMember[] => {
    const mine = intersectTargets(member.targets, targets)
    if (numbersOf(mine).isEmpty) return []
    return [
      { ...member, targets: mine, ...(member.sentAs === undefined ? {} : { sentAs: member.sentAs.restrict(numbersOf(mine)) }) },
    ]
  })
}

function isUndecided({ state, parkedFor }: Progress): boolean {
  return state === 'queued' || parkedFor === 'uncertain'
}

/** The version that an upload is to replace is not what the fence is about. */
function isOfFence({ targets }: ClaimMember, { steps }: Claim): boolean {
  return targets.kind === 'local' || (steps[0]?.kind !== 'append' && steps[0]?.kind !== 'replace')
}

function isUploadOf(member: ClaimMember): member is ClaimMember & { readonly targets: { readonly kind: 'local' } } {
  return member.targets.kind === 'local' && member.sentAs === undefined
}

/** The fence with the messages of these members, which it calls by the UIDs under which they were sent, or by the local of an upload. */
function onlyOf(members: readonly ClaimMember[], fence: Fence): Fence {
  const called = members.reduce(
    (all, member) => all.union(isUploadOf(member) ? numbersOf(member.targets) : sentUids(member)),
    UidSet.EMPTY,
  )
  return { ...fence, messages: fence.messages.filter(({ of }) => called.has(of)) }
}

function countOf(members: readonly ClaimMember[]): number {
  return members.reduce((sum, { targets }) => sum + numbersOf(targets).size, 0)
}
