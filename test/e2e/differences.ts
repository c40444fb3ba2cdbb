/** Compares a store with a server as docs/spec/equality.md defines it; the server is read over a bare socket. */

import { createHash } from 'node:crypto'
import { type AccountId, type Flag, type MailboxRecord, type MessageStore, type MessageView, UidSet } from '@tidemail/core'
import {
  type IndependentReaderOptions,
  quoted,
  RawImap,
  type ReadAccount,
  type ReadMailbox,
  readAccount,
} from '@tidemail/testing'
import { modifiedUtf7 } from './imap-text.ts'

const PAGE_MESSAGES = 100_000
const CONTENT_UIDS_MAX = 500

/** A sentence for each difference, by path and UID; empty when store and server are equal. */
export async function differencesBetween(
  store: MessageStore,
  accountId: AccountId,
  server: IndependentReaderOptions,
): Promise<readonly string[]> {
  const read = await readAccount(server)
  const onServer = new Map(read.mailboxes.map((mailbox) => [mailbox.path, mailbox]))
  const records = await store.planning.mailboxes(accountId)
  const inStore = records.filter((mailbox) => mailbox.isSelectable)
  const found = namesThatDiffer(records, read)
  for (const path of onServer.keys())
    if (!inStore.some((mailbox) => mailbox.path === path)) found.push(`${path}: mailbox-missing`)
  const client = await RawImap.connect(server)
  try {
    await client.login(server.user)
    for (const mailbox of inStore) {
      const its = onServer.get(mailbox.path)
      if (its === undefined) found.push(`${mailbox.path}: mailbox-extra`)
      else found.push(...(await mailboxDifferences({ store, accountId, client }, mailbox, its)))
    }
    await client.logout()
  } finally {
    client.close()
  }
  return found
}

/** What cannot be selected, and, of what is on both sides, the subscriptions. */
function namesThatDiffer(records: readonly MailboxRecord[], { containers, mailboxes, subscribed }: ReadAccount): string[] {
  const there = new Set(containers)
  const here = new Set(records.filter(({ isSelectable }) => !isSelectable).map(({ path }) => path))
  const selectable = new Set(mailboxes.map(({ path }) => path))
  const others = records.filter(({ path, isSubscribed }) => selectable.has(path) && isSubscribed !== subscribed.has(path))
  return [
    ...[...there].filter((path) => !here.has(path)).map((path) => `${path}: container-missing`),
    ...[...here].filter((path) => !there.has(path)).map((path) => `${path}: container-extra`),
    ...others.map(({ path, isSubscribed }) => `${path}: ${isSubscribed ? '' : 'not '}subscribed in the store only`),
  ]
}

interface Sides {
  readonly store: MessageStore
  readonly accountId: AccountId
  readonly client: RawImap
}

async function mailboxDifferences(sides: Sides, ours: MailboxRecord, its: ReadMailbox): Promise<string[]> {
  const { store } = sides
  if (ours.uidValidity !== its.uidValidity)
    return [`${its.path}: uidvalidity ${ours.uidValidity} in the store, ${its.uidValidity} on the server`]
  const known = ours.checkpoint?.known ?? UidSet.EMPTY
  const uidsOnServer = UidSet.from(its.messages.map((message) => message.uid))
  const found = [
    ...setDifference(`${its.path}: message-missing`, uidsOnServer.difference(known)),
    ...setDifference(`${its.path}: message-extra`, known.difference(uidsOnServer)),
  ]
  const rows = new Map((await store.planning.identities(ours.id, known)).map((row) => [Number(row.uid), row]))
  const flags = new Map((await store.planning.flags(ours.id, known)).map((row) => [Number(row.uid), row.flags]))
  for (const message of its.messages) {
    const row = rows.get(message.uid)
    if (row === undefined) {
      if (known.has(message.uid)) found.push(`${its.path} ${message.uid}: row-missing`)
      continue
    }
    const say = (kind: string, store: unknown, server: unknown): void => {
      if (store !== server) found.push(`${its.path} ${message.uid}: ${kind} ${store} in the store, ${server} on the server`)
    }
    say('flags', flagText(flags.get(message.uid) ?? []), flagText(message.flags))
    say('date', Math.floor(row.internalDate / 1000), Math.floor(message.internalDate / 1000))
    say('size', row.sizeBytes, message.sizeBytes)
  }
  return [...found, ...(await viewDifferences(sides, ours, its))]
}

