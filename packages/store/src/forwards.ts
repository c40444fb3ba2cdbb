/** Where messages went that were moved or named: paired ranges, kept disjoint per source, and followed to their end (H-18). */

import {
  type AccountId,
  type BoxEpoch,
  type ForwardSource,
  followEffects,
  type LocalTargets,
  type MailboxId,
  type MessageReference,
  type StoredTargets,
  type Targets,
  type Uid,
  type UidRange,
  UidSet,
  type Write,
} from '@tidemail/core'
import { decodeMailbox } from './mailbox-codec.ts'
import { messagesIn } from './packed-columns.ts'
import type { PendingLog } from './pending-log.ts'
import type { ForwardRow, StoreDatabase } from './schema.ts'
import { decoded } from './store-errors.ts'
import { readColumns, type UnitOfWork } from './unit-of-work.ts'

/** A forward that leads in a circle is a bug, and ends here. */
const FORWARD_HOPS_MAX = 64
/** More ranges than this are looked up in one read of all that lies between them. */
const RANGES_BY_NAME_MAX = 8

/** Records where messages went; what an earlier forward said of the same numbers no longer counts. */
export async function putForward(unit: UnitOfWork, write: Extract<Write, { kind: 'forward' }>): Promise<void> {
  const { accountId, from, pairs, to } = write
  await endForward(unit, { accountId, from, numbers: pairs.sources })
  const { mailboxId, box } = to
  const fresh = pairs.ranges.map((range) => ({ source: sourceOf(from, accountId), ...range, mailboxId, box, accountId }))
  await unit.db.forwards.bulkPut(fresh)
}

/** Leaves no forward of these numbers. */
export async function endForward(
  { db }: UnitOfWork,
  { accountId, from: origin, numbers }: Omit<Extract<Write, { kind: 'end-forward' }>, 'kind'>,
): Promise<void> {
  const source = sourceOf(origin, accountId)
  const stale = await forwardsOf(db, source, numbers)
  await db.forwards.bulkDelete(stale.map(({ from }): [string, number] => [source, from]))
  const rests = stale.flatMap((row) => {
    const rest = UidSet.range(row.from, row.from + row.length - 1).difference(numbers)
    return rest.ranges.map((range) => partOf(row, range))
  })
  await db.forwards.bulkPut(rests)
}

/** Where a message is now, or null when its mailbox, or that life of it, is gone. */
export async function resolveReference(db: StoreDatabase, reference: MessageReference): Promise<MessageReference | null> {
  const start: Place =
    reference.kind === 'local'
      ? { kind: 'local', numbers: UidSet.of(reference.local) }
      : { ...reference, numbers: UidSet.of(reference.uid) }
  const [place] = await follow(db, reference.kind === 'local' ? reference.accountId : null, start)
  if (place === undefined || place.kind === 'local') return reference
  if ((await db.mailboxes.get(place.mailboxId))?.box !== place.box) return null
  return { kind: 'stored', mailboxId: place.mailboxId, box: place.box, uid: place.numbers.min as Uid }
}

/** The targets after forwards and after the entries that wait (`log`): split by mailbox, stored before local, without those that are gone. */
export async function resolveTargets(
  db: StoreDatabase,
  account: { readonly accountId: AccountId; readonly log: PendingLog['log'] },
  targets: readonly Targets[],
): Promise<Targets[]> {
  const { accountId, log } = account
  const stored = new Map<BoxEpoch, StoredTargets>()
  let locals: UidSet = UidSet.EMPTY
  for (const target of targets) {
    const start: Place = target.kind === 'local' ? { kind: 'local', numbers: target.locals } : { ...target, numbers: target.uids }
    for (const place of await follow(db, accountId, start)) {
      if (place.kind === 'local') locals = locals.union(place.numbers)
      else {
        const { mailboxId, box, numbers } = place
        const uids = numbers.union(stored.get(box)?.uids ?? UidSet.EMPTY)
        stored.set(box, { kind: 'stored', mailboxId, box, uids })
      }
    }
  }
  const existing = await Promise.all([...stored.values()].map((group) => existingOf(db, group)))
  return followEffects([...existing, ...placesOfLocals(locals, log)], log)
}

type Place =
  | { readonly kind: 'stored'; readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly numbers: UidSet }
  | { readonly kind: 'local'; readonly numbers: UidSet }

