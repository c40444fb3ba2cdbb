/** Writes to the rows of a mailbox: what the server stated, what was inferred, what is gone, what came from elsewhere. */

import {
  applyFlagDelta,
  type BoxEpoch,
  namesStored,
  normaliseFlags,
  type ServerMessage,
  type Summary,
  UidSet,
  type Write,
} from '@tidemail/core'
import { decodeEntryRow } from './apply-log.ts'
import { carryParts, dropParts, type LeavingMessage } from './apply-parts.ts'
import { isUnread } from './keyword-dictionary.ts'
import {
  type ColumnsRow,
  chunkOf,
  emptyColumns,
  HAS_PARTS,
  messagesIn,
  type PackedMessage,
  positionOf,
  withMessages,
  withoutMessages,
} from './packed-columns.ts'
import { describedIn, type EnvelopesRow, encodeDescribed, jsonOf, withEnvelopes } from './packed-envelopes.ts'
import { Conflict, corruptMailbox } from './store-errors.ts'
import { type OpenBox, openBox, readChunks, readColumns, saveBox, type UnitOfWork } from './unit-of-work.ts'

type WriteOf<Kind extends Write['kind']> = Extract<Write, { kind: Kind }>

/** A row to be put, with its JSON bytes. */
export interface NewMessage {
  readonly packed: PackedMessage
  readonly json: Uint8Array
}

export async function putMessages(unit: UnitOfWork, write: WriteOf<'put-messages'>): Promise<void> {
  const box = await openBox(unit, write.mailboxId)
  await insertMessages(
    unit,
    box,
    write.messages.map((message) => packMessage(box, message)),
  )
  await saveBox(unit, box)
}

export function packMessage(box: OpenBox, message: Omit<ServerMessage, 'uid'> & { readonly uid: number }): NewMessage {
  const { bits, extra } = box.dictionary.encode(normaliseFlags(message.flags))
  return {
    packed: {
      uid: message.uid,
      flags: bits,
      extra,
      modSeq: message.modSeq ?? 0n,
      date: message.internalDate,
      size: message.sizeBytes,
      bits: 0,
    },
    json: encodeDescribed(message as Summary),
  }
}

/** Puts rows, in place of those of the same UID; which sections are held of those is kept. */
export async function insertMessages(unit: UnitOfWork, box: OpenBox, messages: readonly NewMessage[]): Promise<void> {
  const uids = UidSet.from(messages.map(({ packed }) => packed.uid))
  const before = new Map((await readColumns(unit.db, box.box, uids)).map((row) => [row.chunk, row]))
  const envelopesBefore = new Map((await readEnvelopes(unit, box.box, uids)).map((row) => [row.chunk, row]))
  const columns: ColumnsRow[] = []
  const envelopes: EnvelopesRow[] = []
  for (const [chunk, added] of byChunk(messages)) {
    const row = before.get(chunk) ?? emptyColumns(box.box, chunk)
    const changed = added.map(({ packed }) => {
      const position = positionOf(row, packed.uid)
      return position < 0 ? packed : { ...packed, bits: row.bits[position] as number }
    })
    const after = withMessages(row, changed, unit.revision)
    recount(box, row, after)
    columns.push(after)
    const put = new Map(added.map(({ packed, json }) => [packed.uid, json]))
    envelopes.push(withEnvelopes({ box: box.box, chunk }, envelopesBefore.get(chunk), { put }))
  }
  await unit.db.columns.bulkPut(columns)
  await unit.db.envelopes.bulkPut(envelopes)
}

export async function putFlags(unit: UnitOfWork, write: WriteOf<'put-flags'>): Promise<void> {
  const states = new Map(write.states.map((state) => [state.uid as number, state]))
  const repeated = states.size < write.states.length
  await changeRows(unit, write.mailboxId, UidSet.from(states.keys()), (message, box) => {
    const told = repeated ? write.states.filter(({ uid }) => uid === message.uid) : [states.get(message.uid)]
    let after = message
    for (const state of told) {
      if (state === undefined || (state.modSeq !== null && state.modSeq <= after.modSeq)) continue
      const { bits, extra } = box.dictionary.encode(normaliseFlags(state.flags))
      after = { ...after, flags: bits, extra, modSeq: state.modSeq ?? 0n }
    }
    return after
  })
}

