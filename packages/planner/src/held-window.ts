/** Decides which rows of a mailbox a policy holds: the window, how it moves, and what leaves it. */

import {
  type HeldWindow,
  leftOutRows,
  type MailboxRecord,
  type SearchStep,
  type Step,
  UID_MAX,
  type Uid,
  UidSet,
  wantedRows,
} from '@tidemail/core'
import type { Entry } from '@tidemail/replay-log'
import type { Hold } from './policy.ts'
import type { StepNamer } from './step-ids.ts'

export const DAY_MS = 86_400_000
/** The server's day may begin so much before or after that of UTC, and SEARCH SINCE goes by the server's (RFC 9051 §6.4.4). */
const DAY_SLACK_MS = DAY_MS

/** What the window is decided on. */
export interface WindowQuestion {
  readonly mailbox: MailboxRecord
  readonly hold: Hold
  /** Milliseconds since 1970. */
  readonly now: number
}

export type WindowPlan =
  /** It is as it was. */
  | { readonly kind: 'unmoved' }
  /** Decided by what is known here; null holds everything. */
  | { readonly kind: 'moved'; readonly window: HeldWindow | null }
  /** A day has passed: the dates of these rows, which are held, decide. */
  | { readonly kind: 'dates'; readonly of: UidSet }
  /** Nothing here tells which messages are of the days held: the server is asked. */
  | { readonly kind: 'search'; readonly since: number }

/** Pure. A mailbox that was never taken in has no window yet. */
export function planWindow({ mailbox, hold, now }: WindowQuestion): WindowPlan {
  const { checkpoint } = mailbox
  const before = mailbox.window ?? null
  if (checkpoint === null) return { kind: 'unmoved' }
  if (hold === 'whole') return before === null ? { kind: 'unmoved' } : { kind: 'moved', window: null }
  if (hold !== 'new-only' && 'lastMessages' in hold) {
    const { known } = checkpoint
    const newest = known.highest(hold.lastMessages)
    const from = newest.size === known.size ? 1 : (newest.min ?? 1)
    return moved(mailbox, { ...made(mailbox, hold), from })
  }
  const isMade = before !== null && before.box === mailbox.box && before.hold === nameOf(hold)
  if (hold === 'new-only') {
    if (isMade) return { kind: 'unmoved' }
    // A new UIDVALIDITY says nothing of when messages came: the time of the first look does.
    if (before?.hold === nameOf(hold) && before.since !== null) return { kind: 'search', since: before.since - DAY_SLACK_MS }
    return moved(mailbox, { ...made(mailbox, hold), from: checkpoint.uidNext, since: now })
  }
  const since = firstDay(now, hold.lastDays)
  if (isMade && before.since === since) return { kind: 'unmoved' }
  // What an earlier window with more days has left out stays out of this one.
  const isNarrower = before !== null && before.box === mailbox.box && isOfDays(before) && before.since <= since
  const undecided = isNarrower ? UidSet.EMPTY : checkpoint.known.difference(checkpoint.covered)
  return undecided.isEmpty ? { kind: 'dates', of: checkpoint.covered } : { kind: 'search', since: since - DAY_SLACK_MS }
}

/** Opens the mailbox and asks for the messages of these days. */
export function planWindowSearch({ path, uidValidity }: MailboxRecord, since: number, name: StepNamer): Step[] {
  if (uidValidity === null) return []
  const reason = 'see which messages are of the days that the policy holds'
  const search: SearchStep = {
    kind: 'search',
    id: name('search'),
    mailbox: { path, uidValidity },
    uids: UidSet.ALL,
    since,
    reason,
  }
  return [{ kind: 'open', id: name('open'), path, access: 'examine', reason }, search]
}

/** What was learnt of dates: those of held rows, and what a search found, if there was one. */
export interface DatesLearnt {
  readonly held: readonly { readonly uid: Uid; readonly internalDate: number }[]
  readonly found: UidSet | null
}

