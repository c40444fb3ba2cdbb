/** The stored form of view effects: UID sets as RFC 9051 writes them, pairs as triples. Structured clone would strip their classes. */

import {
  assertNever,
  type BodyId,
  type FlagDelta,
  type LocalMessage,
  type MailboxChange,
  type MailboxId,
  type PlaceEffect,
  type Targets,
  UidPairs,
  UidSet,
  type ViewEffect,
} from '@tidemail/core'

type StoredOn =
  | { readonly kind: 'stored'; readonly mailboxId: number; readonly box: number; readonly uids: string }
  | { readonly kind: 'local'; readonly mailboxId: number; readonly locals: string }

export type StoredEffect =
  | { readonly kind: 'flags'; readonly on: StoredOn; readonly delta: FlagDelta }
  | { readonly kind: 'hide'; readonly on: StoredOn }
  | { readonly kind: 'place'; readonly mailboxId: number; readonly from: PlaceEffect['from']; readonly pairs: readonly number[] }
  | { readonly kind: 'new'; readonly mailboxId: number; readonly message: LocalMessage }
  | { readonly kind: 'keep'; readonly bodyId: string }
  | { readonly kind: 'mailbox'; readonly mailboxId: number; readonly change: MailboxChange }

export function encodeEffect(effect: ViewEffect): StoredEffect {
  switch (effect.kind) {
    case 'flags':
      return { kind: 'flags', on: encodeTargets(effect.on), delta: effect.delta }
    case 'hide':
      return { kind: 'hide', on: encodeTargets(effect.on) }
    case 'place':
      return { kind: 'place', mailboxId: effect.mailboxId, from: effect.from, pairs: encodePairs(effect.pairs) }
    case 'new':
      return { kind: 'new', mailboxId: effect.mailboxId, message: effect.message }
    case 'keep':
    case 'mailbox':
      return effect
    default:
      return assertNever(effect)
  }
}

/** @throws Error when it is not what {@link encodeEffect} makes. */
export function decodeEffect(stored: StoredEffect): ViewEffect {
  switch (stored.kind) {
    case 'flags':
      return { kind: 'flags', on: decodeTargets(stored.on), delta: stored.delta }
    case 'hide':
      return { kind: 'hide', on: decodeTargets(stored.on) }
    case 'place':
      return { kind: 'place', mailboxId: stored.mailboxId as MailboxId, from: stored.from, pairs: decodePairs(stored.pairs) }
    case 'new':
      return { kind: 'new', mailboxId: stored.mailboxId as MailboxId, message: stored.message }
    case 'keep':
      return { kind: 'keep', bodyId: stored.bodyId as BodyId }
    case 'mailbox':
      return { kind: 'mailbox', mailboxId: stored.mailboxId as MailboxId, change: stored.change }
    default:
      return assertNever(stored)
  }
}

function encodeTargets(on: Targets): StoredOn {
  if (on.kind === 'local') return { kind: 'local', mailboxId: on.mailboxId, locals: on.locals.toString() }
  return { kind: 'stored', mailboxId: on.mailboxId, box: on.box, uids: on.uids.toString() }
}

function decodeTargets(on: StoredOn): Targets {
  const mailboxId = on.mailboxId as MailboxId
  if (on.kind === 'local') return { kind: 'local', mailboxId, locals: UidSet.parse(on.locals) }
  return { kind: 'stored', mailboxId, box: on.box as never, uids: UidSet.parse(on.uids) }
}

function encodePairs(pairs: UidPairs): number[] {
  return pairs.ranges.flatMap(({ from, to, length }) => [from, to, length])
}

function decodePairs(numbers: readonly number[]): UidPairs {
  const ranges = []
  for (let i = 0; i + 2 < numbers.length; i += 3) {
    ranges.push({ from: numbers[i] as number, to: numbers[i + 1] as number, length: numbers[i + 2] as number })
  }
  return new UidPairs(ranges)
}
