/** Folds the effects of pending entries over one mailbox: what hides, which flags differ, and what shows there as a local (I-STORE-3). */

import { assertNever } from './errors.ts'
import { FlagIntents } from './flag-intents.ts'
import { type Flag, normaliseFlags } from './flags.ts'
import type { BoxEpoch, LocalId, MailboxId, Uid } from './ids.ts'
import { UidSet } from './uid-set.ts'
import type { LocalMessage, PlaceEffect, Targets, ViewEffect } from './view-effect.ts'

/** What the pending entries make of one mailbox. */
export interface MailboxOverlay {
  /** Stored UIDs of the box that no longer show. */
  readonly hidden: UidSet
  /** Stored UIDs of the box that are pending in any way and still show. They need not be held. */
  readonly touched: UidSet
  /** The view's flags of a stored message of this box; `base` are the server's. */
  flagsOf(uid: number, base: readonly Flag[]): readonly Flag[]
  /** Messages shown here as locals, by ascending local id. Those whose origin row is not held show nothing. */
  readonly placed: readonly PlacedMessage[]
}

/** A message that shows as a local. */
export interface PlacedMessage {
  readonly local: LocalId
  /** What it shows. Chains of locals are followed to their root. */
  readonly origin:
    | { readonly kind: 'stored'; readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly uid: Uid }
    | { readonly kind: 'new'; readonly message: LocalMessage }
  /** The view's flags; `base` are those of the origin row in server state, or of the LocalMessage. */
  flagsOf(base: readonly Flag[]): readonly Flag[]
}

/** A local with the mailbox it shows in. */
export interface LocalPlace extends PlacedMessage {
  readonly mailboxId: MailboxId
}

/** Pure. `effects` are those of all open entries of the account, by rising sequence number, as each entry has them. */
export function foldView(
  mailbox: { readonly mailboxId: MailboxId; readonly box: BoxEpoch },
  effects: readonly ViewEffect[],
): MailboxOverlay {
  const fold = foldAll(effects)
  const { hidden, touched, intents } = fold.boxes.get(mailbox.box) ?? UNTOUCHED
  const placed: PlacedMessage[] = []
  for (const making of fold.makings) {
    if (making.mailboxId !== mailbox.mailboxId) continue
    for (let i = 0; i < making.length; i += 1) {
      const local = (making.to + i) as LocalId
      const place = fold.hiddenLocals.has(local) ? null : placeIn(fold, making, local)
      if (place !== null) placed.push({ local, origin: place.origin, flagsOf: place.flagsOf })
    }
  }
  return {
    hidden,
    touched: touched.difference(hidden),
    flagsOf: (uid, base) => intents.apply(uid, base),
    placed: placed.sort((a, b) => a.local - b.local),
  }
}

/** In which mailbox a local shows now, and what it shows; null when it does not show. */
export function placeOfLocal(local: LocalId, effects: readonly ViewEffect[]): LocalPlace | null {
  const fold = foldAll(effects)
  const making = makingOf(fold, local)
  return making === undefined || fold.hiddenLocals.has(local) ? null : placeIn(fold, making, local)
}

/** What happened to the stored messages of one box. */
interface BoxFold {
  readonly hidden: UidSet
  readonly touched: UidSet
  readonly intents: FlagIntents
}

/** Locals `to`, `to + 1`, ... made by one effect: of these origins, with the flag changes that these had by then. */
interface Making {
  readonly order: number
  readonly mailboxId: MailboxId
  readonly to: number
  readonly length: number
  readonly from:
    | { readonly kind: 'new'; readonly message: LocalMessage }
    | (PlaceEffect['from'] & { readonly first: number; readonly intents: FlagIntents })
}

interface Fold {
  readonly boxes: Map<BoxEpoch, BoxFold>
  /** By ascending local id once all effects are in; no local is made twice. */
  readonly makings: Making[]
  hiddenLocals: UidSet
  localIntents: FlagIntents
}

