/** Accepts what the user does: one transaction for the entry and its effect on the view, online or not (I-LOG-1). */

import {
  type Acceptance,
  type AccountId,
  type Clock,
  type EntrySeq,
  type MailboxId,
  type MailboxRecord,
  type MessageReference,
  type MessageStore,
  type Submitter,
  SyncError,
  type Targets,
} from '@tidemail/core'
import { type AcceptedOperation, acceptOperation, isUpload, type OperationRequest, type Receipt } from '@tidemail/replay-log'
import type {
  FlagChange,
  NewDraft,
  NewMailboxHandle,
  NewMessage,
  NewMessageHandle,
  NewSubmission,
  OperationHandle,
  Selection,
} from './api.ts'
import { Decisions } from './decisions.ts'
import { flagRequest, withCondition } from './flag-request.ts'
import {
  createRequest,
  deleteRequest,
  type MailboxRequest,
  renameRequest,
  shownMailboxes,
  subscribeRequest,
} from './mailbox-requests.ts'
import { newLocalMessage } from './new-local-message.ts'
import { deletion, mailboxFor, type PreparedMessage, preparedDraft, preparedSubmission } from './new-messages.ts'
import { asShown, targetsOf } from './targets-of.ts'

export interface OperationsOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly clock: Clock
  /** Rejects with `engine.closed` once the engine is closed. */
  readonly assertOpen: () => void
  /** Called after each acceptance: there is something to send. */
  readonly onAccepted: () => void
  /** Resolves with the receipt of an entry once there is one. */
  readonly settled: (seq: EntrySeq) => Promise<Receipt>
  readonly submitter: Submitter | null
}

/** What is checked, and only has to be written. */
interface Prepared {
  readonly request: OperationRequest
  readonly targets: readonly Targets[]
  readonly bodies: Acceptance['bodies']
  readonly mailbox?: MailboxRecord
  /** Takes out, of the targets as they are named now, those that need nothing; all stay, when left out. */
  readonly keep?: (targets: readonly Targets[]) => readonly Targets[]
}

/** The operations of an engine, each with a handle at once. */
export class Operations {
  private readonly options: OperationsOptions
  /** Ends when the operations called so far have been handed to the store: they are accepted in the order of the calls. */
  private turn: Promise<unknown> = Promise.resolve()

  /** What the user decides on operations that were accepted. */
  readonly decisions: Decisions

  constructor(options: OperationsOptions) {
    this.options = options
    this.decisions = new Decisions({
      ...options,
      accept: async ({ request, targets }, keep) =>
        (await this.accept({ request, targets, bodies: [], keep }, await this.paths())).seq,
    })
  }

  flag(selection: Selection, change: FlagChange): OperationHandle {
    return this.handle(async () => {
      const asked = flagRequest(change)
      const groups = await this.groupsOf(await asShown(selection, change, this.options.store.view))
      const requests = groups.map((targets) => withCondition(asked, change, targets, this.options))
      return (await Promise.all(requests)).map((request, i) => ({ request, targets: groups.slice(i, i + 1), bodies: [] }))
    })
  }

