/**
 * Decides what may be sent now on the messages of one open mailbox: for each message its flag changes, up to the operation that ends its stay; and that
 * one end, folded with what follows it under the names that it would give (RFC 4549 §5.3).
 */

import { type MailboxId, type MailboxRecord, type ModSeq, UidPairs, UidSet } from '@tidemail/core'
import { type Entry, type FlagOperation, isOnMessages, type MessageOperation, removalsOf } from '@tidemail/replay-log'
import { localsOf } from './claim-members.ts'
import { bySince } from './flag-conditions.ts'
import { goneUids, listedUids } from './listed-uids.ts'
import { isToBeDeleted, mailboxesToMake, mailboxesUndecided } from './mailbox-order.ts'
import { isPermitted } from './permitted-flags.ts'
import { type Batch, isDue, type ReplayState } from './replay-state.ts'
import { mailboxesWithOpenClaims } from './resting-mailboxes.ts'

/** Targets of one entry, by the UIDs under which they are sent. */
export interface ReadyTargets {
  readonly entry: Entry
  readonly uids: UidSet
  /** Where the entry names locals: which local is which UID, for the move that would make it has not been sent. Null where it names the UIDs. */
  readonly sentAs: UidPairs | null
}

export interface ReadyFlags extends ReadyTargets {
  readonly operation: FlagOperation
  /** The mod-sequence since which nobody may have changed them; null where that does not matter. */
  readonly since: ModSeq | null
}

/** What ends the stay of messages in the mailbox, or copies them. */
export interface ReadyEnd extends ReadyTargets {
  readonly act: EndAct
  /** The copy half of a move, or the upload that takes the place of a draft, is proved: only the removal is left. */
  readonly isHalfDone: boolean
  /** What this one makes needless: moves to mailboxes on the way, flags of what goes. */
  readonly supersedes: readonly ReadyTargets[]
}

export type EndAct = { readonly kind: 'move' | 'copy'; readonly to: MailboxId } | { readonly kind: 'remove' }

export interface ReadyMessages {
  readonly flags: readonly ReadyFlags[]
  readonly ends: readonly ReadyEnd[]
  readonly moot: Batch['moot']
}

/** Pure. */
export function readyMessages(mailbox: MailboxRecord, state: ReplayState): ReadyMessages {
  const walk = new Walk(mailbox, state)
  for (const entry of state.entries) for (const group of entry.progress) walk.visit(entry, group)
  return withoutNeedlessFlags(walk)
}

/** What was refused together with others goes alone (H-20). */
export function isFoldable({ rejections }: Entry): boolean {
  return rejections === 0
}

/** The part of the targets that is sent under these UIDs. */
export function narrowed<T extends ReadyTargets>(ready: T, uids: UidSet): T {
  const mine = ready.uids.intersect(uids)
  return { ...ready, uids: mine, sentAs: ready.sentAs === null ? null : localsOf(ready.sentAs, mine) }
}

type Group = Entry['progress'][number]

/** One walk through the log, in the user's order. */
class Walk {
  readonly flags: ReadyFlags[] = []
  private readonly conditional: ReadyFlags[] = []
  readonly moot: Batch['moot'][number][] = []
  ends: ReadyEnd[] = []
  private readonly mailbox: MailboxRecord
  private readonly entries: readonly Entry[]
  private readonly now: number
  private readonly listed: UidSet
  private readonly gone: UidSet
  /** Nothing is put into these: they are still to be made; or an answer is missing, and what the server does may come late (H-7). */
  private readonly closed: ReadonlySet<MailboxId>
  /** Of these nothing more is sent in this batch. */
  private taken: UidSet = UidSet.EMPTY
  private copiesParked: UidSet = UidSet.EMPTY
  /** To be copied into a mailbox whose making the user must decide on: they stay, and their flags go on (I-LOG-5). */
  private held: UidSet = UidSet.EMPTY
  private readonly undecided: ReadonlySet<MailboxId>
  /** Locals that moves of this batch would make, with the UIDs that they still are. */
  private standIns: UidPairs = UidPairs.EMPTY

  constructor(mailbox: MailboxRecord, state: ReplayState) {
    this.mailbox = mailbox
    this.entries = state.entries
    this.now = state.now
    this.closed = new Set([...mailboxesWithOpenClaims(state), ...mailboxesToMake(state)])
    this.undecided = mailboxesUndecided(state)
    this.listed = listedUids(mailbox)
    this.gone = goneUids(mailbox)
  }