/** The window of days, once dates are known. Messages that come from now on are in it, whatever their date is: nobody knows it yet. */
export function windowOfDays({ mailbox, hold, now }: WindowQuestion, { held, found }: DatesLearnt): HeldWindow {
  const before = mailbox.window ?? null
  const isNewOnly = hold === 'new-only'
  const since =
    hold === 'new-only'
      ? (before?.since ?? now)
      : firstDay(now, typeof hold === 'object' && 'lastDays' in hold ? hold.lastDays : 0)
  const covered = mailbox.checkpoint?.covered ?? UidSet.EMPTY
  const young = held.filter(({ internalDate }) => isNewOnly || internalDate >= since - DAY_SLACK_MS)
  const ofHeld = UidSet.from(young.map(({ uid }) => uid))
  const ofOthers = found === null ? wantedRows(mailbox).difference(covered) : found.difference(covered)
  const from = mailbox.checkpoint?.uidNext ?? 1
  return { ...made(mailbox, hold), from, dated: ofHeld.union(ofOthers).difference(UidSet.range(from, UID_MAX)), since }
}

/** The window after these became known: what of them is below its beginning was not there when dates were asked for, and may be young. */
export function windowTaking(mailbox: MailboxRecord, arrived: UidSet): HeldWindow | null {
  const { window } = mailbox
  if (window === undefined || window === null || window.since === null || window.box !== mailbox.box) return window ?? null
  const below = arrived.difference(UidSet.range(window.from, UID_MAX))
  return below.isEmpty ? window : { ...window, dated: window.dated.union(below) }
}

/** The window with so many of the newest messages that it leaves out; `count` 0 lets go of all that were asked for before. */
export function backfilled(mailbox: MailboxRecord, count: number): HeldWindow | null {
  const { window } = mailbox
  if (window === undefined || window === null) return null
  if (count === 0) return { ...window, backfilled: UidSet.EMPTY }
  return { ...window, backfilled: window.backfilled.union(leftOutRows(mailbox).highest(count)) }
}

/** Rows that are held and that the policy does not hold any more; never what an open entry names (I-STORE-2). */
export function planEviction(mailbox: MailboxRecord, entries: readonly Entry[]): UidSet {
  const outside = (mailbox.checkpoint?.covered ?? UidSet.EMPTY).difference(wantedRows(mailbox))
  return outside.isEmpty ? outside : outside.difference(namedBy(entries, mailbox))
}

/** Rows that an open entry needs and that are not held: it was accepted after they were evicted, from what the app still showed. */
export function planReturn(mailbox: MailboxRecord, entries: readonly Entry[]): UidSet {
  const { checkpoint } = mailbox
  if (checkpoint === null) return UidSet.EMPTY
  return namedBy(entries, mailbox).intersect(checkpoint.known).difference(checkpoint.covered)
}

function namedBy(entries: readonly Entry[], { box }: MailboxRecord): UidSet {
  return entries
    .flatMap(({ progress }) => progress)
    .reduce(
      (named, { targets }) => (targets.kind === 'stored' && targets.box === box ? named.union(targets.uids) : named),
      UidSet.EMPTY,
    )
}

function moved(mailbox: MailboxRecord, window: HeldWindow): WindowPlan {
  const before = mailbox.window ?? null
  return before !== null && isSame(before, window) ? { kind: 'unmoved' } : { kind: 'moved', window }
}

function isSame(a: HeldWindow, b: HeldWindow): boolean {
  return (
    a.hold === b.hold &&
    a.box === b.box &&
    a.from === b.from &&
    a.since === b.since &&
    a.dated.equals(b.dated) &&
    a.backfilled.equals(b.backfilled)
  )
}

/** A window with nothing in it but what was asked for beyond the one before. */
function made({ box, window }: MailboxRecord, hold: Hold): HeldWindow {
  const backfilled = window?.box === box ? window.backfilled : UidSet.EMPTY
  return { hold: nameOf(hold), box, from: UID_MAX, dated: UidSet.EMPTY, since: null, backfilled }
}

/** `last-days:30`. */
function nameOf(hold: Hold): string {
  if (typeof hold === 'string') return hold
  return 'lastDays' in hold ? `last-days:${hold.lastDays}` : `last-messages:${hold.lastMessages}`
}

function isOfDays(window: HeldWindow): window is HeldWindow & { readonly since: number } {
  return window.since !== null && window.hold !== nameOf('new-only')
}

/** Midnight, in UTC, of the first day that is held; today is the last one. */
function firstDay(now: number, days: number): number {
  return (Math.floor(now / DAY_MS) - days + 1) * DAY_MS
}
