/** What the writes of one transaction share: the store's counters, the news they make, and how many hold each body. */

import type { AccountId, BodyId, BoxEpoch, MailboxId, MailboxRecord, StoreNews, UidSet, ViewEffect } from '@tidemail/core'
import { KeywordDictionary } from './keyword-dictionary.ts'
import { decodeMailbox } from './mailbox-codec.ts'
import { type ColumnsRow, chunkOf, isWholeColumns } from './packed-columns.ts'
import { type BoxRow, SCHEMA_EPOCH, type StoreDatabase, type StoreRow } from './schema.ts'
import { Conflict, corruptMailbox, decoded, lostFirstRow, tooNew } from './store-errors.ts'

/** More chunks than this are read as one run of rows, not by name. */
const CHUNKS_BY_NAME_MAX = 256

export interface UnitOfWork {
  readonly db: StoreDatabase
  /** The revision that this transaction makes. */
  readonly revision: number
  readonly numbers: { nextSeq: number; nextMailbox: number; nextBox: number; nextEpoch: number }
  readonly accounts: Set<AccountId>
  readonly mailboxes: Set<MailboxId>
  /** Accounts whose entries changed, and whether only by new ones. */
  readonly logs: Map<AccountId, 'grown' | 'rewritten'>
  hasLogChanged: boolean
  /** By how much the number of holders of a body changes; written at the end. */
  readonly held: Map<BodyId, number>
  /** Bytes to keep of the bodies that gain a holder, where bytes are kept in the database. */
  readonly bytes: ReadonlyMap<BodyId, Uint8Array>
  /** Bodies that nobody holds any more; known at the end. */
  readonly dropped: BodyId[]
}

/** Starts the work of a transaction. @throws SyncError `store.too-new` when a newer version has upgraded the store. */
export async function beginWork(db: StoreDatabase, bytes: ReadonlyMap<BodyId, Uint8Array>): Promise<UnitOfWork> {
  const { revision, nextSeq, nextMailbox, nextBox, nextEpoch } = await readStoreRow(db)
  return {
    db,
    revision: revision + 1,
    numbers: { nextSeq, nextMailbox, nextBox, nextEpoch },
    accounts: new Set(),
    mailboxes: new Set(),
    logs: new Map(),
    hasLogChanged: false,
    held: new Map(),
    bytes,
    dropped: [],
  }
}

/** Ends the work: holders are counted, bodies that nobody names are dropped, and the revision rises. */
export async function finishWork(unit: UnitOfWork): Promise<StoreNews> {
  await settleHolds(unit)
  const accounts = await unit.db.accounts.bulkGet([...unit.logs.keys()])
  const changed = accounts.flatMap((account) => {
    if (account === undefined) return []
    const rewritten = unit.logs.get(account.id) === 'rewritten' ? { logRewritten: unit.revision } : {}
    return [{ ...account, logRevision: unit.revision, ...rewritten }]
  })
  if (changed.length > 0) await unit.db.accounts.bulkPut(changed)
  await unit.db.store.put({ key: 'store', schemaEpoch: SCHEMA_EPOCH, revision: unit.revision, ...unit.numbers })
  return {
    revision: unit.revision,
    accounts: unit.accounts,
    mailboxes: unit.mailboxes,
    hasLogChanged: unit.hasLogChanged,
  }
}

export async function readStoreRow(db: StoreDatabase): Promise<StoreRow> {
  const row = await db.store.get('store')
  if (row === undefined) throw lostFirstRow()
  if (row.schemaEpoch !== SCHEMA_EPOCH) throw tooNew()
  return row
}

export function hold(unit: UnitOfWork, bodyId: BodyId, by: 1 | -1): void {
  unit.held.set(bodyId, (unit.held.get(bodyId) ?? 0) + by)
}

export function tellEffects(unit: UnitOfWork, effects: readonly ViewEffect[]): void {
  for (const effect of effects) {
    if ('mailboxId' in effect) unit.mailboxes.add(effect.mailboxId)
    if (effect.kind === 'place' && effect.from.kind === 'stored') unit.mailboxes.add(effect.from.mailboxId)
    if (effect.kind === 'flags' || effect.kind === 'hide') unit.mailboxes.add(effect.on.mailboxId)
  }
}

export async function readMailbox(db: StoreDatabase, id: MailboxId): Promise<MailboxRecord | null> {
  const row = await db.mailboxes.get(id)
  return row === undefined ? null : decoded(`mailbox ${id}`, () => decodeMailbox(row))
}

/** A box whose rows are about to change. Counts and keywords are written back by {@link saveBox}. */
export interface OpenBox {
  readonly mailboxId: MailboxId
  readonly accountId: AccountId
  readonly box: BoxEpoch
  readonly madeAt: number
  readonly dictionary: KeywordDictionary
  total: number
  unread: number
}

