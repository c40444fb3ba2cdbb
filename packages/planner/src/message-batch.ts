/** Makes the claims and steps of a batch that acts on the messages of one open mailbox: few, however many operations there are. */

import {
  applyFlagDelta,
  can,
  type Flag,
  type MailboxIdentity,
  type MailboxRecord,
  type ModSeq,
  type MutatingStep,
  type Step,
  type StoreStep,
  type Uid,
  UidSet,
  uid,
} from '@tidemail/core'
import { type Claim, type ClaimMember, type FencedMessage, type UnalteredFlag, unalteredBy } from '@tidemail/replay-log'
import { localsOf } from './claim-members.ts'
import { fenceOf, identityOf } from './fence.ts'
import { foldFlags } from './fold-flags.ts'
import { isFoldable, narrowed, type ReadyEnd, type ReadyFlags, type ReadyTargets } from './ready-messages.ts'
import { removalSteps } from './removal-steps.ts'
import { type BatchContext, CLAIM_LIFE_MS, REPLAY_BATCH_CLAIMS_MAX, type ReplayState } from './replay-state.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** UIDs of one copy or move: what one probe must decide. */
export const COPY_UIDS_MAX = 500

/** Turns what is ready in one mailbox into claims and steps. */
export class MessageBatch {
  readonly claims: Claim[] = []
  readonly steps: Step[] = []
  private readonly mailbox: MailboxRecord
  private readonly state: ReplayState
  private readonly context: BatchContext
  private readonly identity: MailboxIdentity
  /** Identities of what is on its way, by where to: twins are never in flight together (H-10). */
  private readonly inFlight = new Set<string>()
  /** The steps of each claim that changes flags. */
  private readonly stores: (readonly StoreStep[])[] = []
  /** Of the messages whose rows are held, as they will be after the changes so far. */
  private readonly flags: Map<Uid, readonly Flag[]>

  constructor(mailbox: MailboxRecord, state: ReplayState, context: BatchContext) {
    this.mailbox = mailbox
    this.state = state
    this.context = context
    this.identity = identityOf(mailbox)
    this.flags = new Map(context.rows.map(({ flags, uid }) => [uid, flags]))
  }

  storeFlags(ready: readonly ReadyFlags[]): void {
    let conditional = UidSet.EMPTY
    for (const together of foldedTogether(ready, ({ since }) => String(since ?? ''))) {
      // A condition leaves messages alone without a refusal: what follows on them goes with it, or after its answer.
      const free = together.map((one) => narrowed(one, one.uids.difference(conditional))).filter(({ uids }) => !uids.isEmpty)
      if (free.length > 0) this.storeFolded(free)
      if (free[0]?.since != null) conditional = conditional.union(joined(free))
    }
  }

  /** Moves go last: a STORE and UID EXPUNGE pipelined behind a MOVE are answered OK by Dovecot 2.3, and remove nothing. */
  finish(ready: readonly ReadyEnd[]): void {
    const [moves, others] = [ready.filter(({ act }) => act.kind === 'move'), ready.filter(({ act }) => act.kind !== 'move')]
    for (const together of foldedTogether([...others, ...moves], keyOfAct)) {
      const act = together[0]?.act
      if (act?.kind === 'remove') this.remove(together)
      else if (act !== undefined) this.transfer(together, act)
    }
  }

  private storeFolded(ready: readonly ReadyFlags[]): void {
    const unchangedSince = ready[0]?.since ?? undefined
    const order = this.requiringStores(joined(ready))
    const steps = foldFlags(ready).flatMap(({ direction, flags, uids }) =>
      uids
        .chunksOfOctets(UID_SET_OCTETS_MAX)
        .map((chunk) => ({ ...this.store(chunk, direction, flags, unchangedSince), ...order })),
    )
    if (
      !this.claim(
        steps,
        ready.map((one) => this.flagMember(one)),
      )
    )
      return
    this.stores.push(steps)
    if (unchangedSince === undefined) return
    this.steps.push({
      kind: 'fetch',
      id: this.context.name('fetch'),
      mailbox: this.identity,
      uids: joined(ready),
      items: 'flags',
      ...this.afterStores(),
      reason: 'see what others made of those that changed meanwhile',
    })
  }

