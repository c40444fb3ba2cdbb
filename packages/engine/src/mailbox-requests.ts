/** Checks what an app asks for of mailboxes as such, against what it sees, and turns it into requests. */

import {
  type AccountId,
  type FoldedMailbox,
  foldMailboxes,
  type MailboxId,
  type MailboxRecord,
  type MessageStore,
  type Namespaces,
  NO_NAMESPACES,
  personalPath,
  renamedPath,
  SyncError,
} from '@tidemail/core'
import { withNamespace } from '@tidemail/planner'
import type { OperationRequest } from '@tidemail/replay-log'
import { canonicalPath } from './canonical-path.ts'
import { mailboxNeverOpened } from './mailbox-never-opened.ts'

/** Characters of a path; servers allow less. */
const PATH_CHARACTERS_MAX = 1_000
/** Control characters, line ends, wildcards, halves of characters: RFC 9051 §5.1, RFC 5198 §2. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029%*]/u

export interface MailboxScene {
  readonly accountId: AccountId
  readonly store: MessageStore
}

export interface MailboxRequest {
  readonly request: OperationRequest
  /** Of a mailbox that is made: its record, until the server has it. */
  readonly mailbox?: MailboxRecord
}

/** @throws SyncError `input.bad-name`, `input.mailbox-exists` */
export async function createRequest(scene: MailboxScene, wanted: string): Promise<Required<MailboxRequest>> {
  const shown = await shownMailboxes(scene)
  const path = newPath(await ownPath(scene, wanted, shown), shown, delimiterOf(shown))
  const mailbox = await newMailbox(scene, path, delimiterOf(shown))
  return { request: { kind: 'create-mailbox', mailboxId: mailbox.id, path }, mailbox }
}

/** @throws SyncError `input.bad-name`, `input.mailbox-exists`, `input.unknown-mailbox` */
export async function renameRequest(scene: MailboxScene, id: MailboxId, wanted: string): Promise<MailboxRequest> {
  const shown = await shownMailboxes(scene)
  const mailbox = changeable(shown, id, 'renamed')
  const isOwn = (mailbox.namespace ?? 'personal') === 'personal'
  const path = newPath(isOwn ? await ownPath(scene, wanted, shown) : canonicalPath(wanted), shown, mailbox.delimiter)
  if (renamedPath(path, mailbox, '') !== null) throw badName('A mailbox cannot be moved into itself.')
  return { request: { kind: 'rename-mailbox', mailboxId: id, from: mailbox.path, path } }
}

/** @throws SyncError `input.bad-name`, `input.unknown-mailbox` */
export async function deleteRequest(scene: MailboxScene, id: MailboxId): Promise<MailboxRequest> {
  const { path } = changeable(await shownMailboxes(scene), id, 'deleted')
  return { request: { kind: 'delete-mailbox', mailboxId: id, path } }
}

/** @throws SyncError `input.unknown-mailbox` */
export async function subscribeRequest(
  scene: MailboxScene,
  id: MailboxId,
  { isSubscribed }: { readonly isSubscribed: boolean },
): Promise<MailboxRequest> {
  const { path } = found(await shownMailboxes(scene), id)
  return { request: { kind: 'subscribe-mailbox', mailboxId: id, path, isSubscribed } }
}

/** The mailboxes with what waits in the replay log done to them. */
export async function shownMailboxes({ accountId, store }: MailboxScene): Promise<readonly FoldedMailbox<MailboxRecord>[]> {
  // In this order: an operation that is settled in between is then missing from neither.
  const entries = await store.planning.entries(accountId)
  const mailboxes = await store.planning.mailboxes(accountId)
  return foldMailboxes(
    mailboxes,
    entries.flatMap(({ effects }) => effects),
  )
}

/** A record of a mailbox that the server does not have yet. */
export async function newMailbox(scene: MailboxScene, path: string, delimiter: string | null): Promise<MailboxRecord> {
  const { id, box } = await scene.store.planning.allocateMailbox()
  const shown = { role: null, isSelectable: true, isSubscribed: false, isOnServer: false }
  const mailbox = mailboxNeverOpened({ id, box, accountId: scene.accountId, path, delimiter, ...shown })
  return withNamespace(mailbox, await namespacesOf(scene))
}

/** Of the hierarchy of the account; null while no mailbox is known that has one. */
export function delimiterOf(mailboxes: readonly Pick<MailboxRecord, 'delimiter'>[]): string | null {
  return mailboxes.find(({ delimiter }) => delimiter !== null)?.delimiter ?? null
}

/** A bare name, where the user's own mailboxes have a prefix: the server makes it under the prefix only, and shows it there. */
async function ownPath(scene: MailboxScene, wanted: string, shown: readonly MailboxRecord[]): Promise<string> {
  const path = canonicalPath(wanted)
  return path === '' ? path : personalPath(path, (await namespacesOf(scene)) ?? NO_NAMESPACES, shown)
}

/** As the server told last; undefined before it did. */
async function namespacesOf({ accountId, store }: MailboxScene): Promise<Namespaces | undefined> {
  return (await store.planning.accounts()).find((record) => record.id === accountId)?.server?.namespaces
}

function newPath(path: string, shown: readonly MailboxRecord[], delimiter: string | null): string {
  if (path === '') throw badName('A mailbox must have a name.')
  if (path.length > PATH_CHARACTERS_MAX) throw badName(`The name of a mailbox has at most ${PATH_CHARACTERS_MAX} characters.`)
  if (FORBIDDEN.test(path)) throw badName('The name of a mailbox cannot hold control characters, * or %.')
  if (delimiter !== null && path.split(delimiter).includes('')) {
    throw badName(`The parts of a mailbox name, divided by "${delimiter}", cannot be empty.`)
  }
  if (shown.some((mailbox) => mailbox.path === path)) {
    throw new SyncError('input.mailbox-exists', `There is a mailbox "${path}" already.`)
  }
  return path
}

function changeable(shown: readonly FoldedMailbox<MailboxRecord>[], id: MailboxId, done: string): FoldedMailbox<MailboxRecord> {
  const mailbox = found(shown, id)
  if (mailbox.path === 'INBOX') throw badName(`INBOX cannot be ${done}.`)
  return mailbox
}

function found(shown: readonly FoldedMailbox<MailboxRecord>[], id: MailboxId): FoldedMailbox<MailboxRecord> {
  const mailbox = shown.find((candidate) => candidate.id === id)
  if (mailbox === undefined) throw new SyncError('input.unknown-mailbox', 'There is no such mailbox.')
  return mailbox
}

function badName(sentence: string): SyncError {
  return new SyncError('input.bad-name', sentence)
}
