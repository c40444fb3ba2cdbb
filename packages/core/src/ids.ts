/** The identities of the engine. Each is branded, and checked once, where it enters: `uid(n)`, `uidValidity(n)`, `modSeq(n)`. */

import { SyncError } from './errors.ts'

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** A message's unique identifier in a mailbox: 1 to 4,294,967,295 (RFC 9051 §2.3.1.1). */
export type Uid = Branded<number, 'Uid'>
/** The validity of a mailbox's UIDs: 1 to 4,294,967,295 (RFC 9051 §2.3.1.1). */
export type UidValidity = Branded<number, 'UidValidity'>
/** A mod-sequence: 1 to 2^63 - 1 (RFC 7162 §3.1). Never an IndexedDB key and never through `JSON.stringify`. */
export type ModSeq = Branded<bigint, 'ModSeq'>
/** A message that exists only here so far; shown as `local:3`. Unique in its account, never reused, never sent (RFC 4549 §5.1). */
export type LocalId = Branded<number, 'LocalId'>
/** An account in a store. */
export type AccountId = Branded<string, 'AccountId'>
/** A mailbox in a store, whatever its name becomes. */
export type MailboxId = Branded<number, 'MailboxId'>
/** One life of a mailbox's UIDs: a new number for every UIDVALIDITY. */
export type BoxEpoch = Branded<number, 'BoxEpoch'>
/** An entry's place in the replay log: rises by one, never reused. */
export type EntrySeq = Branded<number, 'EntrySeq'>
/** A claim: the durable record that steps are about to be sent. */
export type ClaimId = Branded<string, 'ClaimId'>
/** The bytes of a message or of one of its parts, named by their SHA-256. */
export type BodyId = Branded<string, 'BodyId'>

/** The greatest UID and UIDVALIDITY there can be. */
export const UID_MAX = 4_294_967_295
/** The greatest mod-sequence there can be (RFC 7162 §7: 63 bits). */
export const MOD_SEQ_MAX = 9_223_372_036_854_775_807n

/** Checks a UID. @throws SyncError `input.bad-uid` when it is no whole number from 1 to 4,294,967,295. */
export function uid(value: number): Uid {
  return nonZero32(value, 'UID') as Uid
}

/** Checks a UIDVALIDITY. @throws SyncError `input.bad-uid` as {@link uid}. */
export function uidValidity(value: number): UidValidity {
  return nonZero32(value, 'UIDVALIDITY') as UidValidity
}

/** Checks a mod-sequence; text is decimal digits. @throws SyncError `input.bad-mod-seq` outside 1 to 2^63 - 1, and for numbers that are not exact. */
export function modSeq(value: bigint | number | string): ModSeq {
  const isExact = typeof value === 'string' ? /^\d{1,19}$/.test(value) : typeof value === 'bigint' || Number.isSafeInteger(value)
  const exact = isExact ? BigInt(value) : 0n
  if (exact < 1n || exact > MOD_SEQ_MAX) {
    throw new SyncError('input.bad-mod-seq', `${String(value).slice(0, 40)} is not a mod-sequence.`)
  }
  return exact as ModSeq
}

/** Checks a local id. @throws SyncError `input.bad-uid` as {@link uid}. */
export function localId(value: number): LocalId {
  return nonZero32(value, 'local id') as LocalId
}

export const accountId = (value: string): AccountId => value as AccountId
export const mailboxId = (value: number): MailboxId => value as MailboxId
/** The place of what is in no mailbox, and of a local of which nobody says in which one it shows: no mailbox of a store has this number. */
export const NO_MAILBOX: MailboxId = mailboxId(0)

export const boxEpoch = (value: number): BoxEpoch => value as BoxEpoch
export const entrySeq = (value: number): EntrySeq => value as EntrySeq
export const claimId = (value: string): ClaimId => value as ClaimId
export const bodyId = (value: string): BodyId => value as BodyId

function nonZero32(value: number, what: string): number {
  if (!Number.isInteger(value) || value < 1 || value > UID_MAX) {
    throw new SyncError('input.bad-uid', `${value} is not a ${what}: it must be a whole number from 1 to ${UID_MAX}.`)
  }
  return value
}
