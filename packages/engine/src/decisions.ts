/** What the user decides on operations that are accepted already: take back, give up, try again, send elsewhere. */

import {
  type AccountId,
  type Clock,
  type EntrySeq,
  type MailboxId,
  type MessageReference,
  type MessageStore,
  SyncError,
  type Targets,
  type Write,
} from '@tidemail/core'
import { deletionsBehind, entryWrites, passOver } from '@tidemail/planner'
import {
  type CompensatingRequest,
  compensationOf,
  type DiscardResult,
  decodeClaim,
  decodeEntry,
  decodeReceipt,
  discardEntry,
  type Entry,
  followLocals,
  isSettled,
  namesTakenBack,
  type Receipt,
  receiptOf,
  retargetEntry,
  retryEntry,
  rewriteTargets,
  transition,
  type UploadOperation,
  undoEntry,
  undoQueued,
} from '@tidemail/replay-log'
import type { UndoOutcome } from './api.ts'
import { sha256Hex } from './digest.ts'
import { delimiterOf, shownMailboxes } from './mailbox-requests.ts'
import { NothingToUndo, notUndoable, possible, REFUSED_RETARGET } from './undo-refusals.ts'
import { withdrawMailbox } from './withdraw-mailbox.ts'

export interface DecisionsOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly clock: Clock
  /** Rejects with `engine.closed` once the engine is closed. */
  readonly assertOpen: () => void
  /** There is something to send. */
  readonly onAccepted: () => void
  /** Accepts an operation that takes another one back, on those of its targets that `keep` leaves. */
  readonly accept: (
    compensating: CompensatingRequest,
    keep: (targets: readonly Targets[]) => readonly Targets[],
  ) => Promise<EntrySeq>
}

export class Decisions {
  private readonly options: DecisionsOptions

  constructor(options: DecisionsOptions) {
    this.options = options
  }

  /**
   * Takes the entry out again if nothing of it was sent: the view is right at once, for it was folded, not written. Otherwise accepts the opposite, ordered
   * after it (H-3).
   */
  async undo(seq: EntrySeq): Promise<UndoOutcome> {
    const decided = await this.changeEntry<UndoOutcome | Compensable>(
      seq,
      async (entry, now, others) => {
        const undone = undoEntry(entry, now)
        const rest = undoQueued(entry)
        if (rest === entry) return { answer: await this.compensable(seq, entry), writes: [] }
        const isWhole = undone.kind === 'undone'
        const answer = isWhole ? undone : await this.compensable(seq, rest).catch((error: unknown) => takenBack(rest, error, now))
        const names = namesTakenBack(entry)
        const following = isWhole ? passOver(entry, others) : []
        if (following.length === 0 && deletionsBehind(entry, others).length > 0) throw notUndoable(seq, 'deleted')
        const renamed = others.map((other) => names.reduce(rewriteTargets, other)).filter((other) => !others.includes(other))
        const changed = [...following, ...renamed]
        return { answer, writes: entryWrites([rest, ...changed], now), decidedOn: changed }
      },
      (receipt) => this.compensable(seq, receipt),
    )
    if (!('kind' in decided)) return this.compensate(seq, decided)
    this.options.onAccepted()
    return decided
  }

  /** What came of one call: entries that there is nothing to take back of are passed over, and the others are tried although one is refused. */
  async undoAll(seqs: readonly EntrySeq[]): Promise<UndoOutcome[]> {
    const outcomes: UndoOutcome[] = []
    const refusals: unknown[] = []
    for (const seq of seqs) {
      await this.undo(seq).then(
        (outcome) => outcomes.push(outcome),
        (error: unknown) => refusals.push(error),
      )
    }
    const refusal = refusals.find((error) => outcomes.length === 0 || !(error instanceof NothingToUndo))
    if (refusal !== undefined) throw refusal
    return outcomes
  }