/** The rows lose their mod-sequence: whatever the server states next of them counts (H-14). */
export async function inferFlags(unit: UnitOfWork, write: WriteOf<'infer-flags'>): Promise<void> {
  await changeRows(unit, write.mailboxId, write.uids, (message, box) => {
    const flags = box.dictionary.decode({ bits: message.flags, extra: message.extra })
    const { bits, extra } = box.dictionary.encode(applyFlagDelta(flags, write.delta))
    return { ...message, flags: bits, extra, modSeq: 0n }
  })
}

export async function removeMessages(unit: UnitOfWork, write: WriteOf<'remove-messages'>): Promise<void> {
  const box = await openBox(unit, write.mailboxId)
  const columns: ColumnsRow[] = []
  const envelopes: EnvelopesRow[] = []
  const removed: PackedMessage[] = []
  const envelopesBefore = new Map<number, EnvelopesRow>()
  for (const row of await readEnvelopes(unit, box.box, write.uids)) envelopesBefore.set(row.chunk, row)
  for (const row of await readColumns(unit.db, box.box, write.uids)) {
    const leaving = messagesIn(row, write.uids)
    if (leaving.length === 0) continue
    const remove = new Set(leaving.map(({ uid }) => uid))
    const after = withoutMessages(row, remove, unit.revision)
    recount(box, row, after)
    removed.push(...leaving)
    columns.push(after)
    envelopes.push(withEnvelopes({ box: box.box, chunk: row.chunk }, envelopesBefore.get(row.chunk), { remove }))
  }
  if (removed.length === 0) return
  await dropParts(unit, box, withEmailIds(removed, envelopesBefore))
  await unit.db.columns.bulkPut(columns)
  await unit.db.envelopes.bulkPut(envelopes)
  await saveBox(unit, box)
}

/** @throws Conflict when an open entry names one of them (I-STORE-2) */
export async function evictMessages(unit: UnitOfWork, { mailboxId, uids }: WriteOf<'evict-messages'>): Promise<void> {
  const { box } = await openBox(unit, mailboxId)
  const accountId = (await unit.db.mailboxes.get(mailboxId))?.accountId
  const entries = await unit.db.entries
    .where('accountId')
    .equals(accountId ?? '')
    .toArray()
  if (entries.some((row) => namesStored(decodeEntryRow(row).effects, { box, uids }))) {
    throw new Conflict('entry', `An operation waits on a message that was to leave mailbox ${mailboxId}.`)
  }
  await removeMessages(unit, { kind: 'remove-messages', mailboxId, uids })
}

/** A row that stands in the target already is the server's own word, and stays; it gains the parts. */
export async function carryMessages(unit: UnitOfWork, write: WriteOf<'carry-messages'>): Promise<void> {
  const from = await openBox(unit, write.from)
  const sources = write.pairs.sources
  const json = new Map((await readEnvelopes(unit, from.box, sources)).map((row) => [row.chunk, row]))
  const found = (await readColumns(unit.db, from.box, sources)).flatMap((row) => messagesIn(row, sources))
  const to = write.to === write.from ? from : await openBox(unit, write.to)
  const carried = pairUp(found, write.pairs.ranges)
  const landing = UidSet.from(carried.map(({ uid }) => uid))
  const standing = new Set((await readColumns(unit.db, to.box, landing)).flatMap((row) => [...row.uids]))
  const added = carried
    .filter(({ uid }) => !standing.has(uid))
    .map(({ uid, message }): NewMessage => {
      const flags = from.dictionary.decode({ bits: message.flags, extra: message.extra })
      const { bits, extra } = to.dictionary.encode(flags)
      const envelope = json.get(chunkOf(message.uid))
      const bytes = envelope === undefined ? null : jsonOf(envelope, message.uid)
      if (bytes === null) throw corruptMailbox(`a message without its envelope in mailbox ${write.from}`)
      return { packed: { ...message, uid, flags: bits, extra, modSeq: 0n, bits: 0 }, json: bytes }
    })
  if (added.length > 0) await insertMessages(unit, to, added)
  await carryParts(unit, { from: from.box, to: to.box }, carried, { only: 'begun-too' })
  await saveBox(unit, to)
}

