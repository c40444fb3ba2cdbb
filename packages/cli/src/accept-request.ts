/** Carries out an operation request on the open store: finds what it names, lets the engine accept it, says it in words. */

import { entrySeq, type MailboxView, SyncError } from '@tidemail/core'
import type { Entry, MailEngine, OperationHandle } from '@tidemail/engine'
import { describeOperation } from '@tidemail/replay-log'
import { changeMailbox } from './change-mailbox.ts'
import { findMailbox, seekMailbox } from './find-mailbox.ts'
import type { OpenAccount } from './open-account.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'
import { selectMessage, selectMessages } from './select-messages.ts'
import { visibleLine } from './visible-text.ts'

/** @throws SyncError `input.*`, `store.*` */
export async function acceptRequest(account: OpenAccount, request: OperationRequest): Promise<readonly AcceptedOperation[]> {
  const { engine } = account
  const mailboxes = await engine.mailboxes()
  if ('seq' in request) return [{ seq: request.seq, description: await decide(engine, request, mailboxes) }]
  const handle = await begin(account, request, mailboxes)
  // Whether it settles is for a later sync; nobody here waits for it.
  handle.settled.catch(() => undefined)
  const accepted = new Set(await handle.accepted)
  return (await describedOperations(engine, mailboxes)).filter(({ seq }) => accepted.has(entrySeq(seq)))
}

/** Says an operation in words, for a terminal; a mailbox that is gone is called as it was. */
export type Describe = (operation: Entry['operation']) => string

export function describer(mailboxes: readonly MailboxView[]): Describe {
  const paths = new Map(mailboxes.map(({ id, path }) => [id, path]))
  return (operation) => visibleLine(describeOperation(operation, (id) => paths.get(id)))
}

type Decision = Extract<OperationRequest, { readonly seq: number }>

/** What the user decided on an operation, in words. */
async function decide(engine: MailEngine, decision: Decision, mailboxes: readonly MailboxView[]): Promise<string> {
  const { verb } = decision
  const seq = entrySeq(decision.seq)
  const describe = describer(mailboxes)
  const entry = (await engine.entries()).find((candidate) => candidate.seq === seq)
  if (verb === 'undo') {
    if (entry?.progress.some(({ state }) => state === 'parked') === true) throw parked(seq)
    const outcome = await engine.undo(seq)
    if (outcome.kind === 'undone') return `undone: ${describe(outcome.receipt.operation)}`
    const known = new Map((await describedOperations(engine, mailboxes)).map((one) => [one.seq, one.description]))
    return `taken back by ${outcome.seqs.map((other) => `#${other} ${known.get(other) ?? ''}`.trimEnd()).join(', ')}`
  }
  if (decision.verb === 'retarget') await engine.retarget(seq, findMailbox(mailboxes, decision.mailbox).id)
  else if (decision.verb === 'retry') await engine.retry(seq)
  else await engine.discard(seq)
  const after = verb === 'retarget' ? (await engine.entries()).find((candidate) => candidate.seq === seq) : entry
  const description = after === undefined ? '' : `: ${describe(after.operation)}`
  return `${DECIDED[verb]}${description}`
}

const DECIDED = { retry: 'queued again', discard: 'discarded', retarget: 'queued again' } as const

function parked(seq: number): SyncError {
  return new SyncError('input.not-undoable', `Operation #${seq} is parked: it waits for a decision and cannot be undone.`, {
    hint: `Run \`tidemail ops retry ${seq}\` to send it again, or \`tidemail ops discard ${seq}\` to give it up.`,
  })
}

async function begin(
  { engine, store, accountId }: OpenAccount,
  request: Exclude<OperationRequest, Decision>,
  mailboxes: readonly MailboxView[],
): Promise<OperationHandle> {
  if (request.verb === 'draft') return saveDraft({ engine, store, accountId }, request, mailboxes)
  if (request.verb === 'mailbox') return changeMailbox(engine, request, mailboxes)
  const mailbox = findMailbox(mailboxes, request.mailbox)
  if (request.verb === 'append') {
    const { bytes, flags, internalDate } = request
    return engine.append({ to: mailbox.id, bytes, flags, ...(internalDate === null ? {} : { internalDate }) })
  }
  const place = { store, accountId, mailbox }
  switch (request.verb) {
    case 'flag':
      return engine.flag(await selectMessages(place, request.messages), request)
    case 'move': {
      const target = findMailbox(mailboxes, request.target)
      return engine.move(await selectMessages(place, request.messages), target.id)
    }
    case 'copy': {
      const target = findMailbox(mailboxes, request.target)
      return engine.copy(await selectMessages(place, request.messages), target.id)
    }
    case 'expunge':
      return engine.expunge(await selectMessages(place, request.messages))
    case 'delete': {
      const trash = request.trash === null ? {} : { to: findMailbox(mailboxes, request.trash).id }
      return engine.delete(await selectMessages(place, request.messages), trash)
    }
  }
}

async function saveDraft(
  { engine, store, accountId }: Pick<OpenAccount, 'engine' | 'store' | 'accountId'>,
  { mailbox: name, replaces, bytes }: Extract<OperationRequest, { readonly verb: 'draft' }>,
  mailboxes: readonly MailboxView[],
): Promise<OperationHandle> {
  const mailbox = name === null ? seekMailbox(mailboxes, '\\Drafts') : findMailbox(mailboxes, name)
  const to = mailbox === undefined ? {} : { to: mailbox.id }
  if (replaces === null || mailbox === undefined) return engine.saveDraft({ bytes, ...to })
  return engine.saveDraft({ bytes, ...to, replaces: await selectMessage({ store, accountId, mailbox }, replaces) })
}

/** What waits and what was settled since, so that an operation is found even when a running sync has already sent it. */
async function describedOperations(engine: MailEngine, mailboxes: readonly MailboxView[]): Promise<AcceptedOperation[]> {
  const describe = describer(mailboxes)
  const [entries, receipts] = [await engine.entries(), await engine.receipts({ limit: 100 })]
  const bySeq = new Map([...receipts, ...entries].map(({ seq, operation }) => [seq, describe(operation)]))
  return [...bySeq].sort(([a], [b]) => a - b).map(([seq, description]) => ({ seq, description }))
}
