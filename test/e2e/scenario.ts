/**
 * Scenarios on real servers in one notation: a mailbox, then its messages by number, each with its flags.
 *
 *   server`INBOX | 1 \Seen | 2 ; Work |`         first: what is there; later: what must be there, and nothing else
 *   local`INBOX | 1 \Seen | 2`                   what the app must see
 *   log`flags 2 +\Seen ; move 1 -> Work`         what the user does, online or not
 *   rival`expunge 2 ; append 3 -> INBOX \Draft`  what a rival does
 *   sync
 */

import { createHash } from 'node:crypto'
import { type Flag, type MessageReference, SyncError } from '@tidemail/core'
import type { OperationHandle, SyncReport } from '@tidemail/engine'
import type { DovecotServer } from '@tidemail/testing'
import { expect } from 'vitest'
import { numbered, numberOf } from './numbered-mail.ts'
import type { RealAccount } from './real-account.ts'

interface Story {
  readonly account: RealAccount
  lastOperation: OperationHandle | null
}

export type Line =
  | { readonly kind: 'server' | 'local'; readonly text: string }
  | { readonly kind: 'log' | 'rival'; readonly deeds: readonly Deed[] }
  | { readonly kind: 'sync'; readonly expected: Partial<SyncReport> }

type Deed =
  | { readonly kind: 'flags'; readonly message: string; readonly add: readonly Flag[]; readonly remove: readonly Flag[] }
  | { readonly kind: 'move' | 'copy'; readonly message: string; readonly to: string }
  | { readonly kind: 'append'; readonly number: number; readonly to: string; readonly flags: readonly Flag[] }
  | { readonly kind: 'expunge'; readonly message: string }
  | { readonly kind: 'create' | 'delete' | 'renew'; readonly mailbox: string }
  | { readonly kind: 'undo' }

export const server = (text: TemplateStringsArray): Line => ({ kind: 'server', text: text.raw.join('') })
export const local = (text: TemplateStringsArray): Line => ({ kind: 'local', text: text.raw.join('') })
export const log = (text: TemplateStringsArray): Line => ({ kind: 'log', deeds: deedsIn(text.raw.join('')) })
export const rival = (text: TemplateStringsArray): Line => ({ kind: 'rival', deeds: deedsIn(text.raw.join('')) })
export const sync: Line = {
  kind: 'sync',
  expected: { outcome: 'done', entriesPending: 0, entriesParked: 0, entriesUncertain: 0 },
}
/** A run after which the user has something to decide. */
export const syncWithParked = (entriesParked: number): Line => ({ kind: 'sync', expected: { entriesPending: 0, entriesParked } })

/** Plays the lines; at the end store and server are equal, and every message is what it was when it was made. */
export async function play(account: RealAccount, lines: readonly Line[]): Promise<void> {
  const story: Story = { account, lastOperation: null }
  for (const [index, line] of lines.entries()) {
    if (line.kind === 'server' && index === 0) await seed(account, line.text)
    else await playLine(story, line)
  }
  expect(await account.compareWithServer()).toEqual([])
  await expectUnaltered(account)
}

async function playLine(story: Story, line: Line): Promise<void> {
  const { account } = story
  switch (line.kind) {
    case 'server':
      expect(picture(await messagesOnServer(account))).toEqual(picture(parse(account, line.text)))
      break
    case 'local':
      expect(picture(await messagesInView(account))).toEqual(picture(parse(account, line.text)))
      break
    case 'log':
      for (const deed of line.deeds) await userDoes(story, deed)
      break
    case 'rival':
      for (const deed of line.deeds) await rivalDoes(account, deed)
      break
    case 'sync':
      expect(await syncOrReconnect(account)).toMatchObject(line.expected)
  }
}

/** A server may end the connection whose mailbox a rival has deleted; a user then connects again. */
async function syncOrReconnect(account: RealAccount): Promise<SyncReport> {
  try {
    return await account.sync()
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'remote.disconnected') throw error
    return await account.sync()
  }
}

