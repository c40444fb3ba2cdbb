/** The stored form of entries, claims and receipts: versioned JSON as UTF-8. What cannot be understood is an error, and stays where it is. */

import { type ClaimRecord, type EntryRecord, type Json, type ReceiptRecord, SyncError, UidPairs } from '@tidemail/core'
import type { Claim } from './claim.ts'
import { effectsOf } from './effects-of.ts'
import type { Entry } from './entry.ts'
import { type Form, Unreadable } from './json-form.ts'
import { withProgress } from './progress-groups.ts'
import type { Receipt } from './receipt.ts'
import { CLAIM_FORM, ENTRY_FORM, RECEIPT_FORM } from './stored-forms.ts'

/** The format that is written. A reader of a later format still reads this one; a field's meaning never changes. */
export const LOG_FORMAT = 1

/** Declared here, for both browsers and Node have them, and this package compiles without the types of either. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare const TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string }

/** The record of an entry, with what it does to the view. Its revision is the entry's; the store sees to it that it rises. */
export function encodeEntry(entry: Entry): EntryRecord {
  const { seq, accountId, revision, conflicts, ...rest } = entry
  const body = conflicts.length === 0 ? rest : { ...rest, conflicts }
  return { seq, accountId, revision, bytes: toBytes(ENTRY_FORM, body), effects: effectsOf(entry) }
}

/** A pass reads the log many times; what a store gives twice is decoded once. */
const decodedEntries = new WeakMap<EntryRecord, Entry>()

/** @throws SyncError `store.corrupt` */
export function decodeEntry(record: EntryRecord): Entry {
  const known = decodedEntries.get(record)
  if (known !== undefined) return known
  const entry = decoded(record)
  decodedEntries.set(record, entry)
  return entry
}

function decoded({ seq, accountId, revision, bytes }: EntryRecord): Entry {
  const body = fromBytes(ENTRY_FORM, bytes, `The entry #${seq}`)
  return withProgress({ conflicts: [], ...body, seq, accountId, revision, placed: UidPairs.EMPTY }, body.progress)
}

export function encodeClaim(claim: Claim): ClaimRecord {
  return { id: claim.id, accountId: claim.accountId, bytes: toBytes(CLAIM_FORM, claim) }
}

/** @throws SyncError `store.corrupt` */
export function decodeClaim({ id, accountId, bytes }: ClaimRecord): Claim {
  return { ...fromBytes(CLAIM_FORM, bytes, `The claim ${id}`), id, accountId }
}

export function encodeReceipt(receipt: Receipt): ReceiptRecord {
  return { seq: receipt.seq, accountId: receipt.accountId, bytes: toBytes(RECEIPT_FORM, receipt) }
}

/** @throws SyncError `store.corrupt` */
export function decodeReceipt({ seq, accountId, bytes }: ReceiptRecord): Receipt {
  return { ...fromBytes(RECEIPT_FORM, bytes, `The receipt #${seq}`), seq, accountId }
}

function toBytes<T>(form: Form<T>, value: T): Uint8Array {
  const body = form.write(value) as { readonly [key: string]: Json }
  return new TextEncoder().encode(JSON.stringify({ v: LOG_FORMAT, ...body }))
}

function fromBytes<T>(form: Form<T>, bytes: Uint8Array, what: string): T {
  const json = parse(bytes)
  if (typeof json !== 'object' || json === null || !('v' in json)) throw corrupt(what, 'it is not of any format that is known')
  const { v, ...body } = json
  if (v !== LOG_FORMAT) throw corrupt(what, 'it is of a format that this version does not know')
  try {
    return form.read(body, 'it')
  } catch (error) {
    if (error instanceof Unreadable) throw corrupt(what, error.message)
    throw error
  }
}

/** Undefined for what is no JSON. The parser's own complaint quotes what it read, and that may be content. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function corrupt(what: string, why: string): SyncError {
  return new SyncError('store.corrupt', `${what} in the store cannot be understood (${why}). It is kept as it is.`, {
    scope: 'account',
  })
}