/** Opens the box that a mailbox is in now. @throws Conflict when the mailbox is gone. */
export async function openBox(unit: UnitOfWork, mailboxId: MailboxId): Promise<OpenBox> {
  const mailbox = await unit.db.mailboxes.get(mailboxId)
  if (mailbox === undefined) throw new Conflict('mailbox', `Mailbox ${mailboxId} is gone.`)
  unit.mailboxes.add(mailboxId)
  unit.accounts.add(mailbox.accountId)
  const row = await unit.db.boxes.get(mailbox.box)
  if (row === undefined) throw corruptMailbox(`a mailbox ${mailboxId} without its box`)
  const { madeAt = 0, total, unread, keywords } = row
  return {
    mailboxId,
    accountId: mailbox.accountId,
    box: mailbox.box,
    madeAt,
    dictionary: new KeywordDictionary(keywords),
    total,
    unread,
  }
}

export async function saveBox(unit: UnitOfWork, { dictionary, accountId: _, ...counted }: OpenBox): Promise<void> {
  const row: BoxRow = { ...counted, revision: unit.revision, keywords: dictionary.keywords }
  await unit.db.boxes.put(row)
}

/** The chunks of the box that are held and that the set reaches. */
export async function readColumns(db: StoreDatabase, box: BoxEpoch, uids: UidSet): Promise<ColumnsRow[]> {
  const rows = await readChunks<ColumnsRow>(db.columns, box, uids)
  await checkColumns(db, box, rows)
  return rows
}

/** @throws SyncError `store.corrupt`, with the name of the mailbox, when a row is not what this code writes. */
export async function checkColumns(db: StoreDatabase, box: BoxEpoch, rows: readonly ColumnsRow[]): Promise<void> {
  if (rows.every(isWholeColumns)) return
  const owner = await db.boxes.get(box)
  throw corruptMailbox(`columns of mailbox ${owner?.mailboxId}`)
}

/** Rows by chunk, of any table that is keyed `[box+chunk]`. */
export async function readChunks<T extends { readonly chunk: number }>(
  table: { bulkGet(keys: [number, number][]): PromiseLike<(T | undefined)[]>; where(index: string): RangeReader<T> },
  box: BoxEpoch,
  uids: UidSet,
): Promise<T[]> {
  const spans = chunkSpans(uids)
  const first = spans[0]
  const last = spans.at(-1)
  if (first === undefined || last === undefined) return []
  const count = spans.reduce((total, span) => total + span.last - span.first + 1, 0)
  if (count <= CHUNKS_BY_NAME_MAX) {
    const keys: [number, number][] = []
    for (const span of spans) for (let chunk = span.first; chunk <= span.last; chunk += 1) keys.push([box, chunk])
    return (await table.bulkGet(keys)).filter((row) => row !== undefined)
  }
  const rows = await table.where('[box+chunk]').between([box, first.first], [box, last.last], true, true).toArray()
  let at = 0
  return rows.filter(({ chunk }) => {
    while ((spans[at]?.last ?? Number.POSITIVE_INFINITY) < chunk) at += 1
    return (spans[at]?.first ?? Number.POSITIVE_INFINITY) <= chunk
  })
}

interface RangeReader<T> {
  between(lower: unknown, upper: unknown, includesLower: boolean, includesUpper: boolean): { toArray(): PromiseLike<T[]> }
}

/** The chunks that a set reaches, as ascending, disjoint spans. */
function chunkSpans(uids: UidSet): { first: number; last: number }[] {
  const spans: { first: number; last: number }[] = []
  for (const range of uids.ranges) {
    const open = spans.at(-1)
    const first = chunkOf(range.first)
    if (open !== undefined && first <= open.last + 1) open.last = chunkOf(range.last)
    else spans.push({ first, last: chunkOf(range.last) })
  }
  return spans
}

async function settleHolds({ db, held, bytes, dropped }: UnitOfWork): Promise<void> {
  const changed = [...held].filter(([, by]) => by !== 0)
  if (changed.length === 0) return
  const before = await db.holds.bulkGet(changed.map(([id]) => id))
  const after = changed.map(([id, by], i) => ({ id, count: (before[i]?.count ?? 0) + by, isNew: before[i] === undefined }))
  dropped.push(...after.filter(({ count }) => count <= 0).map(({ id }) => id))
  const kept = after.filter(({ count }) => count > 0)
  const offered = kept.filter(({ id, isNew }) => !isNew && bytes.has(id)).map(({ id }) => id)
  const standing = new Set(offered.length === 0 ? [] : await db.bodies.where('id').anyOf(offered).primaryKeys())
  const added = kept.flatMap(({ id }) => {
    const given = standing.has(id) ? undefined : bytes.get(id)
    return given === undefined ? [] : [{ id, bytes: given }]
  })
  if (kept.length > 0) await db.holds.bulkPut(kept.map(({ id, count }) => ({ id, count })))
  if (added.length > 0) await db.bodies.bulkPut(added)
  if (dropped.length === 0) return
  await db.holds.bulkDelete(dropped)
  await db.bodies.bulkDelete(dropped)
}