/** Bodies are named again, and none is written. */
export async function carryFormerParts(unit: UnitOfWork, { mailboxId, pairs }: WriteOf<'carry-parts'>): Promise<void> {
  const to = await openBox(unit, mailboxId)
  const from = (await unit.db.mailboxes.get(mailboxId))?.record.formerBox ?? null
  if (from === null) return
  const found = (await readColumns(unit.db, from, pairs.sources)).flatMap((row) => messagesIn(row, pairs.sources))
  await carryParts(unit, { from, to: to.box }, pairUp(found, pairs.ranges), { only: 'whole' })
  await saveBox(unit, to)
}

export function readEnvelopes(unit: Pick<UnitOfWork, 'db'>, box: BoxEpoch, uids: UidSet): Promise<EnvelopesRow[]> {
  return readChunks<EnvelopesRow>(unit.db.envelopes, box, uids)
}

/** Changes the columns of held rows, and nothing else of them. */
async function changeRows(
  unit: UnitOfWork,
  mailboxId: WriteOf<'put-flags'>['mailboxId'],
  uids: UidSet,
  change: (message: PackedMessage, box: OpenBox) => PackedMessage,
): Promise<void> {
  const box = await openBox(unit, mailboxId)
  const changed: ColumnsRow[] = []
  for (const row of await readColumns(unit.db, box.box, uids)) {
    const messages = messagesIn(row, uids)
    const after = messages.map((message) => change(message, box))
    if (after.every((message, i) => message === messages[i])) continue
    const columns = withMessages(row, after, unit.revision)
    recount(box, row, columns)
    changed.push(columns)
  }
  if (changed.length === 0) return
  await unit.db.columns.bulkPut(changed)
  await saveBox(unit, box)
}

function withEmailIds(messages: readonly PackedMessage[], envelopes: ReadonlyMap<number, EnvelopesRow>): LeavingMessage[] {
  return messages.map((message) => {
    const hasParts = (message.bits & HAS_PARTS) !== 0
    return {
      message,
      emailId: hasParts ? (describedIn(envelopes.get(chunkOf(message.uid)), message.uid)?.emailId ?? null) : null,
    }
  })
}

function recount(box: OpenBox, before: ColumnsRow, after: ColumnsRow): void {
  box.total += after.uids.length - before.uids.length
  box.unread += unreadIn(after) - unreadIn(before)
}

function unreadIn(row: ColumnsRow): number {
  return row.flags.reduce((count, bits) => count + (isUnread(bits) ? 1 : 0), 0)
}

function byChunk(messages: readonly NewMessage[]): Map<number, NewMessage[]> {
  const chunks = new Map<number, NewMessage[]>()
  for (const message of messages) {
    const chunk = chunkOf(message.packed.uid)
    const group = chunks.get(chunk)
    if (group === undefined) chunks.set(chunk, [message])
    else group.push(message)
  }
  return chunks
}

/** Walks messages and pairs side by side, both ascending. */
function pairUp(
  messages: readonly PackedMessage[],
  pairs: readonly { readonly from: number; readonly to: number; readonly length: number }[],
): { readonly uid: number; readonly message: PackedMessage }[] {
  const found: { uid: number; message: PackedMessage }[] = []
  let at = 0
  for (const message of messages) {
    while (at < pairs.length && message.uid >= (pairs[at]?.from as number) + (pairs[at]?.length as number)) at += 1
    const pair = pairs[at]
    if (pair !== undefined && message.uid >= pair.from) found.push({ uid: pair.to + (message.uid - pair.from), message })
  }
  return found
}
