/** The normal form in which a store and a server are compared (docs/spec/equality.md). */

import { type AccountId, type MessageStore, normaliseFlags } from '@tidemail/core'
import type { ModelAccount } from '@tidemail/testing/simulated'

/** Per mailbox, per UID: `date size flags`. Two sides are equal when these are. */
export type NormalForm = Readonly<Record<string, Readonly<Record<string, string>>>>

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
  for (const mailbox of await store.view.mailboxes(accountId)) {
    const { messages } = await store.view.page({ mailboxId: mailbox.id, limit: 100_000 })
    out[mailbox.path] = Object.fromEntries(
      messages.map(({ reference, flags, internalDate, sizeBytes }) => [
        reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`,
        form(internalDate, sizeBytes, flags),
      ]),
    )
  }
  return out
}

function form(internalDate: number, sizeBytes: number, flags: readonly string[]): string {
  return `${Math.floor(internalDate / 1000)} ${sizeBytes} ${normaliseFlags(flags).join(' ').toLowerCase()}`
}