/** Follows every number to where no forward leads on. */
async function follow(db: StoreDatabase, accountId: AccountId | null, start: Place): Promise<Place[]> {
  const ends: Place[] = []
  let open: Place[] = [start]
  for (let hop = 0; hop < FORWARD_HOPS_MAX && open.length > 0; hop += 1) {
    const next: Place[] = []
    for (const place of open) {
      const from: ForwardSource = place.kind === 'local' ? place : { kind: 'stored', box: place.box }
      const rows = await forwardsOf(db, sourceOf(from, accountId), place.numbers)
      const left = place.numbers.difference(
        UidSet.fromRanges(rows.map((row) => ({ first: row.from, last: row.from + row.length - 1 }))),
      )
      if (!left.isEmpty) ends.push({ ...place, numbers: left })
      next.push(...ledTo(rows, place.numbers))
    }
    open = next
  }
  return [...ends, ...open]
}

/** Where these forwards lead the numbers, joined by box. Both ascend, so they are walked side by side. */
function ledTo(rows: readonly ForwardRow[], numbers: UidSet): Place[] {
  const byBox = new Map<BoxEpoch, { readonly mailboxId: MailboxId; readonly ranges: UidRange[] }>()
  let at = 0
  for (const row of rows) {
    const last = row.from + row.length - 1
    while (at < numbers.ranges.length && (numbers.ranges[at] as UidRange).last < row.from) at += 1
    for (let i = at; i < numbers.ranges.length && (numbers.ranges[i] as UidRange).first <= last; i += 1) {
      const range = numbers.ranges[i] as UidRange
      const piece = partOf(row, { first: Math.max(range.first, row.from), last: Math.min(range.last, last) })
      const group = byBox.get(row.box) ?? { mailboxId: row.mailboxId, ranges: [] }
      group.ranges.push({ first: piece.to, last: piece.to + piece.length - 1 })
      byBox.set(row.box, group)
    }
  }
  return [...byBox].map(([box, { mailboxId, ranges }]) => ({
    kind: 'stored',
    mailboxId,
    box,
    numbers: UidSet.fromRanges(ranges),
  }))
}

/** The forwards of a source that name any of these numbers, ascending. */
async function forwardsOf(db: StoreDatabase, source: string, numbers: UidSet): Promise<ForwardRow[]> {
  if (numbers.isEmpty) return []
  const ranges =
    numbers.ranges.length <= RANGES_BY_NAME_MAX ? numbers.ranges : [{ first: numbers.min as number, last: numbers.max as number }]
  const found = new Map<number, ForwardRow>()
  for (const { first, last } of ranges) {
    const below = await db.forwards.where('[source+from]').between([source, 0], [source, first], true, false).last()
    if (below !== undefined && below.from + below.length > first) found.set(below.from, below)
    const within = await db.forwards.where('[source+from]').between([source, first], [source, last], true, true).toArray()
    for (const row of within) found.set(row.from, row)
  }
  const rows = [...found.values()].sort((a, b) => a.from - b.from)
  return rows.filter(({ from, length }) => !UidSet.range(from, from + length - 1).intersect(numbers).isEmpty)
}

function partOf(row: ForwardRow, { first, last }: UidRange): ForwardRow {
  return { ...row, from: first, to: row.to + (first - row.from), length: last - first + 1 }
}

function sourceOf(from: ForwardSource, accountId: AccountId | null): string {
  return from.kind === 'stored' ? `b${from.box}` : `l${accountId}`
}

/** Those that the server is known to have, or whose rows are held, in the life that the mailbox has now. */
async function existingOf(db: StoreDatabase, group: StoredTargets): Promise<StoredTargets> {
  const row = await db.mailboxes.get(group.mailboxId)
  if (row === undefined || row.box !== group.box) return { ...group, uids: UidSet.EMPTY }
  const { checkpoint } = decoded(`mailbox ${row.id}`, () => decodeMailbox(row))
  const known = group.uids.intersect(checkpoint?.known ?? UidSet.EMPTY)
  const doubtful = group.uids.difference(known)
  const columns = await readColumns(db, group.box, doubtful)
  const held = columns.flatMap((chunk) => messagesIn(chunk, doubtful).map(({ uid }) => uid))
  return { ...group, uids: known.union(UidSet.from(held)) }
}

/** Locals are made in one mailbox, and never leave it under their number. */
function placesOfLocals(locals: UidSet, log: PendingLog['log']): LocalTargets[] {
  if (locals.isEmpty) return []
  return log.flat().flatMap((effect): LocalTargets[] => {
    if (effect.kind !== 'new' && effect.kind !== 'place') return []
    const made = effect.kind === 'new' ? UidSet.of(effect.message.local) : effect.pairs.destinations
    return [{ kind: 'local', mailboxId: effect.mailboxId, locals: made.intersect(locals) }]
  })
}
