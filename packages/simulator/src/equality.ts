/** The forms in which a store and a server are compared: by UID (docs/spec/equality.md), and by content alone. */

import { type AccountId, type MailboxView, type MessageStore, type MessageView, normaliseFlags } from '@tidemail/core'
import type { ModelAccount } from '@tidemail/testing/simulated'

const ALL = 100_000

/** Per mailbox, per UID: `date size flags`. Two sides are equal when these are. */
export type NormalForm = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Per mailbox, in order: `message-id flags`. What a user can tell apart. */
export type ContentForm = Readonly<Record<string, readonly string[]>>

export function serverForm(account: ModelAccount): NormalForm {
  return Object.fromEntries(
    account.mailboxes.map((mailbox) => [
      mailbox.path,
      Object.fromEntries(
        mailbox.messages.map((message) => [String(message.uid), form(message.internalDate, message.bytes.length, message.flags)]),
      ),
    ]),
  )
}

/** What the app sees, without what is still pending. */
export async function storeForm(store: MessageStore, accountId: AccountId): Promise<NormalForm> {
  const out: Record<string, Record<string, string>> = {}
  for (const { path, messages } of await shown(store, accountId)) {
    out[path] = Object.fromEntries(
      messages.map(({ reference, flags, internalDate, sizeBytes }) => [
        reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`,
        form(internalDate, sizeBytes, flags),
      ]),
    )
  }
  return out
}

export function serverContent(account: ModelAccount): ContentForm {
  return Object.fromEntries(
    account.mailboxes.map(({ path, messages }) => [
      path,
      messages.map(({ bytes, flags }) => content(messageIdIn(bytes), flags)).sort(),
    ]),
  )
}

export async function viewContent(store: MessageStore, accountId: AccountId): Promise<ContentForm> {
  const mailboxes = await shown(store, accountId)
  return Object.fromEntries(
    mailboxes.map(({ path, messages }) => [
      path,
      messages.map(({ envelope, flags }) => content(envelope.messageId ?? '', flags)).sort(),
    ]),
  )
}

const ids = new WeakMap<Uint8Array, string>()

/** The Message-ID of a message; bytes never change, so each is looked at once. */
export function messageIdIn(bytes: Uint8Array): string {
  const known = ids.get(bytes)
  if (known !== undefined) return known
  const found = /^Message-ID: (.*)\r$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? ''
  ids.set(bytes, found)
  return found
}

/** Without the mailboxes that hold none. */
export function messagesIn(form: ContentForm): ContentForm {
  return Object.fromEntries(Object.entries(form).filter(([, lines]) => lines.length > 0))
}

/** The mailboxes alone. */
export function mailboxesIn(form: ContentForm): ContentForm {
  return Object.fromEntries(Object.keys(form).map((path) => [path, []]))
}

/** Without the marks of removals. */
export function withoutMarks(form: ContentForm): ContentForm {
  return Object.fromEntries(
    Object.entries(form).map(([path, lines]) => [path, lines.map((line) => line.replace(' \\deleted', '')).sort()]),
  )
}

/** Messages alone. */
export function withoutFlags(form: ContentForm): ContentForm {
  return Object.fromEntries(Object.entries(form).map(([path, lines]) => [path, lines.map((line) => line.split(' ')[0] ?? '')]))
}

type Shown = Pick<MailboxView, 'path'> & { readonly messages: readonly MessageView[] }

async function shown(store: MessageStore, accountId: AccountId): Promise<readonly Shown[]> {
  const out: Shown[] = []
  for (const { id, isSelectable, path } of await store.view.mailboxes(accountId)) {
    // A mere container of others holds nothing that could be compared.
    if (!isSelectable) continue
    out.push({ path, messages: (await store.view.page({ mailboxId: id, limit: ALL })).messages })
  }
  return out
}

function form(internalDate: number, sizeBytes: number, flags: readonly string[]): string {
  return `${Math.floor(internalDate / 1000)} ${sizeBytes} ${flagsIn(flags)}`
}

function content(messageId: string, flags: readonly string[]): string {
  return `${messageId} ${flagsIn(flags)}`.trimEnd()
}

function flagsIn(flags: readonly string[]): string {
  return normaliseFlags(flags).join(' ').toLowerCase()
}
