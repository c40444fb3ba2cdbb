/** Where references lead after what was forwarded, in the memory store: one number at a time (H-18). */

import {
  type AccountId,
  type BoxEpoch,
  followEffects,
  type LocalTargets,
  type MailboxId,
  type MessageReference,
  type StoredTargets,
  type Targets,
  type Uid,
  UidSet,
} from '@tidemail/core'
import { entriesOf, type MemoryState, rowsOf } from './state.ts'

/** A forward that leads in a circle is a bug, and ends here. */
const FORWARD_HOPS_MAX = 64

type Place =
  | { readonly kind: 'stored'; readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly number: number }
  | { readonly kind: 'local'; readonly number: number }

/** Where a message is now, or null when its mailbox, or that life of it, is gone. */
export function resolveReference(state: MemoryState, reference: MessageReference): MessageReference | null {
  const accountId = reference.kind === 'local' ? reference.accountId : state.mailboxes.get(reference.mailboxId)?.accountId
  const start: Place =
    reference.kind === 'local' ? { kind: 'local', number: reference.local } : { ...reference, number: reference.uid }
  const place = follow(state, accountId ?? ownerOfBox(state, reference), start)
  if (place.kind === 'local') return reference
  if (state.mailboxes.get(place.mailboxId)?.box !== place.box) return null
  return { kind: 'stored', mailboxId: place.mailboxId, box: place.box, uid: place.number as Uid }
}

/** The targets after forwards and after the entries that wait: split by mailbox, without those that are gone. */
export function resolveTargets(state: MemoryState, accountId: AccountId, targets: readonly Targets[]): Targets[] {
  const stored = new Map<string, { readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly uids: number[] }>()
  const local = new Map<MailboxId, number[]>()
  for (const target of targets) {
    for (const number of numbersOf(state, target)) {
      const start: Place = target.kind === 'local' ? { kind: 'local', number } : { ...target, number }
      const place = follow(state, accountId, start)
      if (place.kind === 'stored') {
        if (!existsOnServer(state, place)) continue
        const key = `stored ${place.mailboxId} ${place.box}`
        const group = stored.get(key) ?? { mailboxId: place.mailboxId, box: place.box, uids: [] }
        group.uids.push(place.number)
        stored.set(key, group)
      } else {
        const shownIn = mailboxOfLocal(state, accountId, place.number)
        if (shownIn === undefined) continue
        local.set(shownIn, [...(local.get(shownIn) ?? []), place.number])
      }
    }
  }
  const groups: Targets[] = [
    ...[...stored.values()].map(
      ({ mailboxId, box, uids }): StoredTargets => ({ kind: 'stored', mailboxId, box, uids: UidSet.from(uids) }),
    ),
    ...[...local].map(([mailboxId, locals]): LocalTargets => ({ kind: 'local', mailboxId, locals: UidSet.from(locals) })),
  ]
  const log = entriesOf(state, accountId).map(({ effects }) => effects)
  return followEffects(groups, log)
}

function follow(state: MemoryState, accountId: AccountId | undefined, start: Place): Place {
  let place = start
  for (let hop = 0; hop < FORWARD_HOPS_MAX; hop += 1) {
    const next = step(state, accountId, place)
    if (next === undefined) break
    place = next
  }
  return place
}

/** The latest forward of a number counts. */
function step(state: MemoryState, accountId: AccountId | undefined, place: Place): Place | undefined {
  const forward = state.forwards.findLast(({ from, accountId: owner, pairs }) => {
    const isSource =
      from.kind === 'local' ? place.kind === 'local' && owner === accountId : place.kind === 'stored' && from.box === place.box
    return isSource && pairs.get(place.number) !== undefined
  })
  const number = forward?.pairs.get(place.number)
  if (forward === undefined || number === undefined) return undefined
  return { kind: 'stored', mailboxId: forward.to.mailboxId, box: forward.to.box, number }
}

function ownerOfBox(state: MemoryState, reference: MessageReference): AccountId | undefined {
  if (reference.kind === 'local') return reference.accountId
  return state.forwards.find(({ from }) => from.kind === 'stored' && from.box === reference.box)?.accountId
}

/** Only numbers that can lead somewhere, so that `1:4294967295` is not walked. */
function numbersOf(state: MemoryState, target: Targets): number[] {
  if (target.kind === 'local') return [...target.locals.values()]
  const mailbox = state.mailboxes.get(target.mailboxId)
  let possible = UidSet.from(rowsOf(state, target.box).keys()).union(mailbox?.checkpoint?.known ?? UidSet.EMPTY)
  for (const { from, pairs } of state.forwards) {
    if (from.kind === 'stored' && from.box === target.box) possible = possible.union(pairs.sources)
  }
  return [...possible.intersect(target.uids).values()]
}

function existsOnServer(state: MemoryState, place: Extract<Place, { kind: 'stored' }>): boolean {
  const mailbox = state.mailboxes.get(place.mailboxId)
  if (mailbox === undefined || mailbox.box !== place.box) return false
  return rowsOf(state, place.box).has(place.number) || (mailbox.checkpoint?.known.has(place.number) ?? false)
}

/** Locals are made in one mailbox, and never leave it under their number. */
function mailboxOfLocal(state: MemoryState, accountId: AccountId, local: number): MailboxId | undefined {
  for (const entry of entriesOf(state, accountId)) {
    for (const effect of entry.effects) {
      if (effect.kind === 'new' && effect.message.local === local) return effect.mailboxId
      if (effect.kind === 'place' && effect.pairs.destinations.has(local)) return effect.mailboxId
    }
  }
  return undefined
}
