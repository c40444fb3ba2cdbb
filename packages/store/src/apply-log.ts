/** Writes to the replay log: entries with the bodies they name, claims and receipts. */

import type { BodyId, ClaimId, ClaimRecord, EntryRecord, EntrySeq, ReceiptRecord } from '@tidemail/core'
import { decodeEffect, encodeEffect } from './effects-codec.ts'
import type { EntryRow } from './schema.ts'
import { decoded } from './store-errors.ts'
import { hold, tellEffects, type UnitOfWork } from './unit-of-work.ts'

/** Writes an entry. Its revision rises even where the writer forgot. */
export async function putEntry(unit: UnitOfWork, entry: EntryRecord): Promise<void> {
  const before = await unit.db.entries.get(entry.seq)
  const revision = before === undefined ? entry.revision : Math.max(entry.revision, before.revision + 1)
  await unit.db.entries.put({
    seq: entry.seq,
    accountId: entry.accountId,
    revision,
    bytes: entry.bytes.slice(),
    effects: entry.effects.map(encodeEffect),
  })
  for (const id of bodiesOf(entry)) hold(unit, id, 1)
  if (before !== undefined) letGo(unit, before)
  tell(unit, entry)
}

export async function removeEntry(unit: UnitOfWork, seq: EntrySeq): Promise<void> {
  const before = await unit.db.entries.get(seq)
  if (before === undefined) return
  letGo(unit, before)
  await unit.db.entries.delete(seq)
}

export async function putClaim(unit: UnitOfWork, claim: ClaimRecord): Promise<void> {
  await unit.db.claims.put({ id: claim.id, accountId: claim.accountId, bytes: claim.bytes.slice() })
  unit.accounts.add(claim.accountId)
  unit.hasLogChanged = true
}

export async function removeClaim(unit: UnitOfWork, id: ClaimId): Promise<void> {
  const before = await unit.db.claims.get(id)
  if (before === undefined) return
  await unit.db.claims.delete(id)
  unit.accounts.add(before.accountId)
  unit.hasLogChanged = true
}

export async function putReceipt(unit: UnitOfWork, receipt: ReceiptRecord): Promise<void> {
  await unit.db.receipts.put({ seq: receipt.seq, accountId: receipt.accountId, bytes: receipt.bytes.slice() })
  unit.accounts.add(receipt.accountId)
  unit.hasLogChanged = true
}

/** @throws SyncError `store.corrupt` */
export function decodeEntryRow(row: EntryRow): EntryRecord {
  const effects = decoded(`entry ${row.seq}`, () => row.effects.map(decodeEffect))
  return { seq: row.seq, accountId: row.accountId, revision: row.revision, bytes: row.bytes, effects }
}

/** The bodies that an entry keeps alive: those of the messages it shows, and those it only keeps. */
export function bodiesOf(entry: Pick<EntryRecord, 'effects'>): BodyId[] {
  return entry.effects.flatMap((effect) => {
    if (effect.kind === 'new') return [effect.message.bodyId]
    return effect.kind === 'keep' ? [effect.bodyId] : []
  })
}

function letGo(unit: UnitOfWork, row: EntryRow): void {
  const entry = decodeEntryRow(row)
  for (const id of bodiesOf(entry)) hold(unit, id, -1)
  unit.logs.set(entry.accountId, 'rewritten')
  tell(unit, entry)
}

function tell(unit: UnitOfWork, entry: EntryRecord): void {
  unit.accounts.add(entry.accountId)
  if (!unit.logs.has(entry.accountId)) unit.logs.set(entry.accountId, 'grown')
  unit.hasLogChanged = true
  tellEffects(unit, entry.effects)
}
