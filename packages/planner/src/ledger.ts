/** Gathers what one change does to entries, claims, receipts and mailboxes, so that all of it is written in one transaction. */

import type {
  Change,
  EntrySeq,
  FlagDelta,
  ForwardSource,
  ForwardTarget,
  MailboxId,
  MailboxRecord,
  MutatingStep,
  StoredTargets,
  Targets,
  UidPairs,
  UidSet,
  Write,
} from '@tidemail/core'
import {
  type Claim,
  type Entry,
  type Evidence,
  encodeClaim,
  type Happening,
  isSettled,
  type MayBeDone,
  type ParkReason,
  renameSent,
  rewriteTargets,
  transition,
  type UnalteredFlag,
} from '@tidemail/replay-log'
import { REJECTIONS_MAX } from './classify-rejection.ts'
import { entryWrites } from './entry-writes.ts'
import { afterOwnChange } from './flag-conditions.ts'
import { foldUploads } from './fold-uploads.ts'
import { orphanedTargets } from './orphaned-targets.ts'
import { marksOf } from './own-marks.ts'
import { needlessOperations, type ParkedTargets, strayTargets, whatNeeds } from './parked-targets.ts'
import { ServerStateChanges } from './server-state-changes.ts'

/** After a rejection that may pass, an entry waits this long, times the number of its rejections. */
export const REJECTED_WAIT_MS = 30_000

export interface LedgerOptions {
  readonly entries: readonly Entry[]
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>
  readonly now: number
}

/** One change in the making. Reads nothing and decides nothing: the settling functions tell it what became of what. */
export class Ledger {
  private readonly now: number
  private readonly before = new Map<EntrySeq, Entry>()
  private readonly entries = new Map<EntrySeq, Entry>()
  /** What becomes of mailboxes and rows. */
  readonly server: ServerStateChanges
  private readonly writes: Write[] = []
  private readonly refused = new Set<EntrySeq>()
  /** Once something gets a new name: an entry accepted meanwhile may still use the old one. */
  private newest: Pick<Change['expect'], 'newestEntry'> = {}

  constructor({ entries, mailboxes, now }: LedgerOptions) {
    this.now = now
    this.server = new ServerStateChanges(mailboxes)
    for (const entry of entries) {
      this.before.set(entry.seq, entry)
      this.entries.set(entry.seq, entry)
    }
  }

  /** Entries that leave the log in this change. */
  get settledCount(): number {
    return [...this.entries.values()].filter((entry) => this.hasChanged(entry) && isSettled(entry)).length
  }

  /** The entries that stay in the log, as they are with the changes so far. */
  get open(): readonly Entry[] {
    return [...this.entries.values()].filter((entry) => !isSettled(entry))
  }

  /** The entry with the changes so far, settled or not. */
  entry(seq: EntrySeq): Entry | undefined {
    return this.entries.get(seq)
  }

  /** Before what this change takes in. */
  rejectionsOf(seq: EntrySeq): number {
    const now = this.entries.get(seq)?.rejections ?? 0
    return this.refused.has(seq) ? Math.max(0, now - 1) : now
  }

  /** The claim is about to be sent: its targets are `sending`, and the fence is written (I-LOG-3). */
  claim(claim: Claim): void {
    for (const { seq, targets } of claim.members) this.advance(seq, targets, { kind: 'claim', claimId: claim.id })
    this.putClaim(claim)
    const [member] = claim.members
    if (member !== undefined) this.server.mark(member.targets.mailboxId, marksOf(claim))
  }

  /** The answer was lost, or it was OK and named no UIDs: the targets wait for a probe. */
  lose(claim: Claim, answer: Claim['answer'] = 'none'): void {
    for (const { seq, targets } of claim.members) this.advance(seq, targets, { kind: 'lost' })
    this.putClaim({ ...claim, lostAt: this.now, answer })
  }

  /** One look found nothing: a second one decides (H-7). */
  lookAgain(claim: Claim): void {
    for (const { seq, targets } of claim.members) this.advance(seq, targets, { kind: 'probe-started' })
    this.putClaim({ ...claim, probedAt: this.now })
  }

  /** Nothing of the claim took effect: the targets are queued again. */
  release(claim: Claim): void {
    for (const { seq, targets } of claim.members) this.queueAgain(seq, targets)
    this.removeClaim(claim)
  }