/** The view against the server, where nothing is pending; and the bytes of every section that is held. */
async function viewDifferences({ store, accountId, client }: Sides, ours: MailboxRecord, its: ReadMailbox): Promise<string[]> {
  const { messages } = await store.view.page({ mailboxId: ours.id, limit: PAGE_MESSAGES })
  const found: string[] = []
  // With a drained log the view has nothing to fold: then it is the server state (I-STORE-3).
  if ((await store.planning.entries(accountId)).length === 0) {
    const onServer = new Set(its.messages.map(({ uid, flags }) => `${uid} ${flagText(flags)}`))
    const shown = new Set(messages.map((message) => `${nameOf(message)} ${flagText(message.flags)}`))
    const [extra, lacking] = [[...shown].filter((line) => !onServer.has(line)), [...onServer].filter((line) => !shown.has(line))]
    if (messages.length !== onServer.size || extra.length + lacking.length > 0)
      found.push(`${its.path}: the view has [${extra.join(', ')}] more and lacks [${lacking.join(', ')}]`)
  }
  const digests = new Map(its.messages.map(({ uid, sha256 }) => [uid, sha256]))
  for (const section of new Set(messages.flatMap((message) => message.heldSections))) {
    const held = messages.filter((message) => message.heldSections.includes(section))
    const uids = held.flatMap(({ reference }) => (reference.kind === 'stored' ? [reference.uid] : []))
    const sent = section === '' ? digests : await sectionDigests(client, its.path, section, uids)
    for (const message of held) {
      if (message.reference.kind !== 'stored') continue
      const bytes = await store.view.part(message.reference, section)
      const digest = bytes === null ? 'not held' : createHash('sha256').update(bytes).digest('hex')
      if (digest !== sent.get(message.reference.uid))
        found.push(`${its.path} ${message.reference.uid}: content of section "${section}"`)
    }
  }
  return found
}

async function sectionDigests(
  client: RawImap,
  path: string,
  section: string,
  uids: readonly number[],
): Promise<Map<number, string>> {
  const digests = new Map<number, string>()
  await client.ok(`EXAMINE ${quoted(modifiedUtf7(path))}`)
  for (const some of UidSet.from(uids).chunksOfSize(CONTENT_UIDS_MAX)) {
    await client.ok(`UID FETCH ${some} (UID BODY.PEEK[${section}])`, {
      onResponse: ({ text, literals }) => {
        const uid = /[ (]UID (\d+)/.exec(text)?.[1]
        const value = /BODY\[[^\]]*\] (NIL|\{\d+\}|"(?:[^"\\]|\\.)*")/.exec(text)?.[1]
        if (uid === undefined || value === undefined) return
        const bytes = value.startsWith('{') ? (literals[0] ?? Buffer.alloc(0)) : Buffer.from(unquoted(value), 'latin1')
        digests.set(Number(uid), createHash('sha256').update(bytes).digest('hex'))
      },
    })
  }
  return digests
}

function unquoted(value: string): string {
  return value === 'NIL' ? '' : value.slice(1, -1).replace(/\\(.)/g, '$1')
}

function setDifference(kind: string, uids: UidSet): string[] {
  return uids.isEmpty ? [] : [`${kind} ${uids}`]
}

function nameOf({ reference }: MessageView): string {
  return reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`
}

/** Flags compare without regard to case (RFC 9051 §2.3.2). */
function flagText(flags: readonly Flag[]): string {
  return flags
    .map((flag) => flag.toLowerCase())
    .filter((flag) => flag !== '\\recent')
    .sort()
    .join(' ')
}
