/** Takes in that the server has named messages: copies, moves and uploads become server state, and references follow them (H-18). */

import { type EntrySeq, type Targets, type Uid, UidPairs, UidSet } from '@tidemail/core'
import { type Claim, type ClaimMember, type Evidence, placedOf } from '@tidemail/replay-log'
import { localsOf } from './claim-members.ts'
import { landingOf } from './draft-landing.ts'
import type { Ledger } from './ledger.ts'
import { namedLocals } from './named-locals.ts'

/** The server named what a copy or move of `targets` made: `pairs` say which UID became which. */
export function settleTransferred(
  ledger: Ledger,
  { seq, targets }: { readonly seq: EntrySeq; readonly targets: Targets },
  step: 'move' | 'copy',
  { fence }: Claim,
  pairs: UidPairs,
  evidence: Evidence,
): void {
  const entry = ledger.entry(seq)
  if (entry === undefined || targets.kind !== 'stored' || fence === null) return
  const mine = pairs.restrict(targets.uids)
  const moved = { ...targets, uids: mine.sources }
  if (moved.uids.isEmpty) return
  const isHalfMove = entry.operation.kind === 'move' && step === 'copy'
  const placed = placedOf(entry, moved)
  if (isHalfMove) ledger.advance(seq, moved, { kind: evidence.kind === 'probe' ? 'probe-copied' : 'answered-copied' })
  else ledger.apply(seq, moved, evidence)
  const target = ledger.server.mailbox(fence.mailboxId)
  const isNamed = evidence.kind !== 'copy-uid' || evidence.target.uidValidity === fence.uidValidity
  if (!isNamed || target === undefined || target.box !== fence.box || target.checkpoint === null) return
  if (ledger.isCurrent(targets)) ledger.server.carry(targets.mailboxId, target, mine)
  const to = { mailboxId: target.id, box: target.box }
  ledger.forward({ kind: 'local' }, to, namedLocals(placed, mine), entry)
  // What is left to be done to the original of a move whose copy is proved befalls the copy: the original goes.
  if (isHalfMove || step === 'move') ledger.forward({ kind: 'stored', box: targets.box }, to, mine, entry)
  if (step === 'move' && ledger.isCurrent(targets)) ledger.server.forget(targets.mailboxId, mine.sources)
}

/** A move to where the messages are, for the move before it was taken back: what names them by its locals names them as they are. */
export function settleThere(ledger: Ledger, seq: EntrySeq, targets: Targets): void {
  const entry = ledger.entry(seq)
  if (entry === undefined || targets.kind !== 'stored') return
  const { inverse } = placedOf(entry, targets)
  ledger.supersede(seq, targets, { kind: 'nothing-sent' })
  ledger.forward({ kind: 'local' }, targets, inverse, entry)
}

/** The server named an upload: the local becomes a row of server state in the same change (RFC 4549 §5.1). */
export function settleLanded(
  ledger: Ledger,
  { seq, targets }: { readonly seq: EntrySeq; readonly targets: Targets },
  { fence }: Claim,
  uid: Uid,
  evidence: Evidence,
): void {
  const target = fence === null ? undefined : ledger.server.mailbox(fence.mailboxId)
  const entry = ledger.entry(seq)
  const isSameBox = evidence.kind !== 'append-uid' || evidence.target.uidValidity === fence?.uidValidity
  if (
    targets.kind === 'local' &&
    entry !== undefined &&
    'message' in entry.operation &&
    target !== undefined &&
    target.box === fence?.box &&
    isSameBox
  ) {
    const { local } = entry.operation.message
    ledger.server.write({ kind: 'land-local', local, entry: seq, mailboxId: target.id, uid })
    ledger.server.cover(target.id, UidSet.of(uid))
    const to = { mailboxId: target.id, box: target.box }
    ledger.forward({ kind: 'local' }, to, new UidPairs([{ from: local, to: uid, length: 1 }]), entry)
  }
  ledger.apply(seq, targets, evidence)
}

/** Our own removal took effect: the rows go in the same change, and whoever knows the version before of a draft is led to the one that took its place. */
export function settleRemoved(ledger: Ledger, seq: EntrySeq, targets: Targets, evidence: Evidence): void {
  ledger.apply(seq, targets, evidence)
  if (targets.kind !== 'stored') return
  if (ledger.isCurrent(targets)) ledger.server.forget(targets.mailboxId, targets.uids)
  const entry = ledger.entry(seq)
  const landing = entry === undefined ? null : landingOf(entry, (id) => ledger.server.mailbox(id))
  if (entry === undefined || landing === null) return
  const pairs = [...targets.uids.values()].map((from) => ({ from, to: landing.uid, length: 1 }))
  const { id, box } = landing.mailbox
  ledger.forward({ kind: 'stored', box: targets.box }, { mailboxId: id, box }, new UidPairs(pairs), entry)
}

/**
 * Of a claim that folded a chain of moves, what took effect: the moves on the way are superseded, and what followed them under locals is from now on an
 * operation on the messages themselves. Answers the claim with its members so named.
 */
export function unfoldChain(ledger: Ledger, claim: Claim, uids: UidSet): Claim {
  const place = claim.members.flatMap(({ targets }) => (targets.kind === 'stored' ? [targets] : []))[0]
  if (place === undefined || claim.members.every(({ sentAs }) => sentAs === undefined)) return claim
  const { mailboxId, box } = place
  const members = claim.members.flatMap((member): ClaimMember[] => {
    const { seq, sentAs, targets } = member
    if (sentAs === undefined || member.isSuperseded === true || targets.kind !== 'local') return [member]
    const named = localsOf(sentAs, uids)
    if (named.ranges.length === 0) return [member]
    const entry = ledger.entry(seq)
    if (entry !== undefined) ledger.forward({ kind: 'local' }, { mailboxId, box }, named, entry)
    ledger.renameSent(seq, { mailboxId, box }, named)
    const left = sentAs.restrict(sentAs.sources.difference(named.sources))
    const rest: ClaimMember = { ...member, targets: { ...targets, locals: left.sources }, sentAs: left }
    const done: ClaimMember = { seq, targets: { kind: 'stored', mailboxId, box, uids: named.destinations } }
    return left.ranges.length === 0 ? [done] : [done, rest]
  })
  return { ...claim, members }
}
