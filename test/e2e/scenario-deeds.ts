/** What the user and the rival of a scenario do: the one through the engine, the other over a bare socket. */

import { type Flag, type MessageReference, UidSet } from '@tidemail/core'
import type { OperationHandle } from '@tidemail/engine'
import type { DovecotServer } from '@tidemail/testing'
import { type MessageShape, numbered, numberOfAny } from './numbered-mail.ts'
import type { RealAccount, SeedMessage } from './real-account.ts'
import type { Deed, MessageSet } from './scenario-lines.ts'

export interface Story {
  readonly account: RealAccount
  lastOperation: OperationHandle | null
  /** Of the messages that are not plain. */
  readonly shapes: Map<number, MessageShape>
}

/** One message in one place. */
export interface Placed {
  readonly path: string
  readonly uid: number
  readonly number: number
  readonly flags: readonly Flag[]
}

const PAGE_MESSAGES = 10_000
/** UIDVALIDITY is the second of creation on some servers. */
const NEW_UIDVALIDITY_MS = 1_100

export async function messagesOnServer(account: RealAccount): Promise<Placed[]> {
  const { mailboxes } = await account.readServer()
  return mailboxes.flatMap(({ path, messages }) =>
    messages.map((message) => ({ path, uid: message.uid, flags: message.flags, number: numberOfAny(message) })),
  )
}

export async function messagesInView({ engine }: RealAccount): Promise<(Placed & { readonly reference: MessageReference })[]> {
  const placed = []
  for (const { id, path } of await engine.mailboxes()) {
    const { messages } = await engine.page({ mailboxId: id, limit: PAGE_MESSAGES })
    for (const { reference, flags, envelope, internalDate } of messages) {
      const number = numberOfAny({ messageId: envelope.messageId, internalDate })
      placed.push({ path, uid: 0, flags, number, reference })
    }
  }
  return placed
}

/** The messages of the set as they are made; the story remembers their shape. */
export function seeded(story: Story, { numbers, shape }: MessageSet, flags: readonly Flag[]): readonly SeedMessage[] {
  return numbers.map((number) => {
    if (shape !== 'plain') story.shapes.set(number, shape)
    return numbered(number, { flags, shape })
  })
}

/** The first message of each number, where the set says they are. */
function find<T extends Placed>(account: RealAccount, placed: readonly T[], { mailbox, numbers }: MessageSet): readonly T[] {
  const there = placed.filter(({ path }) => mailbox === null || path === account.path(mailbox))
  const byNumber = new Map([...there].reverse().map((message) => [message.number, message]))
  return numbers.map((number) => {
    const found = byNumber.get(number)
    if (found === undefined) throw new Error(`There is no message ${number}.`)
    return found
  })
}

export async function userDoes(story: Story, deed: Deed): Promise<void> {
  if (deed.kind === 'undo') {
    await story.lastOperation?.undo()
    return
  }
  const operation = await started(story, deed)
  await operation.accepted
  story.lastOperation = operation
}

async function started(story: Story, deed: Exclude<Deed, { readonly kind: 'undo' }>): Promise<OperationHandle> {
  const { account } = story
  const { engine } = account
  const chosen = async (set: MessageSet): Promise<readonly MessageReference[]> =>
    find(account, await messagesInView(account), set).map(({ reference }) => reference)
  switch (deed.kind) {
    case 'append': {
      const to = await account.mailboxId(deed.to)
      const handles = seeded(story, deed.numbers, deed.flags).map((message) => engine.append({ to, ...message }))
      await Promise.all(handles.map(({ accepted }) => accepted))
      return handles.at(-1) as OperationHandle
    }
    case 'flags':
      return engine.flag(await chosen(deed.messages), deed)
    case 'expunge':
      return engine.expunge(await chosen(deed.messages))
    case 'trash':
      return engine.delete(await chosen(deed.messages))
    case 'move':
    case 'copy':
      return engine[deed.kind](await chosen(deed.messages), await account.mailboxId(deed.to))
    case 'create':
      return engine.createMailbox(account.path(deed.mailbox))
    case 'rename':
      return engine.renameMailbox(await account.mailboxId(deed.mailbox), account.path(deed.to))
    case 'delete':
      return engine.deleteMailbox(await account.mailboxId(deed.mailbox))
    case 'subscribe':
    case 'unsubscribe':
      return engine[deed.kind](await account.mailboxId(deed.mailbox))
    case 'renew':
      throw new Error('A user renews nothing.')
  }
}