  visit(entry: Entry, group: Group): void {
    const { operation } = entry
    const { targets } = group
    if (targets.kind === 'local') {
      if (isOnMessages(operation) && this.standIns.ranges.length > 0) this.visitLocals(entry, group, operation, targets.locals)
      return
    }
    if (targets.mailboxId !== this.mailbox.id || targets.box !== this.mailbox.box) return
    const isSendable = (group.state === 'queued' || group.state === 'copied') && isDue(entry, this.now)
    const sendable = isSendable ? targets.uids : UidSet.EMPTY
    this.drop(entry, group, sendable.intersect(this.gone), 'gone')
    const uids = sendable.intersect(this.listed).difference(this.taken)
    if (operation.kind === 'flag') {
      if (isSendable) this.visitFlags(entry, group, operation, uids)
      else if (group.state !== 'parked') this.taken = this.taken.union(targets.uids)
      return
    }
    this.visitEnd(entry, group, uids.difference(this.held))
    if (operation.kind === 'copy' && this.undecided.has(operation.to)) this.held = this.held.union(targets.uids)
    else if (group.state !== 'parked') this.taken = this.taken.union(targets.uids)
    else if (operation.kind === 'copy') this.copiesParked = this.copiesParked.union(targets.uids)
  }

  private visitFlags(entry: Entry, group: Group, operation: FlagOperation, uids: UidSet): void {
    if (uids.isEmpty) return
    if (this.mailbox.isReadOnly) this.drop(entry, group, uids, 'not-possible')
    else if (!isPermitted(operation, this.mailbox)) this.drop(entry, group, uids, 'not-permitted')
    else {
      for (const part of bySince(operation, uids)) {
        const waiting = part.uids.intersect(this.onCondition(isFoldable(entry) ? part.since : null))
        this.taken = this.taken.union(waiting)
        const free = part.uids.difference(waiting)
        if (free.isEmpty) continue
        const flag: ReadyFlags = { entry, uids: free, sentAs: null, operation, since: part.since }
        this.flags.push(flag)
        if (flag.since !== null) this.conditional.push(flag)
      }
    }
  }

  /** Whether these are changed is not known before the answer: what follows on them waits for it, but for changes on the same condition that go with it. */
  private onCondition(since: ModSeq | null): UidSet {
    const isOne = (flag: ReadyFlags): boolean => flag.since === since && isFoldable(flag.entry)
    return this.conditional.reduce((all, flag) => (isOne(flag) ? all : all.union(flag.uids)), UidSet.EMPTY)
  }

  private visitEnd(entry: Entry, group: Group, uids: UidSet): void {
    const act = actOf(entry, group)
    if (act?.kind === 'move' && act.to === this.mailbox.id) {
      this.drop(entry, group, uids, 'there-already')
      return
    }
    if (act === null || uids.isEmpty || (act.kind !== 'remove' && this.isClosed(act.to, entry))) return
    const isHalfDone = group.state === 'copied' || entry.operation.kind === 'draft'
    const saved = act.kind === 'remove' && group.state !== 'copied' ? uids.intersect(this.copiesParked) : UidSet.EMPTY
    this.drop(entry, group, saved, 'needs-another')
    const free = uids.difference(saved).difference(act.kind === 'remove' ? UidSet.EMPTY : this.onCondition(null))
    if (free.isEmpty) return
    if (this.mailbox.isReadOnly && act.kind !== 'copy') {
      this.drop(entry, group, free, 'not-possible')
      return
    }
    this.ends.push({ entry, uids: free, sentAs: null, act, isHalfDone, supersedes: [] })
    if (act.kind === 'move' && isFoldable(entry)) this.standIns = this.standIns.union(group.placed.restrict(free).inverse)
  }

  /** An operation on what a move of this batch would make is one on the messages as they are. */
  private visitLocals(entry: Entry, group: Group, operation: MessageOperation, locals: UidSet): void {
    const sentAs = this.standIns.restrict(locals)
    if (sentAs.ranges.length === 0) return
    const uids = sentAs.destinations
    const isReady = group.state === 'queued' && isDue(entry, this.now) && isFoldable(entry)
    if (!isReady || !this.canFold(operation, entry, uids)) {
      this.close(locals)
      return
    }
    if (operation.kind === 'flag') {
      this.flags.push({ entry, uids, sentAs, operation, since: null })
      return
    }
    const supersedes = this.cutEnds(uids)
    this.close(locals)
    const act: EndAct = operation.kind === 'move' ? { kind: 'move', to: operation.to } : { kind: 'remove' }
    this.ends.push({ entry, uids, sentAs, act, isHalfDone: false, supersedes })
    if (act.kind === 'move') this.standIns = this.standIns.union(composed(group.placed, sentAs))
  }

