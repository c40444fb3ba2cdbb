/** Holds the store against the server, which is read over a bare socket that shares no code with the engine. */

import { createHash } from 'node:crypto'
import { type ReadMailbox, type ReadMessage, readAccount } from '@tidemail/testing'
import type { MailEngine, MessageView } from 'tidemail'

export interface ComparedMailbox {
  readonly path: string
  readonly messagesOnServer: number
  readonly messagesInStore: number
  /** A sentence each; empty when both are equal in UIDs, flags, dates and sizes, and in the bytes of what the store holds whole. */
  readonly differences: readonly string[]
}

export interface ServerLogin {
  readonly host: string
  readonly port: number
  readonly user: { readonly name: string; readonly password: string }
}

const PAGE_MESSAGES = 200

/** Every mailbox of either side. */
export async function compareWithServer(mail: MailEngine, login: ServerLogin): Promise<readonly ComparedMailbox[]> {
  const onServer = new Map((await readAccount(login)).mailboxes.map((mailbox) => [mailbox.path, mailbox]))
  const inStore = new Map((await mail.mailboxes()).map((mailbox) => [mailbox.path, mailbox]))
  const compared: ComparedMailbox[] = []
  for (const path of new Set([...onServer.keys(), ...inStore.keys()])) {
    const mailbox = inStore.get(path)
    const messages = mailbox === undefined ? [] : await allMessages(mail, mailbox.id)
    const server = onServer.get(path)
    const missing = [
      ...(mailbox === undefined ? ['the store does not have this mailbox'] : []),
      ...(server === undefined ? ['the server does not have this mailbox'] : []),
    ]
    compared.push({
      path,
      messagesOnServer: server?.messages.length ?? 0,
      messagesInStore: messages.length,
      differences: [...missing, ...differences(server, messages), ...(await differentBytes(mail, server, messages))],
    })
  }
  return compared
}

async function allMessages(mail: MailEngine, mailboxId: MessageView['mailboxId']): Promise<MessageView[]> {
  const messages: MessageView[] = []
  let page = await mail.page({ mailboxId, limit: PAGE_MESSAGES })
  messages.push(...page.messages)
  while (page.next !== null) {
    page = await mail.page({ mailboxId, limit: PAGE_MESSAGES, after: page.next })
    messages.push(...page.messages)
  }
  return messages
}

function differences(server: ReadMailbox | undefined, messages: readonly MessageView[]): string[] {
  const onServer = new Map((server?.messages ?? []).map((message) => [String(message.uid), normalServer(message)]))
  const inStore = new Map(messages.map((message) => [nameOf(message), normalStore(message)]))
  return [...new Set([...onServer.keys(), ...inStore.keys()])].flatMap((name) => {
    const [its, ours] = [onServer.get(name) ?? 'nothing', inStore.get(name) ?? 'nothing']
    return its === ours ? [] : [`${name}: the server has ${its}, the store ${ours}`]
  })
}

/** Of messages that were made here the store holds every byte. */
async function differentBytes(
  mail: MailEngine,
  server: ReadMailbox | undefined,
  messages: readonly MessageView[],
): Promise<string[]> {
  const different: string[] = []
  for (const message of messages.filter(({ heldSections }) => heldSections.includes(''))) {
    const bytes = (await mail.part(message.reference, '')) ?? new Uint8Array()
    const digest = createHash('sha256').update(bytes).digest('hex')
    const its = server?.messages.find(({ uid }) => String(uid) === nameOf(message))
    if (its?.sha256 !== digest) different.push(`${nameOf(message)}: the bytes differ`)
  }
  return different
}

function nameOf({ reference }: MessageView): string {
  return reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`
}

function normalServer({ flags, internalDate, sizeBytes }: ReadMessage): string {
  return normal(flags, internalDate, sizeBytes)
}

function normalStore({ flags, internalDate, sizeBytes }: MessageView): string {
  return normal(flags, internalDate, sizeBytes)
}

function normal(flags: readonly string[], internalDate: number, sizeBytes: number): string {
  const sorted = flags.map((flag) => flag.toLowerCase()).sort()
  return `(${sorted.join(' ')}) ${new Date(Math.floor(internalDate / 1000) * 1000).toISOString()} ${sizeBytes} bytes`
}