  /** Whether anything of the claim took effect is not known, and need not be: all of it may be done twice. */
  repeat(claim: Claim): void {
    for (const { seq, targets, unaltered } of claim.members) this.repeatPart(seq, targets, unaltered)
    this.removeClaim(claim)
  }

  /** From now on the claim is about these steps, which are sent next. */
  claimAnew(claim: Claim, steps: readonly MutatingStep[]): void {
    this.putClaim({ ...claim, steps, claimedAt: this.now, lostAt: null, answer: 'none' })
  }

  removeClaim(claim: Claim): void {
    this.writes.push({ kind: 'remove-claim', id: claim.id })
    if (claim.shielded !== undefined) this.noteOwnChange(claim, claim.shielded, { add: [], remove: [] })
  }

  /** We changed these messages of the claim's mailbox ourselves: what is to be done only if nobody did is as it was. */
  noteOwnChange({ members, unmarks }: Claim, uids: UidSet, delta: FlagDelta): void {
    const id = unmarks ?? members[0]?.targets.mailboxId
    const mailbox = id === undefined ? undefined : this.server.mailbox(id)
    if (mailbox === undefined) return
    const place = { mailboxId: mailbox.id, box: mailbox.box, uids }
    const mine = new Set(members.map(({ seq }) => seq))
    for (const { seq } of this.open) {
      this.update(seq, (entry) => {
        const after = afterOwnChange(entry, place, delta)
        // The refusals that others met with were right.
        return after === entry || mine.has(seq) ? after : { ...after, rejections: 0 }
      })
    }
  }

  /** What it carries is queued again or parked: evidence may still come (H-11). */
  keep(claim: Claim): void {
    const { lostAt, keptAt } = claim
    this.putClaim({ ...claim, lostAt: lostAt ?? this.now, keptAt: keptAt ?? this.now })
  }

  /** Sent together with others, and refused: each is tried again, alone and at once, so that one does not take the others along (H-20). */
  unfold(seq: EntrySeq, targets: Targets, mayBeDone?: MayBeDone): void {
    this.refuse(seq, targets, this.now, mayBeDone)
  }

  /** Refused for now: again, after a while. */
  retryLater(seq: EntrySeq, targets: Targets, mayBeDone?: MayBeDone): void {
    this.refuse(seq, targets, this.now + REJECTED_WAIT_MS * (this.rejectionsOf(seq) + 1), mayBeDone)
  }

  /** Some of it may have taken effect: again, at once. */
  repeatPart(seq: EntrySeq, targets: Targets, mayBeDone: MayBeDone = []): void {
    this.advance(seq, targets, { kind: 'repeat', mayBeDone })
  }

  /** Nothing took effect: again, at once. */
  queueAgain(seq: EntrySeq, targets: Targets): void {
    this.advance(seq, targets, { kind: 'retry' })
  }

  /** OK, and nothing came of it: again, later, and then no more. */
  retryOrPark(seq: EntrySeq, targets: Targets): void {
    if (this.rejectionsOf(seq) + 1 >= REJECTIONS_MAX) this.park(seq, targets, 'rejected-repeatedly')
    else this.retryLater(seq, targets)
  }

  park(seq: EntrySeq, targets: Targets, reason: ParkReason): void {
    this.advance(seq, targets, { kind: 'park', parkedFor: reason })
  }

  parkAll(parked: readonly ParkedTargets[]): void {
    for (const { seq, targets, reason } of parked) this.park(seq, targets, reason)
  }

  /** The mailbox cannot be opened: what acts on it or sends to it is shown. */
  parkWhatNeeds(mailboxId: MailboxId, reason: ParkReason): void {
    this.parkAll(whatNeeds(this.open, mailboxId, reason))
  }

  /** The server took it; or a probe proved that it had. */
  apply(seq: EntrySeq, targets: Targets, evidence: Evidence, unaltered?: readonly UnalteredFlag[]): void {
    const known = unaltered === undefined ? {} : { unaltered }
    this.advance(seq, targets, { kind: evidence.kind === 'probe' ? 'probe-certain' : 'answered-ok', evidence, ...known })
  }