  move(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.requestsFor(selection, { kind: 'move', to })
    })
  }

  copy(selection: Selection, to: MailboxId): OperationHandle {
    return this.handle(async () => {
      await this.assertMailbox(to)
      return this.requestsFor(selection, { kind: 'copy', to })
    })
  }

  expunge(selection: Selection): OperationHandle {
    return this.handle(() => this.requestsFor(selection, { kind: 'expunge' }))
  }

  /** To Trash; what is there already goes for good. */
  delete(selection: Selection, { to }: { readonly to?: MailboxId }): OperationHandle {
    return this.handle(async () => {
      const trash = mailboxFor('trash', to, await shownMailboxes(this.options))
      const groups = await this.groupsOf(selection)
      // Deleted twice on an old page, a message is in Trash by now: it must not go for good.
      const keep = (shown: readonly Targets[]): readonly Targets[] => shown.filter(({ mailboxId }) => mailboxId !== trash)
      return groups.map((targets) => {
        const request = deletion(targets, trash)
        return { request, targets: [targets], bodies: [], ...(request.kind === 'move' ? { keep } : {}) }
      })
    })
  }

  append(message: NewMessage): NewMessageHandle {
    return this.upload(async () => {
      await this.assertMailbox(message.to)
      const { bytes, digest, message: local } = await newLocalMessage(message, this.options.clock.now())
      return { prepared: { request: { kind: 'append', to: message.to, message: local, digest }, bytes }, targets: [] }
    })
  }

  saveDraft(draft: NewDraft): NewMessageHandle {
    return this.upload(async () => {
      const to = mailboxFor('drafts', draft.to, await shownMailboxes(this.options))
      const prepared = await preparedDraft(draft, to, this.options.clock)
      return { prepared, targets: draft.replaces === undefined ? [] : await this.versionBefore(draft.replaces) }
    })
  }

  submit(message: NewSubmission): OperationHandle {
    return this.handle(async () => {
      if (this.options.submitter === null) {
        throw new SyncError('account.no-submitter', 'The engine was given nothing to send messages with.', { scope: 'operation' })
      }
      const { saveTo } = message
      const to = saveTo === null ? null : mailboxFor('sent', saveTo, await shownMailboxes(this.options))
      return [written(await preparedSubmission(message, to, this.options.clock), [])]
    })
  }

  /** Makes a mailbox, which is there at once: messages can be moved into it before the server has it. */
  createMailbox(path: string): NewMailboxHandle {
    const requested: MailboxId[] = []
    const handle = this.onMailbox(async () => {
      const request = await createRequest(this.options, path)
      requested.push(request.mailbox.id)
      return request
    })
    const mailbox = handle.accepted.then(() => requested[0] as MailboxId)
    mailbox.catch(() => {})
    return Object.assign(handle, { mailbox })
  }

  renameMailbox(id: MailboxId, path: string): OperationHandle {
    return this.onMailbox(() => renameRequest(this.options, id, path))
  }

  deleteMailbox(id: MailboxId): OperationHandle {
    return this.onMailbox(() => deleteRequest(this.options, id))
  }

  subscribe(id: MailboxId, change: { readonly isSubscribed: boolean }): OperationHandle {
    return this.onMailbox(() => subscribeRequest(this.options, id, change))
  }

  private onMailbox(prepare: () => Promise<MailboxRequest>): OperationHandle {
    return this.handle(async () => [{ ...(await prepare()), targets: [], bodies: [] }])
  }

  /** What brings a message of its own, with the reference that the message has from now on. */
  private upload(
    prepare: () => Promise<{ readonly prepared: PreparedMessage; readonly targets: readonly Targets[] }>,
  ): NewMessageHandle {
    const { handle, entries } = this.accepting(async () => {
      const { prepared, targets } = await prepare()
      return [written(prepared, targets)]
    })
    const message = entries.then((made): MessageReference => {
      const operation = made[0]?.operation
      if (operation === undefined || !isUpload(operation)) throw new SyncError('engine.bug', 'No message was made.')
      return { kind: 'local', local: operation.message.local, accountId: this.options.accountId }
    })
    message.catch(() => {})
    return Object.assign(handle, { message })
  }

  private handle(prepare: () => Promise<readonly Prepared[]>): OperationHandle {
    return this.accepting(prepare).handle
  }

  private accepting(prepare: () => Promise<readonly Prepared[]>): {
    readonly handle: OperationHandle
    readonly entries: Promise<readonly AcceptedOperation['entry'][]>
  } {
    // One after another up to the store's own transaction, which keeps the order; the writing itself may overlap.
    const handedOver = this.turn.then(async () => {
      this.options.assertOpen()
      const prepared = await prepare()
      const paths = await this.paths()
      return { prepared, accepting: prepared.map((one) => this.accept(one, paths)) }
    })
    // The bytes of a message are written before its transaction begins, so that what comes next must wait for that.
    // And what is asked of a mailbox is checked against what the app sees of the mailboxes by then.
    const isAwaited = ({ bodies, request }: Prepared): boolean => bodies.length > 0 || 'mailboxId' in request
    this.turn = handedOver.then(
      ({ prepared, accepting }) => (prepared.some(isAwaited) ? Promise.allSettled(accepting) : undefined),
      () => {},
    )
    const entries = handedOver.then(async ({ accepting }) => {
      const made = await Promise.all(accepting)
      this.options.onAccepted()
      return made
    })
    const accepted = entries.then((made) => made.map(({ seq }) => seq))
    entries.catch(() => {})
    accepted.catch(() => {})
    const wait = this.options.settled
    let settled: Promise<readonly Receipt[]> | null = null
    const handle: OperationHandle = {
      accepted,
      get settled() {
        settled ??= accepted.then((seqs) => Promise.all(seqs.map(wait)))
        return settled
      },
      undo: async () => this.decisions.undoAll(await accepted),
    }
    return { handle, entries }
  }

  private async paths(): Promise<ReadonlyMap<MailboxId, string>> {
    const mailboxes = await this.options.store.planning.mailboxes(this.options.accountId)
    return new Map(mailboxes.map(({ id, path }) => [id, path]))
  }

  /** One request for each mailbox that the selection touches. */
  private async requestsFor(selection: Selection, request: OperationRequest): Promise<readonly Prepared[]> {
    const groups = await this.groupsOf(selection)
    return groups.map((targets) => ({ request, targets: [targets], bodies: [] }))
  }

  private groupsOf(selection: Selection): Promise<Targets[]> {
    return targetsOf(selection, (reference) => this.options.store.view.message(reference))
  }

  /** A version that is gone is nothing to replace, and no reason to refuse what the user wrote. */
  private async versionBefore(reference: MessageReference): Promise<readonly Targets[]> {
    const isThere = reference.kind === 'stored' || (await this.options.store.view.message(reference)) !== null
    return isThere ? this.groupsOf(reference) : []
  }

  private async accept(
    { request, targets, bodies, mailbox, keep = (all) => all }: Prepared,
    paths: ReadonlyMap<MailboxId, string>,
  ): Promise<AcceptedOperation['entry']> {
    const { accountId, clock, store } = this.options
    const terms = { accountId, now: clock.now(), pathOf: (id: MailboxId) => paths.get(id) }
    const made: AcceptedOperation[] = []
    await store.accept({
      accountId,
      targets,
      bodies,
      ...(mailbox === undefined ? {} : { mailbox }),
      build: (context) => {
        const asked = targets[0] === undefined ? {} : { asked: targets[0] }
        const accepted = acceptOperation(request, { ...context, targets: keep(context.targets) }, { ...terms, ...asked })
        made.push(accepted)
        return accepted
      },
    })
    return (made[0] as AcceptedOperation).entry
  }

  private async assertMailbox(id: MailboxId): Promise<void> {
    const mailboxes = await shownMailboxes(this.options)
    if (!mailboxes.some((mailbox) => mailbox.id === id && mailbox.isSelectable)) {
      throw new SyncError('input.unknown-mailbox', 'There is no such mailbox that can hold messages.')
    }
  }
}

/** With its bytes, which are kept until the message is on the server. */
function written({ request, bytes }: PreparedMessage, targets: readonly Targets[]): Prepared {
  return { request, targets, bodies: 'message' in request ? [{ bodyId: request.message.bodyId, bytes }] : [] }
}
