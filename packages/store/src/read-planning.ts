/** The reads of the planner: server state and the replay log. */

import {
  type BodyId,
  type BoxEpoch,
  type MailboxId,
  type MessageIdentity,
  type MissingPart,
  type PartsWanted,
  type PlanningReads,
  SyncError,
  type Uid,
  UidSet,
} from '@tidemail/core'
import { decodeEntryRow } from './apply-log.ts'
import { describe } from './describe-messages.ts'
import { partsIn } from './held-parts.ts'
import { KeywordDictionary } from './keyword-dictionary.ts'
import { linkable } from './link-parts.ts'
import { decodeMailbox } from './mailbox-codec.ts'
import { HAS_PARTS, messagesIn, messagesOf, type PackedMessage } from './packed-columns.ts'
import type { Described } from './packed-envelopes.ts'
import type { StoreDatabase } from './schema.ts'
import { decoded } from './store-errors.ts'
import { readColumns, type UnitOfWork } from './unit-of-work.ts'

/** How reads reach the database, each in one transaction. */
export interface Access {
  read<T>(reader: (db: StoreDatabase) => Promise<T>): Promise<T>
  write<T>(writer: (unit: UnitOfWork) => Promise<T>): Promise<T>
  body(bodyId: BodyId): Promise<Uint8Array | null>
}

export function planningReads(access: Access): PlanningReads {
  const { read } = access
  return {
    accounts: () => read(async (db) => (await db.accounts.toArray()).map(({ record }) => record)),
    mailboxes: (accountId) =>
      read(async (db) => {
        const rows = await db.mailboxes.where('accountId').equals(accountId).toArray()
        return rows.map((row) => decoded(`mailbox ${row.id}`, () => decodeMailbox(row)))
      }),
    allocateMailbox: () =>
      access.write(async ({ numbers }) => {
        const allocated = { id: numbers.nextMailbox as MailboxId, box: numbers.nextBox as BoxEpoch }
        numbers.nextMailbox += 1
        numbers.nextBox += 1
        return allocated
      }),
    entries: (accountId) =>
      read(async (db) => (await db.entries.where('accountId').equals(accountId).toArray()).map(decodeEntryRow)),
    claims: (accountId) => read((db) => Promise.resolve(db.claims.where('accountId').equals(accountId).toArray())),
    receipts: (accountId, { limit }) =>
      read((db) => {
        const all = db.receipts.where('[accountId+seq]').between([accountId, 0], [accountId, Number.MAX_SAFE_INTEGER], true, true)
        return Promise.resolve(all.reverse().limit(limit).toArray())
      }),
    receipt: (accountId, seq) => read(async (db) => (await db.receipts.get([accountId, seq])) ?? null),
    identities: (mailboxId, uids) => read(async (db) => identitiesOf(db, await heldMessages(db, mailboxId, uids))),
    formerIdentities: (mailboxId) =>
      read(async (db) => {
        const box = (await db.mailboxes.get(mailboxId))?.record.formerBox ?? null
        if (box === null) return []
        const columns = await readColumns(db, box, UidSet.ALL)
        return identitiesOf(db, { box, mailboxId, messages: columns.flatMap(messagesOf) })
      }),
    flags: (mailboxId, uids) =>
      read(async (db) => {
        const held = await heldMessages(db, mailboxId, uids)
        return held.messages.map((message) => ({
          uid: message.uid as Uid,
          flags: held.dictionary.decode({ bits: message.flags, extra: message.extra }),
        }))
      }),
    missingParts: (mailboxId, wanted) => read((db) => missingParts(db, mailboxId, wanted)),
    linkable: (mailboxId, uids) => read((db) => linkable(db, mailboxId, uids)),
    body: async (bodyId) => {
      const bytes = await access.body(bodyId)
      if (bytes === null) throw new SyncError('store.corrupt', 'The store has no bytes under that name.')
      return bytes
    },
  }
}

interface Held {
  readonly box: BoxEpoch
  readonly mailboxId: MailboxId
  readonly dictionary: KeywordDictionary
  /** Ascending. */
  readonly messages: readonly PackedMessage[]
}

/** The held rows among these; none where the mailbox is gone. */
async function heldMessages(db: StoreDatabase, mailboxId: MailboxId, uids: UidSet): Promise<Held> {
  const mailbox = await db.mailboxes.get(mailboxId)
  const box = mailbox === undefined ? undefined : await db.boxes.get(mailbox.box)
  if (box === undefined) return { box: 0 as BoxEpoch, mailboxId, dictionary: new KeywordDictionary([]), messages: [] }
  const columns = await readColumns(db, box.box, uids)
  const messages = columns.flatMap((row) => messagesIn(row, uids))
  return { box: box.box, mailboxId, dictionary: new KeywordDictionary(box.keywords), messages }
}

async function identitiesOf(
  db: StoreDatabase,
  held: Pick<Held, 'box' | 'mailboxId' | 'messages'>,
): Promise<(MessageIdentity & { readonly uid: Uid })[]> {
  const told = await describe(
    db,
    held,
    held.messages.map(({ uid }) => uid),
  )
  return held.messages.map(({ uid, size, date }) => {
    const { envelope, emailId } = told.get(uid) as Described
    const internalDate = Math.floor(date / 1000) * 1000
    return { uid: uid as Uid, messageId: envelope.messageId, sizeBytes: size, internalDate, emailId }
  })
}

/** A message held whole (section '') lacks nothing. */
async function missingParts(db: StoreDatabase, mailboxId: MailboxId, wanted: PartsWanted): Promise<MissingPart[]> {
  const mailbox = await db.mailboxes.get(mailboxId)
  if (mailbox === undefined) return []
  const { parts, messagesMax, partBytesMax, receivedSince } = wanted
  const columns = await readColumns(db, mailbox.box, UidSet.ALL)
  const newest = columns
    .flatMap(messagesOf)
    .sort((a, b) => b.date - a.date || b.uid - a.uid)
    .slice(0, messagesMax)
    .filter(({ date }) => receivedSince === null || date >= receivedSince)
  const place = { box: mailbox.box, mailboxId }
  const told = await describe(
    db,
    place,
    newest.map(({ uid }) => uid),
  )
  const withSome = newest.filter(({ bits }) => (bits & HAS_PARTS) !== 0)
  const rows = await db.parts.bulkGet(withSome.map(({ uid }): [number, number] => [mailbox.box, uid]))
  const heldOf = new Map(withSome.map(({ uid }, i) => [uid, partsIn(rows[i])]))
  return newest.flatMap(({ uid }) => {
    const held = heldOf.get(uid)
    if (held?.get('')?.isWhole === true) return []
    return (told.get(uid) as Described).parts
      .filter(({ type, disposition }) => parts === 'all' || (type.startsWith('text/') && disposition !== 'attachment'))
      .filter(({ section, sizeBytes }) => sizeBytes <= partBytesMax && held?.get(section)?.isWhole !== true)
      .map(({ section, sizeBytes }) => ({ uid: uid as Uid, section, sizeBytes, heldBytes: held?.get(section)?.octets ?? 0 }))
  })
}