const UNTOUCHED: BoxFold = { hidden: UidSet.EMPTY, touched: UidSet.EMPTY, intents: FlagIntents.NONE }

function foldAll(effects: readonly ViewEffect[]): Fold {
  const fold: Fold = { boxes: new Map(), makings: [], hiddenLocals: UidSet.EMPTY, localIntents: FlagIntents.NONE }
  for (const effect of effects) foldOne(fold, effect)
  fold.makings.sort((a, b) => a.to - b.to)
  return fold
}

function foldOne(fold: Fold, effect: ViewEffect): void {
  switch (effect.kind) {
    case 'flags':
      if (effect.on.kind === 'local') fold.localIntents = fold.localIntents.with(effect.on.locals, effect.delta)
      else updateBox(fold, effect.on, (box, uids) => ({ ...touch(box, uids), intents: box.intents.with(uids, effect.delta) }))
      return
    case 'hide':
      if (effect.on.kind === 'local') fold.hiddenLocals = fold.hiddenLocals.union(effect.on.locals)
      else updateBox(fold, effect.on, (box, uids) => ({ ...box, hidden: box.hidden.union(uids) }))
      return
    case 'new':
      fold.makings.push({
        order: fold.makings.length,
        mailboxId: effect.mailboxId,
        to: effect.message.local,
        length: 1,
        from: { kind: 'new', message: effect.message },
      })
      return
    case 'place':
      foldPlace(fold, effect)
      return
    case 'keep':
    case 'mailbox':
      return
    default:
      assertNever(effect)
  }
}

function foldPlace(fold: Fold, { mailboxId, from, pairs }: PlaceEffect): void {
  const box = from.kind === 'stored' ? (fold.boxes.get(from.box) ?? UNTOUCHED) : UNTOUCHED
  const intents = from.kind === 'stored' ? box.intents : fold.localIntents
  if (from.kind === 'stored') fold.boxes.set(from.box, touch(box, pairs.sources))
  for (const { from: first, to, length } of pairs.ranges) {
    fold.makings.push({ order: fold.makings.length, mailboxId, to, length, from: { ...from, first, intents } })
  }
}

function updateBox(fold: Fold, on: Extract<Targets, { kind: 'stored' }>, update: (box: BoxFold, uids: UidSet) => BoxFold): void {
  fold.boxes.set(on.box, update(fold.boxes.get(on.box) ?? UNTOUCHED, on.uids))
}

function touch(box: BoxFold, uids: UidSet): BoxFold {
  return { ...box, touched: box.touched.union(uids) }
}

/** The making of a local, by bisection. */
function makingOf({ makings }: Fold, local: number): Making | undefined {
  let low = 0
  let high = makings.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const making = makings[middle] as Making
    if (local < making.to) high = middle - 1
    else if (local >= making.to + making.length) low = middle + 1
    else return making
  }
  return undefined
}

/** Follows a local to its root; null when a local on the way was never made. Each hop leads to an earlier making, so it ends. */
function placeIn(fold: Fold, making: Making, local: LocalId): LocalPlace | null {
  const changes: { readonly intents: FlagIntents; readonly number: number }[] = [{ intents: fold.localIntents, number: local }]
  const place = (origin: PlacedMessage['origin']): LocalPlace => ({
    local,
    mailboxId: making.mailboxId,
    origin,
    flagsOf: (base) =>
      changes.reduceRight<readonly Flag[]>((flags, { intents, number }) => intents.apply(number, flags), normaliseFlags(base)),
  })
  let at = making
  for (let number: number = local; ; ) {
    const { from } = at
    if (from.kind === 'new') return place({ kind: 'new', message: from.message })
    number = from.first + (number - at.to)
    changes.push({ intents: from.intents, number })
    if (from.kind === 'stored') {
      return place({ kind: 'stored', mailboxId: from.mailboxId, box: from.box, uid: number as Uid })
    }
    const earlier = makingOf(fold, number)
    if (earlier === undefined || earlier.order >= at.order) return null
    at = earlier
  }
}
