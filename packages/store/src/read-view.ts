/** The reads of the app: pages, messages and parts of the view. */

import {
  type AccountId,
  type BodyId,
  type BoxEpoch,
  foldMailboxes,
  followReference,
  type LocalId,
  leftOutRows,
  type MailboxId,
  type MailboxView,
  type MessageReference,
  type MessageView,
  missingRows,
  type Page,
  type PageCursor,
  type PageQuery,
  type PartOnServer,
  placeOfLocal,
  SyncError,
  type Uid,
  type UidSet,
  type ViewReads,
} from '@tidemail/core'
import { describe } from './describe-messages.ts'
import { resolveReference } from './forwards.ts'
import { partsIn, wholeParts } from './held-parts.ts'
import { decodeMailbox } from './mailbox-codec.ts'
import { findMessage, flagsAt, type IndexedMessage, type MailboxIndex, MailboxIndexes, placeAfter } from './mailbox-index.ts'
import { type MailboxPicture, MailboxPictures, type PlacedView } from './mailbox-picture.ts'
import { HAS_PARTS, positionsIn } from './packed-columns.ts'
import type { PendingLog, PendingLogs } from './pending-log.ts'
import type { Access } from './read-planning.ts'
import type { BoxRow, PartsRow, StoreDatabase } from './schema.ts'
import { corruptMailbox, decoded } from './store-errors.ts'
import { readColumns } from './unit-of-work.ts'

export function viewReads(access: Access, logs: PendingLogs): ViewReads {
  const indexes = new MailboxIndexes()
  const pictures = new MailboxPictures(indexes)
  return {
    mailboxes: (accountId) => access.read((db) => mailboxViews({ db, indexes, pictures, logs }, accountId)),
    page: (query) => access.read((db) => readPage({ db, indexes, pictures, logs }, query)),
    message: (reference) =>
      access.read(async (db) => {
        const scene = { db, indexes, pictures, logs }
        const found = await findShown(scene, reference)
        return found === null ? null : ((await asViews(scene, found.stage, [found.shown]))[0] ?? null)
      }),
    part: async (reference, section) => {
      const named = (): Promise<readonly BodyId[] | null> =>
        access.read((db) => bodiesOfPart({ db, indexes, pictures, logs }, reference, section))
      for (let ids = await named(); ids !== null; ) {
        const bytes = await joined(access, ids)
        if (bytes !== null) return bytes
        // Names and bytes are read one after the other: in between the message may have gone, or its part been put anew.
        const again = await named()
        if (again?.join() === ids.join()) throw new SyncError('store.corrupt', 'A part names bytes that are not there.')
        ids = again
      }
      return null
    },
    partOnServer: (reference, section) => access.read((db) => partOnServer({ db, indexes, pictures, logs }, reference, section)),
  }
}

interface Scene {
  readonly db: StoreDatabase
  readonly indexes: MailboxIndexes
  readonly pictures: MailboxPictures
  readonly logs: PendingLogs
}

/** A mailbox ready to be read. */
interface Stage {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  readonly box: BoxRow
  readonly index: MailboxIndex
  readonly picture: MailboxPicture
}

/** A message that shows: a stored one by UID, or a local. */
type Shown = { readonly kind: 'stored'; readonly uid: number; readonly date: number } | ({ readonly kind: 'local' } & PlacedView)

async function mailboxViews({ db, logs, pictures }: Scene, accountId: AccountId): Promise<MailboxView[]> {
  const rows = await db.mailboxes.where('accountId').equals(accountId).toArray()
  const boxes = await db.boxes.bulkGet(rows.map(({ box }) => box))
  const pending = await logs.read(db, accountId)
  const views: Omit<MailboxView, 'isPending'>[] = []
  for (const [i, row] of rows.entries()) {
    const mailbox = decoded(`mailbox ${row.id}`, () => decodeMailbox(row))
    const box = boxes[i]
    if (box === undefined) throw corruptMailbox(`a mailbox ${row.id} without its box`)
    const { total, unread } = await pictures.picture(db, box, pending)
    const { id, path, delimiter, role, namespace = 'personal', isSelectable, isSubscribed } = mailbox
    const awaited = missingRows(mailbox)
    const toFetch = awaited.isEmpty ? 0 : awaited.size - (await countHeld(db, box.box, awaited))
    const leftOut = leftOutRows(mailbox).size
    views.push({ id, path, delimiter, role, namespace, isSelectable, isSubscribed, total, unread, toFetch, leftOut })
  }
  return foldMailboxes(views, pending.effects)
}

async function countHeld(db: StoreDatabase, box: BoxEpoch, uids: UidSet): Promise<number> {
  const columns = await readColumns(db, box, uids)
  return columns.reduce((count, row) => count + positionsIn(row, uids).length, 0)
}