  /** Gives up what is queued or parked of the entry; what is being sent stays. Nothing is undone on the server, but the mark of a removal comes off. */
  async discard(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, async (entry, now, others) => {
      const result = discardEntry(entry)
      if (result.kind === 'refused') throw new SyncError('input.not-undoable', `Operation #${seq} is being sent already.`)
      const heirs = passOver(entry, others)
      const deletions = heirs.length === 0 ? deletionsBehind(entry, others).map(parkedDeletion) : []
      const changed = [...heirs, ...deletions]
      return {
        answer: null,
        writes: [...entryWrites([result.entry, ...changed], now), ...stayingWrites(result)],
        decidedOn: changed,
      }
    })
    this.options.onAccepted()
  }

  /** Queues again what is parked of the entry. */
  async retry(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, async (entry, now) => {
      const queued = retryEntry(entry)
      if (queued === null) throw new SyncError('input.unknown-operation', `Operation #${seq} does not wait for a decision.`)
      return { answer: null, writes: entryWrites([queued], now) }
    })
    this.options.onAccepted()
  }

  /** Sends what is queued or parked of the entry to another mailbox; what names its messages meanwhile follows. */
  async retarget(seq: EntrySeq, to: MailboxId): Promise<void> {
    const mailbox = (await shownMailboxes(this.options)).find(({ id }) => id === to)
    if (mailbox?.isSelectable !== true) {
      throw new SyncError('input.unknown-mailbox', 'There is no such mailbox that can hold messages.')
    }
    await this.changeEntry(seq, async (entry, now, others) => {
      const result = retargetEntry(entry, { id: to, path: mailbox.path })
      if (result.kind === 'refused') throw new SyncError('input.not-retargetable', REFUSED_RETARGET[result.reason](seq))
      const following = others.filter((other) => other.seq > seq).map((other) => followLocals(other, result.locals, to))
      const changed = following.filter((other) => !others.includes(other))
      return { answer: null, writes: entryWrites([result.entry, ...changed], now), decidedOn: changed }
    })
    this.options.onAccepted()
  }

  /** @throws SyncError `input.not-undoable`, before anything is changed */
  private async compensable(seq: EntrySeq, subject: Entry | Receipt): Promise<Compensable> {
    const { operation } = subject
    const requests = possible(seq, compensationOf(subject, await this.compensationTerms(seq)))
    const made = operation.kind === 'append' || operation.kind === 'draft' ? await this.whatItMade(operation) : undefined
    if (made === null)
      throw new SyncError(
        'input.not-undoable',
        `What operation #${seq} made is not there any more, or another version is in its place.`,
      )
    return { requests, made }
  }

  private async compensationTerms(seq: EntrySeq): Promise<Parameters<typeof compensationOf>[1]> {
    const { accountId, store } = this.options
    const mailboxes = await store.planning.mailboxes(accountId)
    const claims = (await store.planning.claims(accountId)).map(decodeClaim)
    const mine = claims.flatMap(({ members }) => members.filter((member) => member.seq === seq))
    const shown = new Set((await shownMailboxes(this.options)).map(({ id }) => id))
    return {
      delimiter: delimiterOf(mailboxes),
      isDeleted: (id) => !shown.has(id) && mailboxes.some((mailbox) => mailbox.id === id),
      mailboxNamed: ({ path, uidValidity }) =>
        mailboxes.find((mailbox) => mailbox.path === path && mailbox.uidValidity === uidValidity) ?? null,
      unaltered: mine.flatMap(({ unaltered = [] }) => unaltered),
    }
  }

  /** What is gone, or where it is to be already, is passed over; and what another version of a draft has taken the place of. */
  private async compensate(seq: EntrySeq, { made, requests }: Compensable): Promise<UndoOutcome> {
    const seqs: EntrySeq[] = []
    for (const compensating of requests) {
      const { request } = compensating
      const isMeant = (group: Targets): boolean =>
        made === undefined ? request.kind !== 'move' || group.mailboxId !== request.to : names(group, made)
      try {
        seqs.push(await this.options.accept(compensating, (targets) => targets.filter(isMeant)))
      } catch (error) {
        if (!(error instanceof SyncError) || error.code !== 'input.unknown-message') throw error
      }
    }
    if (seqs.length === 0 && requests.length > 0) throw notUndoable(seq, 'nothing')
    this.options.onAccepted()
    return { kind: 'compensated', seqs }
  }

  /** Where the message of an upload is now, by its bytes: references to a draft lead to the version that took its place. */
  private async whatItMade({ message, digest }: UploadOperation): Promise<MessageReference | null> {
    const { accountId, store } = this.options
    const view = await store.view.message({ kind: 'local', local: message.local, accountId })
    const bytes = view === null ? null : await store.view.part(view.reference, '')
    return view !== null && bytes !== null && (await sha256Hex(bytes)) === digest ? view.reference : null
  }

  /** Decides on an open entry as it is, and again when it has changed meanwhile. `others` are the other open entries. `onSettled` answers for a settled one. */
  private async changeEntry<T>(
    seq: EntrySeq,
    decide: (entry: Entry, now: number, others: readonly Entry[]) => Promise<Decision<T>>,
    onSettled: (receipt: Receipt) => Promise<T> = () => {
      throw new SyncError('input.not-undoable', `Operation #${seq} is settled already.`)
    },
  ): Promise<T> {
    const { accountId, clock, store } = this.options
    for (;;) {
      this.options.assertOpen()
      const entries = (await store.planning.entries(accountId)).map(decodeEntry)
      const entry = entries.find((candidate) => candidate.seq === seq)
      if (entry === undefined) {
        const receipt = await store.planning.receipt(accountId, seq)
        if (receipt === null) throw new SyncError('input.unknown-operation', `There is no operation #${seq}.`)
        return onSettled(decodeReceipt(receipt))
      }
      const others = entries.filter((other) => other !== entry)
      const { answer, writes, decidedOn = [] } = await decide(entry, clock.now(), others)
      const isOver = writes.some((write) => write.kind === 'remove-entry' && write.seq === seq)
      const withdrawn = isOver ? await withdrawMailbox(this.options, entry, clock.now()) : null
      const written = [entry, ...decidedOn].map(({ seq: of, revision }) => ({ seq: of, revision }))
      const newest = entries.reduce((max, { seq: of }) => Math.max(max, of), 0)
      const expect = { entries: [...written, ...(withdrawn?.expect.entries ?? [])], newestEntry: { accountId, seq: newest } }
      const all = [...writes, ...(withdrawn?.writes ?? [])]
      const result = await store.commit({ reason: 'the user decided on an operation', expect, writes: all })
      if (result.kind === 'committed') return answer
    }
  }
}

