/** Small accounts, mailboxes, messages and effects for the contract of the message store. */

import {
  type AcceptContext,
  type AcceptedEntry,
  type AccountId,
  type AccountRecord,
  type BodyId,
  type BoxEpoch,
  boxEpoch,
  type Change,
  type Checkpoint,
  type EntryRecord,
  type Expectation,
  type Flag,
  type LocalId,
  type LocalMessage,
  type MailboxId,
  type MailboxRecord,
  type MessageReference,
  type MessageStore,
  mailboxId,
  modSeq,
  numbersOf,
  type ServerMessage,
  type Targets,
  type Uid,
  UidPairs,
  UidSet,
  type UidValidity,
  type ViewEffect,
  type Write,
} from '@tidemail/core'
import { sampleAccount, sampleEnvelope, sampleMailbox, sampleMessage } from '../../sample-records.ts'
import { assertEqual } from '../harness.ts'

export const ADA: AccountId = 'ada' as AccountId
export const BEN: AccountId = 'ben' as AccountId
export const INBOX: MailboxId = mailboxId(1)
export const ARCHIVE: MailboxId = mailboxId(2)
export const INBOX_BOX: BoxEpoch = boxEpoch(11)
export const ARCHIVE_BOX: BoxEpoch = boxEpoch(12)

export function account(id: AccountId = ADA): AccountRecord {
  return sampleAccount(id)
}

export function mailbox(id: MailboxId, box: BoxEpoch, changes: Partial<MailboxRecord> = {}): MailboxRecord {
  const opened = { uidValidity: 7 as UidValidity, permanentFlags: ['\\Seen'] }
  return sampleMailbox(id, { accountId: ADA, box, ...opened, ...changes })
}

export function checkpoint(known: string, covered: string): Checkpoint {
  const set = UidSet.parse(known)
  return { uidNext: (set.max ?? 0) + 1, highestModSeq: modSeq(9), known: set, covered: UidSet.parse(covered) }
}

/** Message `uid` came at second `uid`, unless told otherwise. */
export function message(uid: number, changes: Partial<ServerMessage> = {}): ServerMessage {
  return sampleMessage(uid, {
    modSeq: modSeq(5),
    internalDate: uid * 1000,
    sizeBytes: 100 + (uid % 1000),
    envelope: sampleEnvelope({
      subject: `Message ${uid} ✉ \ud800`,
      date: uid * 1000,
      from: [{ name: 'Ada', address: 'ada@mail.example' }],
      messageId: `<${uid}@mail.example>`,
    }),
    parts: [textPart('1')],
    ...changes,
  })
}

export function textPart(section: string, changes: Partial<ServerMessage['parts'][number]> = {}): ServerMessage['parts'][number] {
  return {
    section,
    type: 'text/plain',
    charset: 'utf-8',
    encoding: '7bit',
    sizeBytes: 10,
    disposition: null,
    fileName: null,
    contentId: null,
    ...changes,
  }
}

export function draft(local: number, bodyId: BodyId, changes: Partial<LocalMessage> = {}): LocalMessage {
  const { internalDate, sizeBytes, envelope, parts, emailId } = message(500 + local)
  return { internalDate, sizeBytes, envelope, parts, emailId, local: local as LocalId, bodyId, flags: ['\\Seen'], ...changes }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export async function bodyIdOf(text: string): Promise<BodyId> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(text).slice()))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') as BodyId
}

export function inInbox(uids: string): Extract<Targets, { kind: 'stored' }> {
  return { kind: 'stored', mailboxId: INBOX, box: INBOX_BOX, uids: UidSet.parse(uids) }
}

export function stored(mailbox: MailboxId, box: BoxEpoch, uid: number): MessageReference {
  return { kind: 'stored', mailboxId: mailbox, box, uid: uid as Uid }
}

export function local(id: number): MessageReference {
  return { kind: 'local', local: id as LocalId, accountId: ADA }
}

export function pairs(...ranges: readonly (readonly [from: number, to: number, length: number])[]): UidPairs {
  return new UidPairs(ranges.map(([from, to, length]) => ({ from, to, length })))
}

/** Moves the resolved stored targets of the first group to a mailbox, as locals. */
export function moveEffects({ targets, firstLocal }: AcceptContext, to: MailboxId): ViewEffect[] {
  const [on] = targets
  if (on === undefined) return []
  const ranges: [number, number, number][] = []
  let next: number = firstLocal
  for (const { first, last } of numbersOf(on).ranges) {
    ranges.push([first, next, last - first + 1])
    next += last - first + 1
  }
  const from = on.kind === 'stored' ? { kind: on.kind, mailboxId: on.mailboxId, box: on.box } : ({ kind: on.kind } as const)
  return [
    { kind: 'hide', on },
    { kind: 'place', mailboxId: to, from, pairs: pairs(...ranges) },
  ]
}

export function changeOf(writes: readonly Write[], expect: Expectation = {}): Change {
  return { reason: 'a test', expect, writes }
}

/** Commits, and holds the store to having done so. */
export async function put(store: MessageStore, ...writes: readonly Write[]): Promise<void> {
  const result = await store.commit(changeOf(writes))
  assertEqual(result.kind, 'committed', 'commit')
}

export async function accept(
  store: MessageStore,
  targets: readonly Targets[],
  build: (context: AcceptContext) => Pick<AcceptedEntry, 'effects'> & Partial<AcceptedEntry>,
  bodies: readonly { readonly bodyId: BodyId; readonly bytes: Uint8Array }[] = [],
): Promise<EntryRecord> {
  return store.accept({
    accountId: ADA,
    targets,
    bodies,
    build: (context) => ({ bytes: bytesOf(`entry ${context.seq}`), localsUsed: 0, ...build(context) }),
  })
}

/** An account with two mailboxes; INBOX holds messages 1 to 5. */
export async function fill(store: MessageStore): Promise<void> {
  await put(
    store,
    { kind: 'put-account', account: account() },
    { kind: 'put-mailbox', mailbox: mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:5', '1:5') }) },
    { kind: 'put-mailbox', mailbox: mailbox(ARCHIVE, ARCHIVE_BOX, { checkpoint: checkpoint('', '') }) },
    { kind: 'put-messages', mailboxId: INBOX, messages: [1, 2, 3, 4, 5].map((uid) => message(uid)) },
  )
}

/** A page in one line a message: `3 \Seen`, `local:1`. */
export async function pageText(store: MessageStore, id: MailboxId, limit = 100): Promise<string[]> {
  const { messages } = await store.view.page({ mailboxId: id, limit })
  return messages.map(({ reference, flags }) => [nameOf(reference), ...flags].join(' '))
}

export function nameOf(reference: MessageReference): string {
  return reference.kind === 'local' ? `local:${reference.local}` : String(reference.uid)
}

/** The flags that the server is known to have, by UID. */
export async function serverFlags(store: MessageStore, id: MailboxId = INBOX): Promise<Record<number, readonly Flag[]>> {
  const rows = await store.planning.flags(id, UidSet.ALL)
  return Object.fromEntries(rows.map(({ uid, flags }) => [uid, flags]))
}

export async function counts(store: MessageStore, id: MailboxId): Promise<string> {
  const view = (await store.view.mailboxes(ADA)).find((candidate) => candidate.id === id)
  return view === undefined
    ? 'gone'
    : `${view.total} of which ${view.unread} unread, ${view.toFetch} to fetch${view.leftOut === 0 ? '' : `, ${view.leftOut} left out`}`
}
