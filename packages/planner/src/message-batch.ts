/** Makes the claims and steps of a batch that acts on the messages of one open mailbox. */

import {
  can,
  type ExpungeStep,
  type Flag,
  type MailboxIdentity,
  type MailboxRecord,
  type Step,
  type StoreStep,
  UidSet,
} from '@tidemail/core'
import type { Claim, ClaimMember, Entry, FencedMessage, FlagOperation, Operation } from '@tidemail/replay-log'
import { fenceOf, identityOf } from './fence.ts'
import { foldFlags } from './fold-flags.ts'
import { type BatchContext, CLAIM_LIFE_MS, REPLAY_BATCH_CLAIMS_MAX, type ReplayState } from './replay-state.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** UIDs of one copy or move: what one probe must decide. */
export const COPY_UIDS_MAX = 500

/** Targets of one entry that can be sent now. */
export interface Ready {
  readonly entry: Entry
  readonly uids: UidSet
}

export interface ReadyFlags extends Ready {
  readonly operation: FlagOperation
}

/** A copy, move or removal; `isCopied` when the copy half of a move is proved already. */
export interface ReadyEnd extends Ready {
  readonly operation: Exclude<Operation, { kind: 'flag' | 'append' }>
  readonly isCopied: boolean
}

/** Turns what is ready in one mailbox into claims and steps. */
export class MessageBatch {
  readonly claims: Claim[] = []
  readonly steps: Step[] = []
  private readonly mailbox: MailboxRecord
  private readonly state: ReplayState
  private readonly context: BatchContext
  private lastStore: string | null = null

  constructor(mailbox: MailboxRecord, state: ReplayState, context: BatchContext) {
    this.mailbox = mailbox
    this.state = state
    this.context = context
  }

  /** Folded into few stores; what was refused together with others goes alone (H-20). */
  storeFlags(ready: readonly ReadyFlags[]): void {
    let folded: ReadyFlags[] = []
    for (const one of ready) {
      if (one.entry.rejections === 0) {
        folded.push(one)
        continue
      }
      this.storeFolded(folded)
      this.storeFolded([one])
      folded = []
    }
    this.storeFolded(folded)
  }

  private storeFolded(ready: readonly ReadyFlags[]): void {
    if (ready.length === 0) return
    const steps = foldFlags(ready).flatMap(({ direction, flags, uids }) =>
      uids.chunksOfOctets(UID_SET_OCTETS_MAX).map((chunk) => this.store(chunk, direction, flags, 'replay flag changes')),
    )
    this.lastStore = steps.at(-1)?.id ?? null
    this.claim(
      steps,
      ready.map(({ entry, uids }) => this.member(entry, uids)),
    )
  }

  finish({
    entry,
    uids,
    operation,
    isCopied,
  }: Ready & { operation: Exclude<Operation, { kind: 'flag' | 'append' }>; isCopied: boolean }): void {
    const to = operation.kind === 'expunge' ? undefined : this.state.mailboxes.get(operation.to)
    if (operation.kind === 'expunge' || isCopied) {
      for (const chunk of uids.chunksOfOctets(UID_SET_OCTETS_MAX)) this.expunge(entry, chunk, isCopied)
    } else if (to !== undefined && to.uidValidity !== null && to.checkpoint !== null) {
      for (const chunk of this.identifiable(uids)
        .chunksOfSize(COPY_UIDS_MAX)
        .flatMap((set) => set.chunksOfOctets(UID_SET_OCTETS_MAX))) {
        this.transfer(entry, chunk, to, operation.kind)
      }
    }
  }

  /** STORE \Deleted and UID EXPUNGE of these UIDs, joined by `requires`; then a look at what is left, where no VANISHED tells. */
  private expunge(entry: Entry, uids: UidSet, isCopied: boolean): void {
    if (this.isFull()) return
    const reason = isCopied ? 'the copy is proved: remove the original' : 'replay the removal'
    const mark = this.store(uids, 'add', ['\\Deleted'], reason)
    const expunge: ExpungeStep = {
      kind: 'expunge',
      id: this.context.name('expunge'),
      mailbox: this.identity(),
      uids,
      requires: [mark.id],
      notAfter: this.notAfter(),
      reason,
    }
    this.claim([mark, expunge], [this.member(entry, uids)])
    if (this.state.server.enabled.includes('QRESYNC')) return
    this.steps.push({
      kind: 'search',
      id: this.context.name('search'),
      mailbox: this.identity(),
      uids,
      requires: [expunge.id],
      reason: 'without VANISHED, look at what is left',
    })
  }

  private transfer(entry: Entry, uids: UidSet, to: MailboxRecord, kind: 'move' | 'copy'): void {
    if (this.isFull()) return
    const canMove = kind === 'move' && can(this.state.server, 'MOVE')
    const step = {
      kind: canMove ? ('move' as const) : ('copy' as const),
      id: this.context.name(canMove ? 'move' : 'copy'),
      mailbox: this.identity(),
      uids,
      target: to.path,
      notAfter: this.notAfter(),
      ...(this.lastStore === null ? {} : { after: [this.lastStore] }),
      reason: kind === 'move' && !canMove ? 'replay a move: the server has no MOVE, so copy first' : `replay a ${kind}`,
    }
    const messages = [...uids.values()].flatMap((of): FencedMessage[] => {
      const identity = this.context.identities.get(of)
      return identity === undefined ? [] : [{ ...identity, of, digest: null }]
    })
    this.claim([step], [this.member(entry, uids)], fenceOf(to, messages))
  }

  /** Messages whose row is held: without it a lost answer could not be decided. The others wait until they are fetched. */
  private identifiable(uids: UidSet): UidSet {
    return UidSet.from([...uids.values()].filter((candidate) => this.context.identities.has(candidate)))
  }

  private store(uids: UidSet, direction: StoreStep['direction'], flags: readonly Flag[], reason: string): StoreStep {
    const id = this.context.name('store')
    return { kind: 'store', id, mailbox: this.identity(), uids, direction, flags, notAfter: this.notAfter(), reason }
  }

  private claim(steps: Claim['steps'], members: readonly ClaimMember[], fence: Claim['fence'] = null): void {
    if (this.isFull()) return
    const { accountId, now } = this.state
    this.claims.push({
      id: this.context.claimId(),
      accountId,
      steps,
      members,
      fence,
      claimedAt: now,
      lostAt: null,
      answer: 'none',
    })
    this.steps.push(...steps)
  }

  private member(entry: Entry, uids: UidSet): ClaimMember {
    return { seq: entry.seq, targets: { kind: 'stored', mailboxId: this.mailbox.id, box: this.mailbox.box, uids } }
  }

  private isFull(): boolean {
    return this.claims.length >= REPLAY_BATCH_CLAIMS_MAX
  }

  private notAfter(): number {
    return this.state.now + CLAIM_LIFE_MS
  }

  private identity(): MailboxIdentity {
    return identityOf(this.mailbox)
  }
}