async function setStage(scene: Scene, mailboxId: MailboxId, pendingOfAccount?: PendingLog): Promise<Stage | null> {
  const mailbox = await scene.db.mailboxes.get(mailboxId)
  if (mailbox === undefined) return null
  const box = await scene.db.boxes.get(mailbox.box)
  if (box === undefined) throw corruptMailbox(`a mailbox ${mailboxId} without its box`)
  const pending = pendingOfAccount ?? (await scene.logs.read(scene.db, mailbox.accountId))
  const picture = await scene.pictures.picture(scene.db, box, pending)
  const index = await scene.indexes.load(scene.db, box)
  return { accountId: mailbox.accountId, mailboxId, box, index, picture }
}

async function readPage(scene: Scene, query: PageQuery): Promise<Page> {
  const stage = await setStage(scene, query.mailboxId)
  if (stage === null) throw new SyncError('input.unknown-mailbox', `The store holds no mailbox ${query.mailboxId}.`)
  const shown = take(stage, query.after ?? null, query.limit + 1)
  const onPage = shown.slice(0, query.limit)
  const last = onPage.at(-1)
  return {
    messages: await asViews(scene, stage, onPage),
    next: last === undefined || shown.length <= query.limit ? null : cursorOf(stage, last),
  }
}

/** The first messages after the cursor: the order of the index and the locals, merged. */
function take({ index, picture }: Stage, after: PageCursor | null, count: number): Shown[] {
  const { placed, overlay } = picture
  const shown: Shown[] = []
  let stored = after === null ? 0 : placeAfter(index, storedCursor(after))
  let local = after === null ? 0 : placed.findIndex((candidate) => isAfter(candidate, after))
  if (local < 0) local = placed.length
  while (shown.length < count) {
    const uid = index.uids[stored]
    const date = index.dates[stored] as number
    const next = placed[local]
    if (next !== undefined && (uid === undefined || next.date >= date)) {
      shown.push({ kind: 'local', ...next })
      local += 1
    } else if (uid !== undefined) {
      if (overlay === null || !overlay.hidden.has(uid)) shown.push({ kind: 'stored', uid, date })
      stored += 1
    } else break
  }
  return shown
}

/** Where a cursor stands among stored messages: of equal dates, a local comes before all of them. */
function storedCursor({ internalDate, reference }: PageCursor): { readonly date: number; readonly uid: number } {
  return { date: internalDate, uid: reference.kind === 'stored' ? reference.uid : Number.POSITIVE_INFINITY }
}

function isAfter(candidate: PlacedView, { internalDate, reference }: PageCursor): boolean {
  if (candidate.date !== internalDate) return candidate.date < internalDate
  return reference.kind === 'local' && candidate.local < reference.local
}

function cursorOf(stage: Stage, shown: Shown): PageCursor {
  return { internalDate: shown.date, reference: referenceOf(stage, shown) }
}

function referenceOf({ accountId, mailboxId, box }: Stage, shown: Shown): MessageReference {
  if (shown.kind === 'local') return { kind: 'local', local: shown.local as LocalId, accountId }
  return { kind: 'stored', mailboxId, box: box.box, uid: shown.uid as Uid }
}

async function findShown(
  scene: Scene,
  reference: MessageReference,
): Promise<{ readonly stage: Stage; readonly shown: Shown } | null> {
  const resolved = await resolveReference(scene.db, reference)
  const accountId = resolved === null ? undefined : await accountOf(scene.db, resolved)
  if (resolved === null || accountId === undefined) return null
  const pending = await scene.logs.read(scene.db, accountId)
  const now = followReference(resolved, accountId, pending.log)
  if (now?.kind === 'stored') {
    const stage = await setStage(scene, now.mailboxId, pending)
    const found = stage === null ? null : findMessage(stage.index, now.uid)
    if (stage === null || found === null) return null
    return { stage, shown: { kind: 'stored', uid: now.uid, date: found.columns.dates[found.position] as number } }
  }
  const place = now === null ? null : placeOfLocal(now.local, pending.effects)
  const stage = place === null ? null : await setStage(scene, place.mailboxId, pending)
  const placed = stage?.picture.placed.find(({ local }) => local === place?.local)
  return stage === null || placed === undefined ? null : { stage, shown: { kind: 'local', ...placed } }
}

async function accountOf(db: StoreDatabase, reference: MessageReference): Promise<AccountId | undefined> {
  return reference.kind === 'local' ? reference.accountId : (await db.mailboxes.get(reference.mailboxId))?.accountId
}

/** The bytes of pieces, one after the other; null when one of them is not there. */
async function joined(access: Access, ids: readonly BodyId[]): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = []
  for (const id of ids) {
    const piece = await access.body(id)
    if (piece === null) return null
    pieces.push(piece)
  }
  const [only] = pieces
  if (only !== undefined && pieces.length === 1) return only
  const bytes = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