/** One message in one place. */
interface Placed {
  readonly path: string
  readonly uid: number
  readonly number: number
  readonly flags: readonly Flag[]
}

/** Mailboxes that hold messages, by path; messages by number. */
function picture(placed: readonly Placed[]): Record<string, string[]> {
  const mailboxes: Record<string, string[]> = {}
  for (const { path, number, flags } of [...placed].sort((a, b) => a.number - b.number)) {
    mailboxes[path] = [...(mailboxes[path] ?? []), [number, ...[...flags].sort()].join(' ')]
  }
  return mailboxes
}

function parse(account: RealAccount, text: string): Placed[] {
  return mailboxesIn(text).flatMap(({ name, messages }) =>
    messages.map((message) => {
      const [number = '', ...flags] = message.split(/\s+/)
      return { path: account.path(name), uid: 0, number: Number(number), flags }
    }),
  )
}

function mailboxesIn(text: string): { readonly name: string; readonly messages: readonly string[] }[] {
  return text.split(';').map((part) => {
    const [name = '', ...messages] = part.split('|').map((piece) => piece.trim())
    return { name, messages: messages.filter((message) => message !== '') }
  })
}

async function seed(account: RealAccount, text: string): Promise<void> {
  for (const { name, messages } of mailboxesIn(text)) {
    // Some are there for every user.
    const { status } = await account.rival.command(`STATUS ${account.wireName(name)} (MESSAGES)`)
    if (status !== 'OK') await account.create(name)
    const seeded = messages.map((message) => {
      const [number = '', ...flags] = message.split(/\s+/)
      return numbered(Number(number), { flags })
    })
    if (seeded.length > 0) await account.seed(name, seeded)
  }
  await account.sync()
}

async function messagesOnServer(account: RealAccount): Promise<Placed[]> {
  const { mailboxes } = await account.readServer()
  return mailboxes.flatMap(({ path, messages }) =>
    messages.map(({ uid, flags, messageId }) => ({ path, uid, flags, number: numberOf(messageId) ?? 0 })),
  )
}

async function messagesInView({ engine }: RealAccount): Promise<(Placed & { readonly reference: MessageReference })[]> {
  const placed = []
  for (const { id, path } of await engine.mailboxes()) {
    const { messages } = await engine.page({ mailboxId: id, limit: 1_000 })
    for (const { reference, flags, envelope } of messages)
      placed.push({ path, uid: 0, flags, number: numberOf(envelope.messageId) ?? 0, reference })
  }
  return placed
}

/** A message by its number, or as `Work/2` where it is in several places. */
function find<T extends Placed>(account: RealAccount, placed: readonly T[], message: string): T {
  const [, name, digits] = /^(?:(.*)\/)?(\d+)$/.exec(message) ?? []
  const found = placed.find(
    ({ path, number }) => number === Number(digits) && (name === undefined || path === account.path(name)),
  )
  if (found === undefined) throw new Error(`There is no message ${message}.`)
  return found
}

async function userDoes(story: Story, deed: Deed): Promise<void> {
  const { account } = story
  const { engine } = account
  if (deed.kind === 'undo') {
    await story.lastOperation?.undo()
    return
  }
  if (deed.kind === 'append') {
    story.lastOperation = engine.append({ to: await account.mailboxId(deed.to), ...numbered(deed.number, { flags: deed.flags }) })
  } else if ('message' in deed) {
    const { reference } = find(account, await messagesInView(account), deed.message)
    if (deed.kind === 'flags') story.lastOperation = engine.flag(reference, deed)
    else if (deed.kind === 'expunge') story.lastOperation = engine.expunge(reference)
    else story.lastOperation = engine[deed.kind](reference, await account.mailboxId(deed.to))
  } else throw new Error(`The user cannot ${deed.kind} yet.`)
  await story.lastOperation.accepted
}

