/** Gathers what one change does to entries, claims, receipts and mailboxes, so that all of it is written in one transaction. */

import {
  type Change,
  type EntrySeq,
  type ForwardSource,
  type MailboxId,
  type MailboxRecord,
  type StoredTargets,
  type StoreStep,
  type Targets,
  type Uid,
  UidPairs,
  UidSet,
  type Write,
} from '@tidemail/core'
import {
  type Claim,
  type Entry,
  type Evidence,
  encodeClaim,
  encodeEntry,
  encodeReceipt,
  type Happening,
  isSettled,
  type Operation,
  type ParkReason,
  placedOf,
  receiptOf,
  rewriteTargets,
  transition,
} from '@tidemail/replay-log'
import { REJECTIONS_MAX } from './classify-rejection.ts'
import { namedLocals } from './named-locals.ts'
import { orphanedTargets } from './orphaned-targets.ts'
import { dependantsOfCopy, type ParkedTargets, strayTargets, whatNeeds } from './parked-targets.ts'
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
  private readonly server: ServerStateChanges
  private readonly writes: Write[] = []
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

  kindOf(seq: EntrySeq): Operation['kind'] | null {
    return this.entries.get(seq)?.operation.kind ?? null
  }

  /** Whether the copy half of a move is proved for any of these: then giving up would leave the message in two mailboxes. */
  isHalfMoved(seq: EntrySeq, targets: Targets): boolean {
    const entry = this.entries.get(seq)
    if (entry?.operation.kind !== 'move' || targets.kind !== 'stored') return false
    return !targets.uids.difference(placedOf(entry, targets).sources).isEmpty
  }

  rejectionsOf(seq: EntrySeq): number {
    return this.entries.get(seq)?.rejections ?? 0
  }

  /** The claim is about to be sent: its targets are `sending`, and the fence is written (I-LOG-3). */
  claim(claim: Claim): void {
    for (const { seq, targets } of claim.members) this.advance(seq, targets, { kind: 'claim', claimId: claim.id })
    this.writes.push({ kind: 'put-claim', claim: encodeClaim(claim) })
  }

  /** The answer was lost, or it was OK and named no UIDs: the targets wait for a probe. */
  lose(claim: Claim, answer: Claim['answer'] = 'none'): void {
    for (const { seq, targets } of claim.members) this.advance(seq, targets, { kind: 'lost' })
    this.writes.push({ kind: 'put-claim', claim: encodeClaim({ ...claim, lostAt: this.now, answer }) })
  }

  /** Nothing of the claim took effect, or all of it may be repeated: the targets are queued again. */
  release(claim: Claim): void {
    for (const { seq, targets } of claim.members) this.queueAgain(seq, targets)
    this.removeClaim(claim)
  }

  removeClaim(claim: Claim): void {
    this.writes.push({ kind: 'remove-claim', id: claim.id })
  }

  /** Sent together with others, and refused: each is tried again, alone and at once, so that one does not take the others along (H-20). */
  unfold(seq: EntrySeq, targets: Targets): void {
    this.advance(seq, targets, { kind: 'answered-rejected-for-now', notBefore: this.now })
  }

  /** Refused for now: again, after a while. */
  retryLater(seq: EntrySeq, targets: Targets): void {
    const notBefore = this.now + REJECTED_WAIT_MS * (this.rejectionsOf(seq) + 1)
    this.advance(seq, targets, { kind: 'answered-rejected-for-now', notBefore })
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

  /** @see dependantsOfCopy */
  parkDependants(seq: EntrySeq, targets: Targets): void {
    if (this.kindOf(seq) === 'copy') this.parkAll(dependantsOfCopy(this.open, { seq, targets }))
  }

  /** The mailbox cannot be opened: what acts on it or sends to it is shown. */
  parkWhatNeeds(mailboxId: MailboxId, reason: ParkReason): void {
    this.parkAll(whatNeeds(this.open, mailboxId, reason))
  }

  /** The server took it; or a probe proved that it had. */
  apply(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: evidence.kind === 'probe' ? 'probe-certain' : 'answered-ok', evidence })
  }

  /** The server will not take it: the view is what it was. */
  reject(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: 'answered-rejected-for-good', evidence })
  }

  /** The target is not there any more. Removing what is gone is success (RFC 4549 §5.1), and so is a move whose copy is proved; the rest is skipped. */
  settleGone(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.advance(seq, targets, { kind: evidence.kind === 'probe' ? 'probe-gone' : 'target-vanished', evidence })
  }

  /** Our own removal took effect: the rows go in the same change. */
  settleRemoved(seq: EntrySeq, targets: Targets, evidence: Evidence): void {
    this.apply(seq, targets, evidence)
    if (targets.kind === 'stored' && this.isCurrent(targets)) this.server.forget(targets.mailboxId, targets.uids)
  }

  /** The server named what a copy or move made: it becomes server state, and references follow it (H-18). */
  settleTransferred(
    seq: EntrySeq,
    targets: Targets,
    step: 'move' | 'copy',
    claim: Claim,
    pairs: UidPairs,
    evidence: Evidence,
  ): void {
    const entry = this.entries.get(seq)
    const { fence } = claim
    if (entry === undefined || targets.kind !== 'stored' || fence === null) return
    const mine = pairs.restrict(targets.uids)
    const moved = { ...targets, uids: mine.sources }
    if (moved.uids.isEmpty) return
    const isHalfMove = entry.operation.kind === 'move' && step === 'copy'
    const placed = placedOf(entry, moved)
    if (isHalfMove) this.advance(seq, moved, { kind: evidence.kind === 'probe' ? 'probe-copied' : 'answered-copied' })
    else this.apply(seq, moved, evidence)
    const target = this.server.mailbox(fence.mailboxId)
    const names = evidence.kind === 'copy-uid' && evidence.target.uidValidity !== fence.uidValidity ? null : target
    if (names === undefined || names === null || names.box !== fence.box || names.checkpoint === null) return
    if (this.isCurrent(targets)) this.server.carry(targets.mailboxId, names, mine)
    const locals = namedLocals(placed, mine)
    this.forward({ kind: 'local' }, names, locals, entry)
    if (step === 'move') {
      this.forward({ kind: 'stored', box: targets.box }, names, mine, entry)
      if (this.isCurrent(targets)) this.server.forget(targets.mailboxId, mine.sources)
    }
  }

  /** The server named an upload: the local becomes a row of server state in the same change (RFC 4549 §5.1). */
  settleLanded(seq: EntrySeq, targets: Targets, claim: Claim, uid: Uid, evidence: Evidence): void {
    const { fence } = claim
    const target = fence === null ? undefined : this.server.mailbox(fence.mailboxId)
    const entry = this.entries.get(seq)
    const isSameBox = evidence.kind !== 'append-uid' || evidence.target.uidValidity === fence?.uidValidity
    if (
      targets.kind === 'local' &&
      entry?.operation.kind === 'append' &&
      target !== undefined &&
      target.box === fence?.box &&
      isSameBox
    ) {
      const { local } = entry.operation.message
      this.server.write({ kind: 'land-local', local, entry: seq, mailboxId: target.id, uid })
      this.server.cover(target.id, UidSet.of(uid))
      this.forward({ kind: 'local' }, target, new UidPairs([{ from: local, to: uid, length: 1 }]), entry)
    }
    this.apply(seq, targets, evidence)
  }

  /**
   * After .SILENT the row is what our own STORE made of it, until the server states it again (H-14). With mod-sequences a message that changed is told; one
   * that is not told is as it was, whatever the OK says.
   */
  inferFlags(claim: Claim, step: StoreStep, { seen, vanished }: { readonly seen: UidSet; readonly vanished: UidSet }): void {
    const targets = claim.members[0]?.targets
    if (targets?.kind !== 'stored' || !this.isCurrent(targets)) return
    const { mailboxId } = targets
    const hasModSeqs = this.server.mailbox(mailboxId)?.checkpoint?.highestModSeq != null
    const uids = (hasModSeqs ? step.uids.intersect(seen) : step.uids).difference(vanished)
    const delta = step.direction === 'add' ? { add: step.flags, remove: [] } : { add: [], remove: step.flags }
    if (!uids.isEmpty) this.server.write({ kind: 'infer-flags', mailboxId, uids, delta })
  }

  /** Parks what names a place that is gone, and skips what hangs on a message that never came to be, along the chain (I-LOG-5). */
  settleStrays(): void {
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
    const entryWrites = changed.flatMap((entry): Write[] =>
      isSettled(entry)
        ? [
            { kind: 'remove-entry', seq: entry.seq },
            { kind: 'put-receipt', receipt: encodeReceipt(receiptOf(entry, this.now)) },
          ]
        : [{ kind: 'put-entry', entry: encodeEntry({ ...entry, revision: entry.revision + 1 }) }],
    )
    return {
      expect: { entries: changed.map(({ seq }) => ({ seq, revision: this.before.get(seq)?.revision ?? 0 })), ...this.newest },
      writes: [...this.server.writes, ...this.writes, ...entryWrites],
    }
  }

  private parkAll(parked: readonly ParkedTargets[]): void {
    for (const { seq, targets, reason } of parked) this.park(seq, targets, reason)
  }

  /** Whether UIDs of this box are what the mailbox has now. */
  private isCurrent({ mailboxId, box }: StoredTargets): boolean {
    return this.server.mailbox(mailboxId)?.box === box
  }

  private advance(seq: EntrySeq, targets: Targets, happening: Happening): void {
    this.update(seq, (entry) => transition(entry, targets, happening).entry)
  }

  private update(seq: EntrySeq, change: (entry: Entry) => Entry): void {
    const entry = this.entries.get(seq)
    if (entry !== undefined) this.entries.set(seq, change(entry))
  }

  private hasChanged(entry: Entry): boolean {
    return this.before.get(entry.seq) !== entry
  }

  private forward(from: ForwardSource, to: MailboxRecord, pairs: UidPairs, { accountId, seq }: Entry): void {
    if (pairs.ranges.length === 0) return
    this.newest = { newestEntry: { accountId, seq: [...this.entries.keys()].reduce((newest, key) => Math.max(newest, key), 0) } }
    this.writes.push({ kind: 'forward', accountId, from, to: { mailboxId: to.id, box: to.box }, pairs })
    for (const entry of [...this.entries.values()]) {
      if (entry.seq !== seq)
        this.entries.set(entry.seq, rewriteTargets(entry, { from, to: { mailboxId: to.id, box: to.box }, pairs }))
    }
  }
}
