/** Which sections of which message are held, and so which bodies are named. */

import { type BodyId, type BoxEpoch, UidSet, type Write } from '@tidemail/core'
import { HAS_PARTS, messageAt, type PackedMessage, positionOf, withMessages } from './packed-columns.ts'
import type { PartsRow, StoreDatabase } from './schema.ts'
import { hold, openBox, readColumns, saveBox, type UnitOfWork } from './unit-of-work.ts'

type WriteOf<Kind extends Write['kind']> = Extract<Write, { kind: Kind }>
const KEY_MAX = 4_294_967_295

/** Bytes of a message that is not held are passed over: it vanished while they were on their way. */
export async function putPart(unit: UnitOfWork, write: WriteOf<'put-part'>, bodyId: BodyId): Promise<void> {
  const box = await openBox(unit, write.mailboxId)
  if (await addParts(unit, box.box, write.uid, [[write.section, bodyId]], { replaces: true })) await saveBox(unit, box)
}

/** Carries the parts of messages to their new UIDs; sections that are held there stay. */
export async function carryParts(
  unit: UnitOfWork,
  boxes: { readonly from: BoxEpoch; readonly to: BoxEpoch },
  carried: readonly { readonly uid: number; readonly message: PackedMessage }[],
): Promise<void> {
  const withParts = carried.filter(({ message }) => (message.bits & HAS_PARTS) !== 0)
  const held = await unit.db.parts.bulkGet(withParts.map(({ message }) => [boxes.from, message.uid]))
  for (const [i, { uid }] of withParts.entries()) {
    await addParts(unit, boxes.to, uid, held[i]?.held ?? [], { replaces: false })
  }
}

/** Forgets the parts of these messages. */
export async function dropParts(unit: UnitOfWork, box: BoxEpoch, messages: readonly PackedMessage[]): Promise<void> {
  const keys = messages.filter(({ bits }) => (bits & HAS_PARTS) !== 0).map(({ uid }): [number, number] => [box, uid])
  if (keys.length === 0) return
  for (const row of await unit.db.parts.bulkGet(keys)) for (const [, id] of row?.held ?? []) hold(unit, id, -1)
  await unit.db.parts.bulkDelete(keys)
}

/** Drops the rows and the parts of a whole box. */
export async function dropBox(unit: UnitOfWork, box: BoxEpoch): Promise<void> {
  for (const row of await partsOfBox(unit.db, box)) for (const [, id] of row.held) hold(unit, id, -1)
  await unit.db.parts.where('[box+uid]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.columns.where('[box+chunk]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.envelopes.where('[box+chunk]').between([box, 0], [box, KEY_MAX], true, true).delete()
  await unit.db.boxes.delete(box)
}

function partsOfBox(db: StoreDatabase, box: BoxEpoch): PromiseLike<PartsRow[]> {
  return db.parts.where('[box+uid]').between([box, 0], [box, KEY_MAX], true, true).toArray()
}

/** Adds sections to a message, and marks its row. False when the message is not held. */
export async function addParts(
  unit: UnitOfWork,
  box: BoxEpoch,
  uid: number,
  added: PartsRow['held'],
  options: { readonly replaces: boolean },
): Promise<boolean> {
  const [columns] = await readColumns(unit.db, box, UidSet.of(uid))
  const position = columns === undefined ? -1 : positionOf(columns, uid)
  if (columns === undefined || position < 0 || added.length === 0) return false
  const held = new Map((await unit.db.parts.get([box, uid]))?.held ?? [])
  for (const [section, id] of added) {
    const before = held.get(section)
    if (before !== undefined && !options.replaces) continue
    hold(unit, id, 1)
    if (before !== undefined) hold(unit, before, -1)
    held.set(section, id)
  }
  await unit.db.parts.put({ box, uid, held: [...held].sort(([a], [b]) => (a < b ? -1 : 1)) })
  const message = messageAt(columns, position)
  if ((message.bits & HAS_PARTS) === 0) {
    const marked = { ...message, bits: message.bits | HAS_PARTS }
    await unit.db.columns.put(withMessages(columns, [marked], unit.revision))
  }
  return true
}
