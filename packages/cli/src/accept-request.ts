/** Carries out an operation request on the open store: finds what it names, lets the engine accept it, says it in words. */

import { entrySeq, type MailboxId, type MailboxView } from '@tidemail/core'
import type { MailEngine, OperationHandle } from '@tidemail/engine'
import { describeOperation } from '@tidemail/replay-log'
import { findMailbox } from './find-mailbox.ts'
import type { OpenAccount } from './open-account.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'
import { selectMessages } from './select-messages.ts'
import { visibleLine } from './visible-text.ts'

/** @throws SyncError `input.*`, `store.*` */
export async function acceptRequest(account: OpenAccount, request: OperationRequest): Promise<readonly AcceptedOperation[]> {
  const { engine } = account
  const mailboxes = await engine.mailboxes()
  if ('seq' in request) return [{ seq: request.seq, description: await decide(engine, request, pathsOf(mailboxes)) }]
  const handle = await begin(account, request, mailboxes)
  // Whether it settles is for a later sync; nobody here waits for it.
  handle.settled.catch(() => undefined)
  const accepted = new Set(await handle.accepted)
  return (await describedOperations(engine, mailboxes)).filter(({ seq }) => accepted.has(entrySeq(seq)))
}

/** How mailboxes are named in the description of an operation. */
export function pathsOf(mailboxes: readonly MailboxView[]): (id: MailboxId) => string {
  const paths = new Map(mailboxes.map(({ id, path }) => [id, visibleLine(path)]))
  return (id) => paths.get(id) ?? `a mailbox that is gone (${id})`
}

type Decision = Extract<OperationRequest, { readonly seq: number }>

/** What the user decided on an operation, in words. */
async function decide(engine: MailEngine, { verb, seq: number }: Decision, pathOf: (id: MailboxId) => string): Promise<string> {
  const seq = entrySeq(number)
  if (verb === 'undo') return `undone: ${describeOperation((await engine.undo(seq)).operation, pathOf)}`
  const entry = (await engine.entries()).find((candidate) => candidate.seq === seq)
  if (verb === 'retry') await engine.retry(seq)
  else await engine.discard(seq)
  const description = entry === undefined ? '' : `: ${describeOperation(entry.operation, pathOf)}`
  return `${verb === 'retry' ? 'queued again' : 'discarded'}${description}`
}

async function begin(
  { engine, store, accountId }: OpenAccount,
  request: Exclude<OperationRequest, Decision>,
  mailboxes: readonly MailboxView[],
): Promise<OperationHandle> {
  const mailbox = findMailbox(mailboxes, request.mailbox)
  if (request.verb === 'append') {
    const { bytes, flags, internalDate } = request
    return engine.append({ to: mailbox.id, bytes, flags, ...(internalDate === null ? {} : { internalDate }) })
  }
  const place = { store, accountId, mailbox }
  switch (request.verb) {
    case 'flag':
      return engine.flag(await selectMessages(place, request.messages), { add: request.add, remove: request.remove })
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
  }
}

/** What waits and what was settled since, so that an operation is found even when a running sync has already sent it. */
async function describedOperations(engine: MailEngine, mailboxes: readonly MailboxView[]): Promise<AcceptedOperation[]> {
  const pathOf = pathsOf(mailboxes)
  const [entries, receipts] = [await engine.entries(), await engine.receipts({ limit: 100 })]
  const bySeq = new Map([...receipts, ...entries].map(({ seq, operation }) => [seq, describeOperation(operation, pathOf)]))
  return [...bySeq].sort(([a], [b]) => a - b).map(([seq, description]) => ({ seq, description }))
}
