/** A message made here has been named by the server: it becomes a row like any other. */

import { normaliseFlags, SyncError, UidSet, type Write } from '@tidemail/core'
import { insertMessages, packMessage } from './apply-messages.ts'
import { setParts } from './apply-parts.ts'
import { decodeEffect } from './effects-codec.ts'
import type { HeldPart } from './held-parts.ts'
import { positionOf } from './packed-columns.ts'
import { decoded } from './store-errors.ts'
import { openBox, readColumns, saveBox, type UnitOfWork } from './unit-of-work.ts'

/** Makes row and part of a message that the server has named. A row that stands there already is the server's own word, and stays. */
export async function applyLandLocal(unit: UnitOfWork, write: Extract<Write, { kind: 'land-local' }>): Promise<void> {
  const entry = await unit.db.entries.get(write.entry)
  const effects = decoded(`entry ${write.entry}`, () => entry?.effects.map(decodeEffect) ?? [])
  const effect = effects.find((candidate) => candidate.kind === 'new' && candidate.message.local === write.local)
  if (effect?.kind !== 'new') {
    throw new SyncError('engine.bug', `Entry ${write.entry} makes no message local:${write.local} that could land.`)
  }
  const box = await openBox(unit, write.mailboxId)
  const uids = UidSet.of(write.uid)
  const isStanding = (await readColumns(unit.db, box.box, uids)).some((row) => positionOf(row, write.uid) >= 0)
  if (!isStanding) {
    const flags = normaliseFlags(effect.message.flags)
    await insertMessages(unit, box, [packMessage(box, { ...effect.message, flags, uid: write.uid, modSeq: null })])
  }
  const whole: HeldPart = { ids: [effect.message.bodyId], octets: null, isWhole: true }
  await setParts(unit, box.box, write.uid, (held) => new Map(held).set('', whole))
  await saveBox(unit, box)
}