  /** A change leaves alone what has the flags already, by what the server told or by the changes before it. */
  private flagMember(ready: ReadyFlags): ClaimMember {
    const { operation, sentAs, uids } = ready
    const rows = [...uids.values()].flatMap((number) => {
      const flags = this.flags.get(uid(number))
      return flags === undefined ? [] : [{ uid: uid(number), flags }]
    })
    for (const row of rows) this.flags.set(row.uid, applyFlagDelta(row.flags, operation))
    const unaltered = unalteredBy(operation, rows).map((one) => ({
      ...one,
      uids: sentAs === null ? one.uids : localsOf(sentAs, one.uids).sources,
    }))
    return { ...memberOf(this.mailbox)(ready), ...(unaltered.length === 0 ? {} : { unaltered }) }
  }

  /** One copy or move for all that goes to the same place; what cannot be told from another one waits for the next batch. */
  private transfer(ready: readonly ReadyEnd[], act: Extract<ReadyEnd['act'], { to: unknown }>): void {
    const to = this.state.mailboxes.get(act.to)
    if (to === undefined || to.uidValidity === null || to.checkpoint === null) return
    const canMove = act.kind === 'move' && can(this.state.server, 'MOVE')
    const chunks = this.tellable(joined(ready), to)
      .chunksOfSize(COPY_UIDS_MAX)
      .flatMap((set) => set.chunksOfOctets(UID_SET_OCTETS_MAX))
    for (const uids of chunks) {
      const step: MutatingStep = {
        kind: canMove ? 'move' : 'copy',
        id: this.context.name(canMove ? 'move' : 'copy'),
        mailbox: this.identity,
        uids,
        target: to.path,
        notAfter: this.notAfter(),
        ...this.afterStores(),
        // The flags follow a message that is moved (H-18); a copy bears those that the message has when it is made.
        ...(canMove ? {} : this.requiringStores(uids)),
        reason: act.kind === 'move' && !canMove ? 'replay a move: the server has no MOVE, so copy first' : `replay a ${act.kind}`,
      }
      const messages = [...uids.values()].flatMap((of): FencedMessage[] => {
        const identity = this.context.identities.get(of)
        return identity === undefined ? [] : [{ ...identity, of, digest: null }]
      })
      this.claim([step], this.membersOf(ready, uids), { fence: fenceOf(to, messages) })
    }
  }

  private remove(ready: readonly ReadyEnd[]): void {
    for (const uids of joined(ready).chunksOfOctets(UID_SET_OCTETS_MAX)) {
      const members = this.membersOf(ready, uids)
      const isHalfDone = ready.every((end) => end.isHalfDone)
      const reason = isHalfDone ? 'the copy is proved: remove the original' : 'replay the removal'
      const removal = removalSteps({
        uids,
        mailbox: this.identity,
        server: this.state.server,
        marked: this.context.marked,
        name: this.context.name,
        notAfter: this.notAfter(),
        after: this.afterStores(),
        reason,
      })
      if (removal === null) return
      const { shielded } = removal
      if (this.claim(removal.steps, members, { shielded, unaltered: this.markedByOthers(uids) })) this.steps.push(...removal.look)
    }
  }

  private markedByOthers(uids: UidSet): readonly UnalteredFlag[] {
    const ours = this.mailbox.checkpoint?.marked ?? UidSet.EMPTY
    const rows = this.context.rows.filter(({ uid }) => uids.has(uid) && !ours.has(uid))
    return unalteredBy({ add: ['\\Deleted'], remove: [] }, rows)
  }

  /** Messages whose row is held, without which a lost answer could not be decided, and of which no twin goes to the same place (H-10). */
  private tellable(uids: UidSet, { id }: MailboxRecord): UidSet {
    const told: number[] = []
    for (const uid of uids.values()) {
      const identity = this.context.identities.get(uid)
      if (identity === undefined) continue
      const { emailId, messageId, sizeBytes, internalDate } = identity
      const key = JSON.stringify([id, emailId ?? [messageId, sizeBytes, internalDate]])
      if (this.inFlight.has(key)) continue
      this.inFlight.add(key)
      told.push(uid)
    }
    return UidSet.from(told)
  }

