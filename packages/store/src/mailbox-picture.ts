/** One mailbox as the app sees it: its index with the pending effects over it, and the counts that follow. Computed when asked for, and kept by revision. */

import {
  type BoxEpoch,
  type Flag,
  foldView,
  hasFlag,
  type LocalId,
  type MailboxId,
  type MailboxOverlay,
  type PlacedMessage,
} from '@tidemail/core'
import {
  findMessage,
  flagsAt,
  type IndexedMessage,
  isUnreadAt,
  type MailboxIndex,
  type MailboxIndexes,
  messagesOfSet,
} from './mailbox-index.ts'
import type { PendingLog } from './pending-log.ts'
import type { BoxRow, StoreDatabase } from './schema.ts'

/** Pictures of mailboxes with pending effects that stay in memory. */
const PICTURES_MAX = 32

/** A local as it shows: its origin's row where it has one. */
export interface PlacedView {
  readonly local: LocalId
  readonly date: number
  readonly flags: readonly Flag[]
  readonly placed: PlacedMessage
  /** Of a stored origin. */
  readonly stored: IndexedMessage | null
}

export interface MailboxPicture {
  readonly overlay: MailboxOverlay | null
  /** Newest first, as they show. */
  readonly placed: readonly PlacedView[]
  readonly total: number
  readonly unread: number
}

/** Keeps what was folded, for as long as neither the log nor the rows have changed. */
export class MailboxPictures {
  readonly #indexes: MailboxIndexes
  readonly #pictures: Map<MailboxId, { readonly key: string; readonly picture: MailboxPicture }> = new Map()

  constructor(indexes: MailboxIndexes) {
    this.#indexes = indexes
  }

  async picture(db: StoreDatabase, box: BoxRow, pending: PendingLog): Promise<MailboxPicture> {
    if (!pending.mailboxes.has(box.mailboxId)) return { overlay: null, placed: [], total: box.total, unread: box.unread }
    const origins = await db.boxes.bulkGet([...pending.origins.keys()])
    const revisions = origins.map((origin) => (origin === undefined ? '' : `${origin.box}@${origin.revision}`))
    const key = `${pending.revision} ${box.box}@${box.revision} ${revisions.join(' ')}`
    const held = this.#pictures.get(box.mailboxId)
    if (held?.key === key) return held.picture
    const picture = await this.#draw(db, box, pending, origins)
    this.#pictures.delete(box.mailboxId)
    this.#pictures.set(box.mailboxId, { key, picture })
    for (const id of this.#pictures.keys()) {
      if (this.#pictures.size <= PICTURES_MAX) break
      this.#pictures.delete(id)
    }
    return picture
  }

  async #draw(
    db: StoreDatabase,
    box: BoxRow,
    pending: PendingLog,
    origins: readonly (BoxRow | undefined)[],
  ): Promise<MailboxPicture> {
    const overlay = foldView({ mailboxId: box.mailboxId, box: box.box }, pending.effects)
    const index = await this.#indexes.load(db, box)
    const needed = new Set(overlay.placed.flatMap(({ origin }) => (origin.kind === 'stored' ? [origin.box] : [])))
    const sources = new Map<BoxEpoch, MailboxIndex>()
    for (const origin of origins) {
      if (origin !== undefined && needed.has(origin.box)) sources.set(origin.box, await this.#indexes.load(db, origin))
    }
    const placed = overlay.placed.flatMap((message) => placedView(message, sources))
    placed.sort((a, b) => b.date - a.date || b.local - a.local)
    let { total, unread } = box
    for (const message of messagesOfSet(index, overlay.hidden)) {
      total -= 1
      if (isUnreadAt(message)) unread -= 1
    }
    for (const message of messagesOfSet(index, overlay.touched)) {
      const uid = message.columns.uids[message.position] as number
      const isSeen = hasFlag(overlay.flagsOf(uid, flagsAt(index, message)), '\\Seen')
      if (isSeen === isUnreadAt(message)) unread += isSeen ? -1 : 1
    }
    total += placed.length
    unread += placed.filter(({ flags }) => !hasFlag(flags, '\\Seen')).length
    return { overlay, placed, total, unread }
  }
}

/** Nothing shows of a message whose origin is not held. */
function placedView(placed: PlacedMessage, sources: ReadonlyMap<BoxEpoch, MailboxIndex>): PlacedView[] {
  const { local, origin } = placed
  if (origin.kind === 'new') {
    const { message } = origin
    return [{ local, date: message.internalDate, flags: placed.flagsOf(message.flags), placed, stored: null }]
  }
  const index = sources.get(origin.box)
  const stored = index === undefined ? null : findMessage(index, origin.uid)
  if (index === undefined || stored === null) return []
  const date = stored.columns.dates[stored.position] as number
  return [{ local, date, flags: placed.flagsOf(flagsAt(index, stored)), placed, stored }]
}