async function rivalDoes(account: RealAccount, deed: Deed): Promise<void> {
  const { rival: client } = account
  if (deed.kind === 'append') return account.seed(deed.to, [numbered(deed.number, { flags: deed.flags })])
  if (deed.kind === 'undo') throw new Error('A rival undoes nothing.')
  if ('mailbox' in deed) return MAILBOX_DEEDS[deed.kind](account, deed.mailbox)
  const { path, uid } = find(account, await messagesOnServer(account), deed.message)
  const name = nameOf(account, path)
  if (deed.kind === 'flags') {
    if (deed.add.length > 0) await account.rivalIn(name, `UID STORE ${uid} +FLAGS.SILENT (${deed.add.join(' ')})`)
    if (deed.remove.length > 0) await account.rivalIn(name, `UID STORE ${uid} -FLAGS.SILENT (${deed.remove.join(' ')})`)
  } else if (deed.kind === 'move' && client.has('MOVE')) {
    await account.rivalIn(name, `UID MOVE ${uid} ${account.wireName(deed.to)}`)
  } else {
    if (deed.kind !== 'expunge') await account.rivalIn(name, `UID COPY ${uid} ${account.wireName(deed.to)}`)
    if (deed.kind !== 'copy') await account.rivalIn(name, `UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`, `UID EXPUNGE ${uid}`)
  }
}

const MAILBOX_DEEDS = { create: (account: RealAccount, name: string) => account.create(name), delete: remove, renew } as const

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
async function renew(account: RealAccount, mailbox: string): Promise<void> {
  const { server: real, user } = account
  if (real.name === 'dovecot') {
    await (real as DovecotServer).doveadm(['mailbox', 'update', '-u', user.name, '--uid-validity', '777', mailbox])
    return
  }
  const before = (await messagesOnServer(account)).filter(({ path }) => path === account.path(mailbox))
  await remove(account, mailbox)
  // UIDVALIDITY is the second of creation on some servers.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await account.create(mailbox)
  const seeded = before.map(({ number, flags }) => numbered(number, { flags }))
  if (seeded.length > 0) await account.seed(mailbox, seeded)
}

/** Bytes and INTERNALDATE of every message are those it was made with, whoever made and moved it. */
async function expectUnaltered(account: RealAccount): Promise<void> {
  for (const { path, messages } of (await account.readServer()).mailboxes) {
    for (const { messageId, sha256, internalDate } of messages) {
      const number = numberOf(messageId) ?? 0
      const made = numbered(number)
      const wanted = { sha256: createHash('sha256').update(made.bytes).digest('hex'), internalDate: made.internalDate }
      expect({ sha256, internalDate }, `message ${number} in ${path}`).toEqual(wanted)
    }
  }
}

function deedsIn(text: string): Deed[] {
  return text.split(';').map((part) => deedIn(part.trim()))
}

function deedIn(text: string): Deed {
  const [kind = '', ...rest] = text.split(/\s+/)
  const [first = ''] = rest
  const arrow = rest.indexOf('->')
  const behind = rest.slice(arrow + 1)
  switch (kind) {
    case 'flags':
      return { kind, message: first, add: signed(rest, '+'), remove: signed(rest, '-') }
    case 'move':
    case 'copy':
      return { kind, message: first, to: behind.join(' ') }
    case 'append':
      return {
        kind,
        number: Number(first),
        to: behind.filter((word) => !word.startsWith('\\') && !word.startsWith('$')).join(' '),
        flags: behind.filter((word) => word.startsWith('\\') || word.startsWith('$')),
      }
    case 'expunge':
      return { kind, message: first }
    case 'create':
    case 'delete':
    case 'renew':
      return { kind, mailbox: rest.join(' ') }
    case 'undo':
      return { kind }
    default:
      throw new Error(`Nobody can "${text}".`)
  }
}

function signed(words: readonly string[], sign: '+' | '-'): readonly Flag[] {
  return words.filter((word) => word.startsWith(sign)).map((word) => word.slice(1))
}
