/** Turns the messages a person names into a selection of the engine, as the view shows them now. */

import {
  type AccountId,
  foldView,
  localId,
  type MailboxView,
  type MessageReference,
  type MessageStore,
  type StoredTargets,
  SyncError,
  UidSet,
  uid,
} from '@tidemail/core'
import type { Selection } from '@tidemail/engine'
import { type MessageSet, parseMessageSet, uidsAmong, unknownMessages } from './message-set.ts'

export interface MailboxOfAccount {
  readonly store: MessageStore
  readonly accountId: AccountId
  readonly mailbox: MailboxView
}

/** @throws SyncError `input.bad-uid-set`, `input.unknown-message` */
export async function selectMessages(place: MailboxOfAccount, text: string): Promise<Selection> {
  const set = parseMessageSet(text)
  const locals = await localReferences(place, set.locals)
  if (set.uids.length === 0) return locals
  const targets = await shownTargets(place, set)
  if (locals.length === 0) return targets
  const { mailboxId, box, uids } = targets
  return [...locals, ...Array.from(uids.values(), (n): MessageReference => ({ kind: 'stored', mailboxId, box, uid: uid(n) }))]
}

/** The one message a person names. @throws SyncError `input.bad-uid-set`, `input.unknown-message` */
export async function selectMessage(place: MailboxOfAccount, text: string): Promise<MessageReference> {
  const set = parseMessageSet(text)
  const [local] = await localReferences(place, set.locals)
  const count = set.locals.length + set.uids.reduce((sum, piece) => sum + piece.size, 0)
  if (count !== 1)
    throw new SyncError('input.bad-uid-set', `"${text.slice(0, 60)}" names not one message.`, {
      hint: 'Name one UID, or one local such as local:3.',
    })
  if (local !== undefined) return local
  const { mailboxId, box, uids } = await shownTargets(place, set)
  return { kind: 'stored', mailboxId, box, uid: uid(uids.min ?? 0) }
}

async function shownTargets({ store, accountId, mailbox }: MailboxOfAccount, set: MessageSet): Promise<StoredTargets> {
  const record = (await store.planning.mailboxes(accountId)).find(({ id }) => id === mailbox.id)
  if (record === undefined) throw new SyncError('input.unknown-mailbox', `The mailbox ${mailbox.path} is gone.`)
  const effects = (await store.planning.entries(accountId)).flatMap((entry) => entry.effects)
  const { hidden } = foldView({ mailboxId: record.id, box: record.box }, effects)
  const shown = (record.checkpoint?.covered ?? UidSet.EMPTY).difference(hidden)
  return { kind: 'stored', mailboxId: record.id, box: record.box, uids: uidsAmong(set, shown, mailbox.path) }
}

async function localReferences(
  { store, accountId, mailbox }: MailboxOfAccount,
  locals: readonly number[],
): Promise<MessageReference[]> {
  const references: MessageReference[] = []
  const unknown: string[] = []
  for (const number of new Set(locals)) {
    const reference: MessageReference = { kind: 'local', local: localId(number), accountId }
    const message = await store.view.message(reference)
    if (message?.mailboxId === mailbox.id) references.push(message.reference)
    else unknown.push(`local:${number}`)
  }
  if (unknown.length > 0) throw unknownMessages(unknown, mailbox.path)
  return references
}
