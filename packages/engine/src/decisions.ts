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
import { entryWrites } from '@tidemail/planner'
import {
  type CompensatingRequest,
  type Compensation,
  compensationOf,
  decodeClaim,
  decodeEntry,
  decodeReceipt,
  discardEntry,
  type Entry,
  followLocals,
  type Receipt,
  type RetargetResult,
  retargetEntry,
  retryEntry,
  type UploadOperation,
  undoEntry,
  undoQueued,
} from '@tidemail/replay-log'
import type { UndoOutcome } from './api.ts'
import { sha256Hex } from './digest.ts'
import { delimiterOf } from './mailbox-requests.ts'
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
    const settled = await this.receipt(seq)
    if (settled !== null) return this.compensate(settled, possible(seq, await this.compensation(settled)))
    const mailboxes = await this.compensationTerms(seq)
    const decided = await this.changeEntry(seq, (entry, now): Decision<UndoOutcome | Compensable> => {
      const undone = undoEntry(entry, now)
      if (undone.kind === 'undone') return { answer: undone, writes: entryWrites([undoQueued(entry)], now) }
      const rest = undoQueued(entry)
      const answer = { operation: entry.operation, requests: possible(seq, compensationOf(rest, mailboxes)) }
      if (rest === entry) return { answer, writes: [] }
      return { answer, writes: entryWrites([rest], now) }
    })
    if (!('kind' in decided)) return this.compensate({ seq, operation: decided.operation }, decided.requests)
    this.options.onAccepted()
    return decided
  }

  /** Gives up what is queued or parked of the entry; what is being sent stays. Nothing is undone on the server, but the mark of a removal comes off. */
  async discard(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, (entry, now) => {
      const result = discardEntry(entry)
      if (result.kind === 'refused') throw new SyncError('input.not-undoable', `Operation #${seq} is being sent already.`)
      return { answer: null, writes: entryWrites([result.entry], now) }
    })
    this.options.onAccepted()
  }

  /** Queues again what is parked of the entry. */
  async retry(seq: EntrySeq): Promise<void> {
    await this.changeEntry(seq, (entry, now) => {
      const queued = retryEntry(entry)
      if (queued === null) throw new SyncError('input.unknown-operation', `Operation #${seq} does not wait for a decision.`)
      return { answer: null, writes: entryWrites([queued], now) }
    })
    this.options.onAccepted()
  }

  /** Sends what is queued or parked of the entry to another mailbox; what names its messages meanwhile follows. */
  async retarget(seq: EntrySeq, to: MailboxId): Promise<void> {
    const mailbox = (await this.options.store.planning.mailboxes(this.options.accountId)).find(({ id }) => id === to)
    if (mailbox?.isSelectable !== true) {
      throw new SyncError('input.unknown-mailbox', 'There is no such mailbox that can hold messages.')
    }
    await this.changeEntry(seq, (entry, now, others) => {
      const result = retargetEntry(entry, { id: to, path: mailbox.path })
      if (result.kind === 'refused') throw new SyncError('input.not-retargetable', REFUSED_RETARGET[result.reason](seq))
      const following = others.filter((other) => other.seq > seq).map((other) => followLocals(other, result.locals, to))
      const changed = following.filter((other) => !others.includes(other))
      return { answer: null, writes: entryWrites([result.entry, ...changed], now), decidedOn: changed }
    })
    this.options.onAccepted()
  }

  private async receipt(seq: EntrySeq): Promise<Receipt | null> {
    const { accountId, assertOpen, store } = this.options
    assertOpen()
    const record = await store.planning.receipt(accountId, seq)
    return record === null ? null : decodeReceipt(record)
  }

  private async compensation(subject: Receipt): Promise<Compensation> {
    return compensationOf(subject, await this.compensationTerms(subject.seq))
  }

  private async compensationTerms(seq: EntrySeq): Promise<Parameters<typeof compensationOf>[1]> {
    const { accountId, store } = this.options
    const mailboxes = await store.planning.mailboxes(accountId)
    const claims = (await store.planning.claims(accountId)).map(decodeClaim)
    const mine = claims.filter(({ members }) => members.some((member) => member.seq === seq))
    return {
      delimiter: delimiterOf(mailboxes),
      mailboxNamed: ({ path, uidValidity }) =>
        mailboxes.find((mailbox) => mailbox.path === path && mailbox.uidValidity === uidValidity) ?? null,
      unaltered: mine.flatMap(({ unaltered = [] }) => unaltered),
    }
  }

  /** What is gone, or where it is to be already, is passed over; and what another version of a draft has taken the place of. */
  private async compensate(
    { seq, operation }: Pick<Receipt, 'seq' | 'operation'>,
    requests: readonly CompensatingRequest[],
  ): Promise<UndoOutcome> {
    const made = operation.kind === 'append' || operation.kind === 'draft' ? await this.whatItMade(operation) : undefined
    const seqs: EntrySeq[] = []
    for (const compensating of requests) {
      const { request } = compensating
      const isMeant = (group: Targets): boolean =>
        made === undefined ? request.kind !== 'move' || group.mailboxId !== request.to : made !== null && names(group, made)
      try {
        seqs.push(await this.options.accept(compensating, (targets) => targets.filter(isMeant)))
      } catch (error) {
        if (!(error instanceof SyncError) || error.code !== 'input.unknown-message') throw error
      }
    }
    if (seqs.length === 0) throw notUndoable(seq, 'nothing')
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

  /** Decides on an open entry as it is, and again when it has changed meanwhile. `others` are the other open entries. */
  private async changeEntry<T>(
    seq: EntrySeq,
    decide: (entry: Entry, now: number, others: readonly Entry[]) => Decision<T>,
  ): Promise<T> {
    const { accountId, clock, store } = this.options
    for (;;) {
      this.options.assertOpen()
      const records = await store.planning.entries(accountId)
      const entry = records.map(decodeEntry).find((candidate) => candidate.seq === seq)
      if (entry === undefined) {
        const receipt = await store.planning.receipt(accountId, seq)
        if (receipt === null) throw new SyncError('input.unknown-operation', `There is no operation #${seq}.`)
        throw new SyncError('input.not-undoable', `Operation #${seq} is settled already.`)
      }
      const others = records.filter((record) => record.seq !== seq).map(decodeEntry)
      const { answer, writes, decidedOn = [] } = decide(entry, clock.now(), others)
      if (writes.length === 0) return answer
      const isOver = writes.some(({ kind }) => kind === 'remove-entry')
      const withdrawn = isOver ? await withdrawMailbox(this.options, entry, clock.now()) : null
      const written = [entry, ...decidedOn].map(({ seq: of, revision }) => ({ seq: of, revision }))
      const expect = { entries: [...written, ...(withdrawn?.expect.entries ?? [])] }
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
interface Compensable extends Pick<Receipt, 'operation'> {
  readonly requests: readonly CompensatingRequest[]
}

/** Whether the group is this message, under the name that it has. */
function names(group: Targets, made: MessageReference): boolean {
  if (group.kind === 'local') return made.kind === 'local' && group.locals.has(made.local)
  return made.kind === 'stored' && group.box === made.box && group.uids.has(made.uid)
}

/** @throws SyncError `input.not-undoable` */
function possible(seq: EntrySeq, compensation: Compensation): readonly CompensatingRequest[] {
  if (compensation.kind === 'refused') throw notUndoable(seq, compensation.reason)
  return compensation.requests
}

function notUndoable(seq: EntrySeq, reason: Extract<Compensation, { kind: 'refused' }>['reason']): SyncError {
  return new SyncError('input.not-undoable', REFUSED_UNDO[reason](seq))
}

const REFUSED_UNDO: Readonly<Record<Extract<Compensation, { kind: 'refused' }>['reason'], (seq: EntrySeq) => string>> = {
  parked: (seq) => `Operation #${seq} is parked and waits for a decision: retry or discard it.`,
  final: (seq) => `What operation #${seq} does cannot be undone once it is being sent.`,
  replaced: (seq) => `The version before is gone: without operation #${seq} nothing would be left of the draft.`,
  nothing: (seq) => `Nothing of operation #${seq} is there that could be put back.`,
}

const REFUSED_RETARGET: Readonly<Record<Extract<RetargetResult, { kind: 'refused' }>['reason'], (seq: EntrySeq) => string>> = {
  'no-destination': (seq) => `Operation #${seq} puts no message into a mailbox.`,
  sent: (seq) => `Operation #${seq} is being sent, or may have been sent already.`,
  'dead-targets': (seq) => `The messages of operation #${seq} are no more: their mailbox was made anew.`,
  same: (seq) => `The messages of operation #${seq} are in that mailbox already.`,
}