  /** Another operation of the same claim, or of the log, makes it needless. */
  supersede(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: 'superseded', evidence })
  }

  /** The server will not take it: the view is what it was. */
  reject(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: 'answered-rejected-for-good', evidence })
  }

  /** The target is not there any more. Removing what is gone is success (RFC 4549 §5.1), and so is a move whose copy is proved; the rest is skipped. */
  settleGone(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: evidence.kind === 'probe' ? 'probe-gone' : 'target-vanished', evidence })
  }

  /** What need not be sent is settled (I-LOG-4). */
  foldUploads(): void {
    for (const folded of foldUploads(this.open)) this.entries.set(folded.seq, folded)
  }

  /** Parks what names a place that is gone, and skips what hangs on a message that never came to be, along the chain (I-LOG-5). */
  settleStrays(): void {
    for (const { seq, targets } of needlessOperations(this.open, (id) => this.server.mailbox(id))) {
      this.settleGone(seq, targets, { kind: 'mailbox-changed' })
    }
    // What was sent already waits for its own probe.
    for (const { seq, targets, reason } of strayTargets(this.open, (id) => this.server.mailbox(id))) {
      this.advance(seq, targets, { kind: 'mailbox-reset', parkedFor: reason })
    }
    for (let orphans = orphanedTargets(this.open); orphans.length > 0; orphans = orphanedTargets(this.open)) {
      for (const { seq, targets } of orphans) this.settleGone(seq, targets, { kind: 'nothing-sent' })
    }
  }

  /** Everything gathered, with the entries it was decided on. */
  change(): Pick<Change, 'writes' | 'expect'> {
    this.settleStrays()
    const changed = [...this.entries.values()].filter((entry) => this.hasChanged(entry))
    return {
      expect: {
        entries: changed.map(({ seq }) => ({ seq, revision: this.before.get(seq)?.revision ?? 0 })),
        ...this.newest,
        ...this.server.expect,
      },
      writes: [...this.server.writes, ...this.writes, ...entryWrites(changed, this.now)],
    }
  }

  /** Whether UIDs of this box are what the mailbox has now. */
  isCurrent({ mailboxId, box }: StoredTargets): boolean {
    return this.server.mailbox(mailboxId)?.box === box
  }

  /** Something befell these targets of an entry. */
  advance(seq: EntrySeq, targets: Targets, happening: Happening): void {
    this.update(seq, (entry) => transition(entry, targets, happening).entry)
  }

  /** The entry, where it is open, becomes another one. */
  update(seq: EntrySeq, change: (entry: Entry) => Entry): void {
    const entry = this.entries.get(seq)
    if (entry !== undefined) this.entries.set(seq, change(entry))
  }

  /** However many parts of an operation are refused at a time, it is refused once. */
  private refuse(seq: EntrySeq, targets: Targets, notBefore: number, mayBeDone?: MayBeDone): void {
    const rejections = this.rejectionsOf(seq) + 1
    this.advance(seq, targets, { kind: 'answered-rejected-for-now', notBefore, mayBeDone })
    this.update(seq, (entry) => ({ ...entry, rejections }))
    this.refused.add(seq)
  }

  private putClaim(claim: Claim): void {
    this.writes.push({ kind: 'put-claim', claim: encodeClaim(claim) })
  }

  private hasChanged(entry: Entry): boolean {
    return this.before.get(entry.seq) !== entry
  }

  /** From now on these are called by their new names, by every entry but the one that made them (H-18). */
  forward(from: ForwardSource, to: ForwardTarget, pairs: UidPairs, { accountId, seq, operation }: Entry): void {
    if (pairs.ranges.length === 0) return
    // What was asked before a draft took its place was about the version before, and must not befall the new one.
    const first = operation.kind === 'draft' && from.kind === 'stored' ? seq : 0
    const { mailboxId, box } = to
    this.newest = { newestEntry: { accountId, seq: [...this.entries.keys()].reduce((newest, key) => Math.max(newest, key), 0) } }
    this.writes.push({ kind: 'forward', accountId, from, to: { mailboxId, box }, pairs })
    for (const entry of [...this.entries.values()]) {
      if (entry.seq !== seq && entry.seq >= first)
        this.entries.set(entry.seq, rewriteTargets(entry, { from, to: { mailboxId, box }, pairs }))
    }
  }

  /** What was sent under these locals is called by the UIDs under which it was sent. */
  renameSent(seq: EntrySeq, to: ForwardTarget, pairs: UidPairs): void {
    this.update(seq, (entry) => renameSent(entry, { from: { kind: 'local' }, to, pairs }))
  }
}
