/** Which sections of which message are held, and so which bodies are named. */

import { type AccountId, type BodyId, type BoxEpoch, UidSet, type Write } from '@tidemail/core'
import { bodiesIn, type HeldPart, type HeldParts, partsIn, partsRow, RELEASED_BOX, wholeParts, withParts } from './held-parts.ts'
import { HAS_PARTS, messageAt, type PackedMessage, positionOf, withMessages } from './packed-columns.ts'
import type { PartsRow, StoreDatabase } from './schema.ts'
import { hold, openBox, readColumns, saveBox, type UnitOfWork } from './unit-of-work.ts'

type WriteOf<Kind extends Write['kind']> = Extract<Write, { kind: Kind }>
const KEY_MAX = 4_294_967_295

/** Bytes of a message that is not held are passed over: it vanished while they were on their way. */
export async function putPart(unit: UnitOfWork, write: WriteOf<'put-part'>, bodyId: BodyId): Promise<void> {
  const { mailboxId, uid, section } = write
  const part: HeldPart = { ids: [bodyId], octets: null, isWhole: true }
  await changeParts(unit, mailboxId, uid, (held) => new Map(held).set(section, part))
}

/** A piece that does not go on where those before end is passed over: it was asked for twice, or one before it did not come. */
export async function putPartPiece(unit: UnitOfWork, write: WriteOf<'put-part-piece'>, bodyId: BodyId): Promise<void> {
  const { mailboxId, uid, section, offset, bytes, isLast } = write
  await changeParts(unit, mailboxId, uid, (held) => {
    const before = held.get(section)
    if (before?.isWhole === true || (offset !== 0 && before?.octets !== offset)) return held
    const ids = [...(offset === 0 ? [] : (before?.ids ?? [])), ...(bytes.length === 0 ? [] : [bodyId])]
    return new Map(held).set(section, { ids, octets: offset + bytes.length, isWhole: isLast })
  })
}

async function changeParts(
  unit: UnitOfWork,
  mailboxId: WriteOf<'put-part'>['mailboxId'],
  uid: number,
  change: (held: HeldParts) => HeldParts,
): Promise<void> {
  const box = await openBox(unit, mailboxId)
  if (await setParts(unit, box.box, uid, change)) await saveBox(unit, box)
}

/** Carries the parts of messages to their new UIDs; what is held whole there stays. What is only begun goes on where COPYUID says it is the same message. */
export async function carryParts(
  unit: UnitOfWork,
  boxes: { readonly from: BoxEpoch; readonly to: BoxEpoch },
  carried: readonly { readonly uid: number; readonly message: PackedMessage }[],
  options: { readonly only: 'whole' | 'begun-too' },
): Promise<void> {
  const withSome = carried.filter(({ message }) => (message.bits & HAS_PARTS) !== 0)
  const held = await unit.db.parts.bulkGet(withSome.map(({ message }) => [boxes.from, message.uid]))
  for (const [i, { uid }] of withSome.entries()) {
    const parts = partsIn(held[i])
    await addParts(unit, boxes.to, uid, options.only === 'whole' ? wholeParts(parts) : parts)
  }
}

/** A message of a box with what names its content. */
export interface LeavingMessage {
  readonly message: PackedMessage
  readonly emailId: string | null
}

/** Forgets the parts of these messages; of those with an EMAILID, what is whole is kept for whoever else has it. */
export async function dropParts(
  unit: UnitOfWork,
  place: { readonly box: BoxEpoch; readonly accountId: AccountId },
  leaving: readonly LeavingMessage[],
): Promise<void> {
  const withSome = leaving.filter(({ message }) => (message.bits & HAS_PARTS) !== 0)
  if (withSome.length === 0) return
  const keys = withSome.map(({ message }): [number, number] => [place.box, message.uid])
  const rows = await unit.db.parts.bulkGet(keys)
  const kept: PartsRow[] = []
  let number = await nextReleased(unit.db)
  for (const [i, { message, emailId }] of withSome.entries()) {
    const parts = partsIn(rows[i])
    const whole = emailId === null ? new Map<string, HeldPart>() : wholeParts(parts)
    for (const [section, { ids }] of parts) if (!whole.has(section)) for (const id of ids) hold(unit, id, -1)
    if (whole.size === 0 || emailId === null) continue
    const released = { accountId: place.accountId, size: message.size, emailId }
    kept.push({ ...partsRow({ box: RELEASED_BOX, uid: number }, whole), released })
    number += 1
  }
  await unit.db.parts.bulkDelete(keys)
  if (kept.length > 0) await unit.db.parts.bulkPut(kept)
}

/** Lets go of what was kept of messages that had left the account. */
export async function releaseParts(unit: UnitOfWork, accountId: AccountId): Promise<void> {
  const rows = (await partsOfBox(unit.db, RELEASED_BOX)).filter(({ released }) => released?.accountId === accountId)
  for (const row of rows) letGo(unit, row)
  await unit.db.parts.bulkDelete(rows.map(({ box, uid }) => [box, uid]))
}

async function nextReleased(db: StoreDatabase): Promise<number> {
  const last = await db.parts.where('[box+uid]').between([RELEASED_BOX, 0], [RELEASED_BOX, KEY_MAX], true, true).last()
  return (last?.uid ?? 0) + 1
}

function letGo(unit: UnitOfWork, row: PartsRow): void {
  for (const id of bodiesIn(partsIn(row))) hold(unit, id, -1)
}

/** Drops the rows and the parts of a whole box. */
export async function dropBox(unit: UnitOfWork, box: BoxEpoch): Promise<void> {
  for (const row of await partsOfBox(unit.db, box)) letGo(unit, row)
  await unit.db.parts.where('[box+uid]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.columns.where('[box+chunk]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.envelopes.where('[box+chunk]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.boxes.delete(box)
}

export function partsOfBox(db: StoreDatabase, box: BoxEpoch): PromiseLike<PartsRow[]> {
  return db.parts.where('[box+uid]').between([box, 0], [box, KEY_MAX], true, true).toArray()
}

/** Gives a message the parts of another. False when it is not held. */
export function addParts(unit: UnitOfWork, box: BoxEpoch, uid: number, added: HeldParts): Promise<boolean> {
  if (added.size === 0) return Promise.resolve(false)
  return setParts(unit, box, uid, (held) => withParts(held, added))
}

/** Changes which sections of a message are held, and marks its row. False when the message is not held. */
export async function setParts(
  unit: UnitOfWork,
  box: BoxEpoch,
  uid: number,
  change: (held: HeldParts) => HeldParts,
): Promise<boolean> {
  const [columns] = await readColumns(unit.db, box, UidSet.of(uid))
  const position = columns === undefined ? -1 : positionOf(columns, uid)
  if (columns === undefined || position < 0) return false
  const before = partsIn(await unit.db.parts.get([box, uid]))
  const after = change(before)
  if (after === before || after.size === 0) return true
  for (const id of bodiesIn(after)) hold(unit, id, 1)
  for (const id of bodiesIn(before)) hold(unit, id, -1)
  await unit.db.parts.put(partsRow({ box, uid }, after))
  const message = messageAt(columns, position)
  if ((message.bits & HAS_PARTS) === 0) {
    const marked = { ...message, bits: message.bits | HAS_PARTS }
    await unit.db.columns.put(withMessages(columns, [marked], unit.revision))
  }
  return true
}