  private canFold(operation: MessageOperation, entry: Entry, uids: UidSet): boolean {
    switch (operation.kind) {
      case 'flag':
        return operation.ifUnchanged === undefined && isPermitted(operation, this.mailbox)
      case 'move':
        return operation.to !== this.mailbox.id && !this.isClosed(operation.to, entry)
      case 'expunge':
        return uids.intersect(this.copiesParked).isEmpty
      case 'copy':
        // What is copied must be there, under its own name, when it is copied.
        return false
    }
  }

  private isClosed(to: MailboxId, { seq }: Entry): boolean {
    return this.closed.has(to) || isToBeDeleted(to, seq, this.entries)
  }

  /** What follows on these waits until the server has named them. */
  private close(locals: UidSet): void {
    this.standIns = this.standIns.restrict(this.standIns.sources.difference(locals))
  }

  /** Takes these messages out of the ends so far, and answers what they were to be. */
  private cutEnds(uids: UidSet): ReadyTargets[] {
    const cut = this.ends.filter((end) => !end.uids.intersect(uids).isEmpty)
    this.ends = this.ends.flatMap((end) => {
      const left = end.uids.difference(uids)
      return left.isEmpty ? [] : [left.size === end.uids.size ? end : withPart(end, left)]
    })
    return cut.flatMap((end) => {
      const { entry, uids: mine, sentAs, supersedes } = withPart(end, uids)
      return [{ entry, uids: mine, sentAs }, ...supersedes]
    })
  }

  private drop({ seq }: Entry, { targets }: Group, uids: UidSet, why: Batch['moot'][number]['why']): void {
    if (!uids.isEmpty && targets.kind === 'stored') this.moot.push({ seq, targets: { ...targets, uids }, why })
  }
}

/** Null while the upload that is to take the place of a draft is not proved. */
function actOf(entry: Entry, group: Group): EndAct | null {
  const { operation } = entry
  if (group.state === 'copied') return { kind: 'remove' }
  switch (operation.kind) {
    case 'move':
    case 'copy':
      return { kind: operation.kind, to: operation.to }
    case 'expunge':
      return { kind: 'remove' }
    case 'draft':
      return removalsOf(entry).includes(group) ? { kind: 'remove' } : null
    default:
      return null
  }
}

/** Flags of what is to go are not sent; they are settled with the removal, or sent after all when that is refused (RFC 4549 §5.3). */
function withoutNeedlessFlags({ flags, ends, moot }: Walk): ReadyMessages {
  const doomed = ends
    .filter(({ act, entry, isHalfDone }) => act.kind === 'remove' && isFoldable(entry) && !isHalfDone)
    .reduce((all, { uids }) => all.union(uids), UidSet.EMPTY)
  if (doomed.isEmpty) return { flags, ends, moot }
  const needless = flags.filter(({ entry, uids }) => isFoldable(entry) && !uids.intersect(doomed).isEmpty)
  const sent = flags.flatMap((flag) => {
    if (!needless.includes(flag)) return [flag]
    const left = flag.uids.difference(doomed)
    return left.isEmpty ? [] : [narrowed(flag, left)]
  })
  return {
    flags: sent,
    ends: ends.map((end) => {
      const isDoom = end.act.kind === 'remove' && isFoldable(end.entry) && !end.isHalfDone
      const mine = isDoom ? needless.filter(({ uids }) => !uids.intersect(end.uids).isEmpty) : []
      const spared = mine.map(({ entry, uids, sentAs }) => narrowed({ entry, uids, sentAs }, end.uids))
      return spared.length === 0 ? end : { ...end, supersedes: [...end.supersedes, ...spared] }
    }),
    moot,
  }
}

function withPart(end: ReadyEnd, uids: UidSet): ReadyEnd {
  const supersedes = end.supersedes.map((part) => narrowed(part, uids)).filter((part) => !part.uids.isEmpty)
  return { ...narrowed(end, uids), supersedes }
}

/** `placed` says which local becomes which; `sentAs` which UID the first one is. */
function composed(placed: UidPairs, sentAs: UidPairs): UidPairs {
  return new UidPairs(
    sentAs.ranges.flatMap(({ from, to, length }) =>
      placed
        .restrict(UidSet.range(from, from + length - 1))
        .ranges.map((range) => ({ from: range.to, to: to + (range.from - from), length: range.length })),
    ),
  )
}
