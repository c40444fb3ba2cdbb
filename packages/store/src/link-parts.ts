/** Finds parts that are held of the same content under another row, so that it is not downloaded again (RFC 8474 §8.3). */

import { type AccountId, type BoxEpoch, type MailboxId, UidSet, type Write } from '@tidemail/core'
import { addParts, partsOfBox } from './apply-parts.ts'
import { describe } from './describe-messages.ts'
import { type HeldParts, partsIn, RELEASED_BOX, wholeParts } from './held-parts.ts'
import { HAS_PARTS, messagesIn, messagesOf, type PackedMessage } from './packed-columns.ts'
import type { StoreDatabase } from './schema.ts'
import { openBox, readColumns, saveBox, type UnitOfWork } from './unit-of-work.ts'

export async function linkParts(unit: UnitOfWork, write: Extract<Write, { kind: 'link-parts' }>): Promise<void> {
  const box = await openBox(unit, write.mailboxId)
  const found = await partsElsewhere(unit.db, box, write.uids)
  for (const [uid, all] of found) for (const parts of all) await addParts(unit, box.box, uid, parts)
  if (found.size > 0) await saveBox(unit, box)
}

/** Which of the messages gain something. */
export async function linkable(db: StoreDatabase, mailboxId: MailboxId, uids: UidSet): Promise<UidSet> {
  const mailbox = await db.mailboxes.get(mailboxId)
  if (mailbox === undefined) return UidSet.EMPTY
  const found = await partsElsewhere(db, { mailboxId, box: mailbox.box, accountId: mailbox.accountId }, uids)
  const rows = await db.parts.bulkGet([...found.keys()].map((uid): [number, number] => [mailbox.box, uid]))
  const gaining = [...found].filter(([, all], i) => {
    const held = partsIn(rows[i])
    return all.some((parts) => [...parts.keys()].some((section) => held.get(section)?.isWhole !== true))
  })
  return UidSet.from(gaining.map(([uid]) => uid))
}

interface Place {
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
  readonly accountId: AccountId
}

/** What is held of other messages of the same content, by UID. */
async function partsElsewhere(db: StoreDatabase, place: Place, uids: UidSet): Promise<ReadonlyMap<number, readonly HeldParts[]>> {
  const columns = await readColumns(db, place.box, uids)
  const wanted = await withContents(
    db,
    place,
    columns.flatMap((row) => messagesIn(row, uids)),
  )
  const contents = new Set(wanted.map(({ content }) => content))
  if (contents.size === 0) return new Map()
  const sources = [...(await heldSources(db, place, wanted)), ...(await releasedSources(db, place.accountId))]
  return new Map(
    wanted.flatMap(({ message: { uid }, content }) => {
      const others = sources.filter((source) => source.content === content && !(source.box === place.box && source.uid === uid))
      return others.length === 0 ? [] : [[uid, others.map(({ parts }) => parts)] as const]
    }),
  )
}

interface Source {
  readonly content: string
  readonly box: BoxEpoch
  readonly uid: number
  readonly parts: HeldParts
}

/** Sizes are in the columns: only of messages of these sizes the identity is looked up. */
async function heldSources(db: StoreDatabase, { accountId }: Place, wanted: readonly NamedContent[]): Promise<Source[]> {
  const sources: Source[] = []
  const sizes = new Set(wanted.map(({ message }) => message.size))
  const contents = new Set(wanted.map(({ content }) => content))
  for (const { id, box } of await db.mailboxes.where('accountId').equals(accountId).toArray()) {
    const candidates = (await readColumns(db, box, UidSet.ALL))
      .flatMap(messagesOf)
      .filter(({ bits, size }) => (bits & HAS_PARTS) !== 0 && sizes.has(size))
    const twins = (await withContents(db, { mailboxId: id, box }, candidates)).filter(({ content }) => contents.has(content))
    const rows = await db.parts.bulkGet(twins.map(({ message }): [number, number] => [box, message.uid]))
    for (const [i, { content, message }] of twins.entries())
      sources.push({ content, box, uid: message.uid, parts: wholeParts(partsIn(rows[i])) })
  }
  return sources
}

/** What is kept of messages that have left. */
async function releasedSources(db: StoreDatabase, accountId: AccountId): Promise<Source[]> {
  return (await partsOfBox(db, RELEASED_BOX)).flatMap(({ released, ...row }) => {
    if (released?.accountId !== accountId) return []
    return [{ content: contentOf(released.size, released.emailId), box: row.box, uid: row.uid, parts: partsIn(row) }]
  })
}

interface NamedContent {
  readonly message: PackedMessage
  readonly content: string
}

/** Those of which the server names the content. */
async function withContents(
  db: StoreDatabase,
  place: Pick<Place, 'mailboxId' | 'box'>,
  messages: readonly PackedMessage[],
): Promise<NamedContent[]> {
  const told = await describe(
    db,
    place,
    messages.map(({ uid }) => uid),
  )
  return messages.flatMap((message) => {
    const emailId = told.get(message.uid)?.emailId ?? null
    return emailId === null ? [] : [{ message, content: contentOf(message.size, emailId) }]
  })
}

/** One EMAILID with two sizes is no name of a content (RFC 8474 §8.4). */
function contentOf(size: number, emailId: string): string {
  return `${size} ${emailId}`
}