async function partOnServer(scene: Scene, reference: MessageReference, section: string): Promise<PartOnServer | null> {
  const found = await findShown(scene, reference)
  const place = found === null ? null : rowPlaceOf(found.stage, found.shown)
  const row = found === null ? null : rowOf(found.stage, found.shown)
  if (place?.kind !== 'row' || row === null) return null
  const { mailboxId, box } = place
  const uid = place.uid as Uid
  const told = (await describe(scene.db, { box, mailboxId }, [uid])).get(uid)
  const named = told?.parts.find((part) => part.section === section)?.sizeBytes ?? null
  const sizeBytes = section === '' ? (row.columns.sizes[row.position] as number) : named
  const part = partsIn(await scene.db.parts.get([box, uid])).get(section)
  return { mailboxId, box, uid, sizeBytes, heldBytes: part?.isWhole === false ? (part.octets ?? 0) : 0 }
}

async function bodiesOfPart(scene: Scene, reference: MessageReference, section: string): Promise<readonly BodyId[] | null> {
  const found = await findShown(scene, reference)
  if (found === null) return null
  const place = rowPlaceOf(found.stage, found.shown)
  if (place.kind === 'new') return section === '' ? [place.bodyId] : null
  const part = partsIn(await scene.db.parts.get([place.box, place.uid])).get(section)
  return part?.isWhole === true ? part.ids : null
}

type RowPlace =
  | { readonly kind: 'row'; readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly uid: number }
  | { readonly kind: 'new'; readonly bodyId: BodyId }

/** Where the row behind a shown message is. */
function rowPlaceOf({ mailboxId, box }: Stage, shown: Shown): RowPlace {
  if (shown.kind === 'stored') return { kind: 'row', mailboxId, box: box.box, uid: shown.uid }
  const { origin } = shown.placed
  if (origin.kind === 'new') return { kind: 'new', bodyId: origin.message.bodyId }
  return { kind: 'row', mailboxId: origin.mailboxId, box: origin.box, uid: origin.uid }
}

/** Reads what a page shows, one read a box and table. */
async function asViews(scene: Scene, stage: Stage, shown: readonly Shown[]): Promise<MessageView[]> {
  const rows = shown.map((message) => ({ message, place: rowPlaceOf(stage, message), row: rowOf(stage, message) }))
  const byBox = new Map<BoxEpoch, { readonly mailboxId: MailboxId; readonly uids: number[]; readonly withParts: number[] }>()
  for (const { place, row } of rows) {
    if (place.kind !== 'row' || row === null) continue
    const group = byBox.get(place.box) ?? { mailboxId: place.mailboxId, uids: [], withParts: [] }
    group.uids.push(place.uid)
    if (((row.columns.bits[row.position] as number) & HAS_PARTS) !== 0) group.withParts.push(place.uid)
    byBox.set(place.box, group)
  }
  const told = new Map<string, Pick<MessageView, 'envelope' | 'parts' | 'emailId'>>()
  const held = new Map<string, PartsRow>()
  for (const [box, { mailboxId, uids, withParts }] of byBox) {
    for (const [uid, described] of await describe(scene.db, { box, mailboxId }, uids)) told.set(`${box} ${uid}`, described)
    const parts = await scene.db.parts.bulkGet(withParts.map((uid): [number, number] => [box, uid]))
    for (const row of parts) if (row !== undefined) held.set(`${box} ${row.uid}`, row)
  }
  return rows.flatMap(({ message, place, row }) => {
    const fixed = { reference: referenceOf(stage, message), mailboxId: stage.mailboxId, internalDate: message.date }
    if (message.kind === 'local' && message.placed.origin.kind === 'new') {
      const { sizeBytes, envelope, parts, emailId } = message.placed.origin.message
      const { flags } = message
      return [{ ...fixed, flags, sizeBytes, envelope, parts, emailId, isPending: true, heldSections: [''] }]
    }
    if (place.kind !== 'row' || row === null) return []
    const key = `${place.box} ${place.uid}`
    const described = told.get(key)
    if (described === undefined) return []
    const sizeBytes = row.columns.sizes[row.position] as number
    const heldSections = [...wholeParts(partsIn(held.get(key))).keys()].sort()
    return [{ ...fixed, ...described, ...stateOf(stage, message, row), sizeBytes, heldSections }]
  })
}

/** The columns behind a shown message; null for one that was made here. */
function rowOf(stage: Stage, shown: Shown): IndexedMessage | null {
  return shown.kind === 'local' ? shown.stored : findMessage(stage.index, shown.uid)
}

function stateOf({ index, picture }: Stage, shown: Shown, row: IndexedMessage): Pick<MessageView, 'flags' | 'isPending'> {
  if (shown.kind === 'local') return { flags: shown.flags, isPending: true }
  const base = flagsAt(index, row)
  const { overlay } = picture
  if (overlay === null || !overlay.touched.has(shown.uid)) return { flags: base, isPending: false }
  return { flags: overlay.flagsOf(shown.uid, base), isPending: true }
}