  private membersOf(ready: readonly ReadyEnd[], uids: UidSet): ClaimMember[] {
    const member = memberOf(this.mailbox)
    return ready.flatMap((end) => {
      const part = narrowed(end, uids)
      if (part.uids.isEmpty) return []
      const superseded = end.supersedes.map((other) => narrowed(other, uids)).filter((other) => !other.uids.isEmpty)
      return [member(part), ...superseded.map((other) => ({ ...member(other), isSuperseded: true }))]
    })
  }

  private store(uids: UidSet, direction: StoreStep['direction'], flags: readonly Flag[], unchangedSince?: ModSeq): StoreStep {
    const condition = unchangedSince === undefined ? {} : { unchangedSince }
    return {
      kind: 'store',
      id: this.context.name('store'),
      mailbox: this.identity,
      uids,
      direction,
      flags,
      ...condition,
      notAfter: this.notAfter(),
      reason: 'replay flag changes',
    }
  }

  /** False when the batch is full. */
  private claim(
    steps: readonly MutatingStep[],
    members: readonly ClaimMember[],
    more: Pick<Partial<Claim>, 'fence' | 'shielded' | 'unaltered'> = {},
  ): boolean {
    if (this.claims.length >= REPLAY_BATCH_CLAIMS_MAX || steps.length === 0) return false
    const { accountId, now } = this.state
    const { fence = null, shielded = UidSet.EMPTY, unaltered = [] } = more
    this.claims.push({
      id: this.context.claimId(),
      accountId,
      steps,
      members,
      fence,
      claimedAt: now,
      lostAt: null,
      answer: 'none',
      ...(shielded.isEmpty ? {} : { shielded }),
      ...(unaltered.length === 0 ? {} : { unaltered }),
    })
    this.steps.push(...steps)
    return true
  }

  private afterStores(): Pick<Step, 'after'> {
    const last = this.stores.at(-1)?.at(-1)
    return last === undefined ? {} : { after: [last.id] }
  }

  /**
   * What is refused for now is sent again later, with all that was sent with it: what the user asked for after it, of the same messages, waits for it
   * (H-20).
   */
  private requiringStores(uids: UidSet): Pick<Step, 'requires'> {
    const before = this.stores.filter((steps) => steps.some((step) => !step.uids.intersect(uids).isEmpty)).flat()
    return before.length === 0 ? {} : { requires: before.map(({ id }) => id) }
  }

  private notAfter(): number {
    return this.state.now + CLAIM_LIFE_MS
  }
}

function keyOfAct({ act }: ReadyEnd): string {
  return act.kind === 'remove' ? act.kind : `${act.kind} ${act.to}`
}

/**
 * What may go in one claim, in order; what was refused together with others goes alone (H-20). Nothing goes in front of what came before it on the same
 * message.
 */
function foldedTogether<T extends ReadyTargets>(ready: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups: T[][] = []
  const latest = new Map<string, number>()
  for (const [i, one] of ready.entries()) {
    const key = isFoldable(one.entry) ? `together ${keyOf(one)}` : `alone ${i}`
    const at = latest.get(key)
    const isNext = (group: number): boolean =>
      groups.slice(group + 1).every((later) => later.every(({ uids }) => uids.intersect(one.uids).isEmpty))
    if (at !== undefined && isNext(at)) groups[at]?.push(one)
    else latest.set(key, groups.push([one]) - 1)
  }
  return groups
}

function joined(ready: readonly ReadyTargets[]): UidSet {
  return UidSet.fromRanges(ready.flatMap(({ uids }) => uids.ranges))
}

function memberOf({ id, box }: MailboxRecord): (ready: ReadyTargets) => ClaimMember {
  return ({ entry: { seq }, uids, sentAs }) =>
    sentAs === null
      ? { seq, targets: { kind: 'stored', mailboxId: id, box, uids } }
      : { seq, targets: { kind: 'local', mailboxId: id, locals: sentAs.sources }, sentAs }
}