export async function rivalDoes(story: Story, deed: Deed): Promise<void> {
  const { account } = story
  switch (deed.kind) {
    case 'append':
      return account.seed(deed.to, seeded(story, deed.numbers, deed.flags))
    case 'create':
      return account.create(deed.mailbox)
    case 'delete':
      return remove(account, deed.mailbox)
    case 'renew':
      return renew(story, deed.mailbox)
    case 'rename':
      // Nobody is in a mailbox that is renamed.
      await account.rivalIn('INBOX')
      await account.rival.ok(`RENAME ${account.wireName(deed.mailbox)} ${account.wireName(deed.to)}`)
      return
    case 'subscribe':
    case 'unsubscribe':
      await account.rival.ok(`${deed.kind.toUpperCase()} ${account.wireName(deed.mailbox)}`)
      return
    case 'undo':
    case 'trash':
      throw new Error(`A rival does not ${deed.kind}.`)
    default:
      return rivalDoesWithMessages(account, deed)
  }
}

type DeedOnMessages = Extract<Deed, { readonly kind: 'flags' | 'move' | 'copy' | 'expunge' }>

async function rivalDoesWithMessages(account: RealAccount, deed: DeedOnMessages): Promise<void> {
  const found = find(account, await messagesOnServer(account), deed.messages)
  for (const path of new Set(found.map((message) => message.path))) {
    const uids = UidSet.from(found.filter((message) => message.path === path).map(({ uid }) => uid))
    await account.rivalIn(nameOf(account, path), ...commandsOf(account, deed, uids))
  }
}

function commandsOf(account: RealAccount, deed: DeedOnMessages, uids: UidSet): readonly string[] {
  const expunge = [
    `UID STORE ${uids} +FLAGS.SILENT (\\Deleted)`,
    account.rival.has('UIDPLUS') ? `UID EXPUNGE ${uids}` : 'EXPUNGE',
  ]
  switch (deed.kind) {
    case 'flags':
      return [
        ...(deed.add.length > 0 ? [`UID STORE ${uids} +FLAGS.SILENT (${deed.add.join(' ')})`] : []),
        ...(deed.remove.length > 0 ? [`UID STORE ${uids} -FLAGS.SILENT (${deed.remove.join(' ')})`] : []),
      ]
    case 'expunge':
      return expunge
    case 'copy':
      return [`UID COPY ${uids} ${account.wireName(deed.to)}`]
    case 'move':
      return account.rival.has('MOVE')
        ? [`UID MOVE ${uids} ${account.wireName(deed.to)}`]
        : [`UID COPY ${uids} ${account.wireName(deed.to)}`, ...expunge]
  }
}

/** The name that leads to the path on this server. */
function nameOf(account: RealAccount, path: string): string {
  return account.path('x') === 'x' || path === 'INBOX' ? path : path.slice('INBOX.'.length)
}

async function remove(account: RealAccount, mailbox: string): Promise<void> {
  // Nobody is in a mailbox that is deleted.
  await account.rivalIn('INBOX')
  await account.rival.ok(`DELETE ${account.wireName(mailbox)}`)
}

/** The same messages under a new UIDVALIDITY. */
async function renew(story: Story, mailbox: string): Promise<void> {
  const { account } = story
  const { server: real, user } = account
  if (real.name === 'dovecot') {
    await (real as DovecotServer).doveadm(['mailbox', 'update', '-u', user.name, '--uid-validity', '777', mailbox])
    return
  }
  const before = (await messagesOnServer(account)).filter(({ path }) => path === account.path(mailbox))
  await remove(account, mailbox)
  await new Promise((resolve) => setTimeout(resolve, NEW_UIDVALIDITY_MS))
  await account.create(mailbox)
  const again = before.map(({ number, flags }) => numbered(number, { flags, shape: story.shapes.get(number) ?? 'plain' }))
  if (again.length > 0) await account.seed(mailbox, again)
}