interface Decision<T> {
  readonly answer: T
  readonly writes: readonly Write[]
  /** Other entries that are written, too. */
  readonly decidedOn?: readonly Entry[]
}

/** What an undo asks for. */
interface Compensable {
  readonly requests: readonly CompensatingRequest[]
  /** Of an upload: where its message is; undefined for other operations. */
  readonly made: MessageReference | undefined
}

/** What the user had moved out of the mailbox is in it again, and would go with it: whether it is still to go is for the user. */
function parkedDeletion(deletion: Entry): Entry {
  const queued = deletion.progress.filter(({ state }) => state === 'queued')
  const park = { kind: 'park' as const, parkedFor: 'needs-another' as const }
  return queued.reduce((rest, { targets }) => transition(rest, targets, park).entry, deletion)
}

/** What was queued of the entry is taken back, and of the rest there is nothing that could be: that is all the same what was asked. */
function takenBack(rest: Entry, error: unknown, now: number): UndoOutcome | Compensable {
  if (!(error instanceof NothingToUndo)) throw error
  return isSettled(rest) ? { kind: 'undone', receipt: receiptOf(rest, now) } : { requests: [], made: undefined }
}

/** The originals of moves that are given up stay: whoever knows them is not led to the copies any more. */
function stayingWrites({ entry: { accountId }, staying }: Extract<DiscardResult, { kind: 'discarded' }>): Write[] {
  return staying.map(({ box, uids }) => ({ kind: 'end-forward', accountId, from: { kind: 'stored', box }, numbers: uids }))
}

/** Whether the group is this message, under the name that it has. */
function names(group: Targets, made: MessageReference): boolean {
  if (group.kind === 'local') return made.kind === 'local' && group.locals.has(made.local)
  return made.kind === 'stored' && group.box === made.box && group.uids.has(made.uid)
}
