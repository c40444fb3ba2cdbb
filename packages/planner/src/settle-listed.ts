/** Settles operations on mailboxes that LIST shows to be done: by us, with the answer lost, or by somebody else. */

import type { CreateStep, MailboxStep, RenameStep } from '@tidemail/core'
import type { Ledger } from './ledger.ts'
import { foldedRenames, nameHolder, type OpenOperation, openOperations } from './mailbox-order.ts'
import { changeMailboxes } from './settle-mailbox-operations.ts'

/** What the look at the account told: names that are there, and names of which the server, asked for them, said that they are not. */
export interface NamesSeen {
  readonly listed: ReadonlySet<string>
  /** Of the listed ones, those that are more than a part of other names. */
  readonly selectable: ReadonlySet<string>
  readonly gone: ReadonlySet<string>
}

/** Where a claim is out nothing is settled: what was lost may still take effect, and is queued again before it is decided (H-7). */
export function settleListed(seen: NamesSeen, ledger: Ledger): void {
  for (const { entry } of pending(ledger)) {
    // Each settling changes the mailboxes that the next is decided on.
    const one = pending(ledger).find((candidate) => candidate.entry.seq === entry.seq)
    if (one === undefined) continue
    if (one.operation.kind === 'create-mailbox') settleCreate(one, seen, ledger)
    else if (one.operation.kind === 'rename-mailbox') settleRename(one, seen, ledger)
    else if (one.operation.kind === 'delete-mailbox') settleDelete(one, seen, ledger)
  }
}

function settleCreate(one: OpenOperation, { selectable }: NamesSeen, ledger: Ledger): void {
  const { mailboxId } = one.operation
  const mailbox = ledger.server.mailbox(mailboxId)
  if (mailbox === undefined || mailbox.isOnServer) return
  const isFree = (path: string): boolean => nameHolder(path, mailboxId, ledger.server.all) === null
  const open = pending(ledger)
  const renames = foldedRenames(one, open, open, ledger.server.all)
  // It was sent under the last name that it had by then: renames that were accepted since are still to be done.
  for (let count = renames.length; count >= 0; count -= 1) {
    const folded = renames.slice(0, count)
    const path = folded.at(-1)?.operation.path ?? mailbox.path
    if (!selectable.has(path) || !isFree(path)) continue
    for (const { entry, group } of folded) {
      ledger.advance(entry.seq, group.targets, { kind: 'superseded', evidence: { kind: 'listed' } })
    }
    const step: CreateStep = { kind: 'create', id: '', path, notAfter: 0, reason: 'it is listed' }
    settle(one, step, ledger, folded.at(-1))
    return
  }
}

/** The name is there and the former is not: whoever did that, it is as was asked. */
function settleRename(one: OpenOperation, { listed, gone }: NamesSeen, ledger: Ledger): void {
  const { mailboxId, path: to } = one.operation
  const mailbox = ledger.server.mailbox(mailboxId)
  if (mailbox?.isOnServer !== true || !listed.has(to) || listed.has(mailbox.path) || !gone.has(mailbox.path)) return
  if (nameHolder(to, mailboxId, ledger.server.all) !== null) return
  const step: RenameStep = { kind: 'rename', id: '', path: mailbox.path, to, notAfter: 0, reason: 'it is listed so' }
  settle(one, step, ledger)
}

function settleDelete(one: OpenOperation, { listed, gone }: NamesSeen, ledger: Ledger): void {
  const mailbox = ledger.server.mailbox(one.operation.mailboxId)
  if (mailbox?.isOnServer !== true || listed.has(mailbox.path) || !gone.has(mailbox.path)) return
  settle(one, { kind: 'delete', id: '', path: mailbox.path, notAfter: 0, reason: 'it is gone' }, ledger)
}

/** `last` is what is folded into it. */
function settle(one: OpenOperation, step: MailboxStep, ledger: Ledger, last: OpenOperation = one): void {
  const { entry, group, operation } = one
  ledger.advance(entry.seq, group.targets, { kind: 'probe-certain', evidence: { kind: 'listed' } })
  changeMailboxes(step, { seq: last.entry.seq, mailboxId: operation.mailboxId }, ledger)
}

function pending(ledger: Ledger): OpenOperation[] {
  const state = { entries: ledger.open, mailboxes: ledger.server.all }
  return openOperations(state).filter(({ group }) => group.state === 'queued' || group.state === 'parked')
}
