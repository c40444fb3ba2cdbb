/** Turns the answers to a forward plan into what the store writes, after checking that they add up. */

import {
  type Checkpoint,
  type Done,
  type Flag,
  type FlagState,
  flagKey,
  type MailboxRecord,
  type ModSeq,
  type Observation,
  type Opened,
  type Rejection,
  type Tier,
  UID_MAX,
  UidSet,
  type UidValidity,
  type Write,
} from '@tidemail/core'
import { windowTaking } from './held-window.ts'
import type { ForwardPlan } from './plan-forward.ts'
import { namesLongGone } from './sequence-match.ts'
import { addsUp, hasFewerUids, hasGoneBack, isUsableForQresync, UIDNEXT_WENT_BACK } from './trust-checks.ts'
import { uidAfter } from './uid-after.ts'
import { type Seen, whatWasSeen } from './what-was-seen.ts'

export type ForwardResult =
  /** Believed: what to write, and the mailbox as it is then. */
  | Taken
  /** The answers do not add up: ask for the list of UIDs, then take the answers of both together. */
  | { readonly kind: 'verify'; readonly uidValidity: UidValidity; readonly list: UidSet | null }
  /** The server did not keep to the tier: look again by a lower one. */
  | { readonly kind: 'lower-tier'; readonly tier: Tier; readonly reason: string }
  /** The mailbox moved between STATUS and SELECT, further than what was asked for: look again, believing the SELECT. */
  | { readonly kind: 'moved' }
  /** UIDVALIDITY is another: nothing of what was known holds (RFC 4549 §4.1). */
  | { readonly kind: 'reset'; readonly opened: Opened }
  /** The server does not take a sample of numbers: open it without. */
  | { readonly kind: 'sample-refused' }
  /** The server refused to open it, or to tell what is in it. */
  | { readonly kind: 'refused'; readonly what: 'open' | 'read'; readonly rejection: Rejection | null }
  /** The connection ended before the answers were complete; nothing is written. */
  | { readonly kind: 'lost' }

export interface Taken {
  readonly kind: 'taken'
  readonly mailbox: MailboxRecord
  readonly writes: readonly Write[]
  readonly news: ForwardNews
  /** Whether the server told of messages that were gone before: it has forgotten when they went. */
  readonly isForgetful: boolean
}

export interface ForwardNews {
  readonly fetched: number
  readonly removed: number
  readonly flagsChanged: number
}

/** Flags of the rows that are held, by UID. */
export type HeldFlags = ReadonlyMap<number, readonly Flag[]>

/**
 * Decides on all observations since the mailbox was opened. Pure; the same observations give the same result. `held` are the flags
 * held of a mailbox without mod-sequences, which tells all of them each time: then only those that differ are news.
 */
export function takeForward(plan: ForwardPlan, observations: readonly Observation[], held?: HeldFlags): ForwardResult {
  const { mailbox, tier } = plan.request
  const opened = observations.find((item): item is Opened => item.kind === 'opened' && item.id === plan.openId)
  const endings = observations.filter((item): item is Done => item.kind === 'done')
  if (opened === undefined) return refusalOf(plan, endings)
  if (mailbox.uidValidity !== null && isOther(opened, mailbox)) return { kind: 'reset', opened }
  if (endings.some((done) => done.outcome === 'stale') && !isPlannedFor(plan, opened)) return { kind: 'reset', opened }
  if (!plan.steps.every((step) => endings.some((done) => done.id === step.id && done.outcome === 'ok')))
    return failureOf(plan, endings)
  if (
    tier !== 'plain' &&
    plan.bringsFlags &&
    mailbox.checkpoint !== null &&
    hasFewerUids(mailbox.checkpoint.uidNext, opened.uidNext)
  )
    return { kind: 'lower-tier', tier: 'plain', reason: UIDNEXT_WENT_BACK }
  const before = mailbox.checkpoint?.highestModSeq ?? null
  const asked = tier === 'qresync' && before !== null && mailbox.uidValidity !== null
  if (asked && !isUsableForQresync(opened, before)) {
    return hasGoneBack(before, opened.highestModSeq) || opened.highestModSeq === null
      ? { kind: 'lower-tier', tier: 'plain', reason: 'HIGHESTMODSEQ is missing or went back' }
      : { kind: 'lower-tier', tier: 'condstore', reason: 'the server did not report what changed' }
  }
  // CHANGEDSINCE with a mod-sequence of the future tells of no change: FETCH of it all does (FIELD-3).
  if (tier === 'condstore' && plan.bringsFlags && hasGoneBack(before, opened.highestModSeq))
    return { kind: 'lower-tier', tier: 'plain', reason: 'HIGHESTMODSEQ went back' }
  if (hasMovedOn(plan, opened)) return { kind: 'moved' }
  const seen = whatWasSeen(plan, observations)
  const exists = endings.findLast((done) => done.exists !== null)?.exists ?? opened.exists
  const known = knownAfter(plan, opened, seen)
  const isListedTwice = seen.whole !== null && plan.doubtedList?.equals(seen.whole) === true
  // Who never confirmed QRESYNC has no business naming what vanished (RFC 7162 §3.2.10): the count goes down with it, so that it adds up whatever is named.
  const isUnaskedFor = tier !== 'qresync' && !seen.vanished.isEmpty
  if ((isUnaskedFor || !addsUp(known, exists) || !addedUpAtOpen(plan, opened, seen)) && !isListedTwice) {
    return { kind: 'verify', uidValidity: opened.mailbox.uidValidity, list: seen.whole }
  }
  return taken(plan, opened, seen, known, held)
}

/**
 * When the mailbox was opened, all below UIDNEXT were there, or have been named since. CONDSTORE does not tell what was expunged (RFC 4549 §6.1), and a message
 * that came after the last FETCH is counted and not named: one of each, and the count at the end is as it was. With QRESYNC a message of ours that is not
 * listed yet may stand in the count for one that came unnamed.
 */
function addedUpAtOpen(
  { request: { mailbox, tier } }: ForwardPlan,
  { exists, uidNext }: Opened,
  { earlier, named, whole }: Seen,
): boolean {
  if (tier === 'plain' || whole !== null || uidNext === null || mailbox.checkpoint === null) return true
  return addsUp(mailbox.checkpoint.known.difference(earlier).union(named).difference(UidSet.range(uidNext, UID_MAX)), exists)
}

/** UIDVALIDITY may be the second of creation, so that two mailboxes have the same: where there is a MAILBOXID, it tells them apart (RFC 8474 §4). */
function isOther({ mailbox, objectId }: Opened, known: MailboxRecord): boolean {
  if (mailbox.uidValidity !== known.uidValidity) return true
  return objectId !== null && known.objectId !== null && objectId !== known.objectId
}

/** Whether the steps name the UIDVALIDITY that the mailbox has: then a step is stale only because the mailbox could not be opened again. */
function isPlannedFor({ steps }: ForwardPlan, { mailbox }: Opened): boolean {
  return steps.every((step) => !('mailbox' in step) || step.mailbox.uidValidity === mailbox.uidValidity)
}

/** Without QRESYNC only what was asked for is told: new flags, and messages from a UID on. */
function hasMovedOn({ request, bringsFlags, steps, wholeListId }: ForwardPlan, opened: Opened): boolean {
  const { checkpoint } = request.mailbox
  if (checkpoint === null || request.tier !== 'condstore' || request.newMessages === 'list' || wholeListId !== null) return false
  const hasNewUids = opened.uidNext !== null && opened.uidNext > checkpoint.uidNext
  const asksForNew = steps.some((step) => (step.kind === 'fetch' && step.items === 'summary') || step.kind === 'search')
  const hasNewFlags = opened.highestModSeq !== checkpoint.highestModSeq
  return (hasNewUids && !asksForNew) || (hasNewFlags && !bringsFlags)
}

/** Without mod-sequences the flags of everything are told each time: news are those that differ from what is held. */
function newsAmong(states: readonly FlagState[], held: HeldFlags | undefined): readonly FlagState[] {
  if (held === undefined) return states
  return states.filter(({ uid, flags }) => {
    const before = held.get(uid)
    return before === undefined || !haveSameFlags(before, flags)
  })
}

function haveSameFlags(a: readonly Flag[], b: readonly Flag[]): boolean {
  const keys = new Set(a.map(flagKey))
  return keys.size === new Set(b.map(flagKey)).size && b.every((flag) => keys.has(flagKey(flag)))
}

function knownAfter(plan: ForwardPlan, opened: Opened, seen: Seen): UidSet {
  if (opened.exists === 0 && seen.named.isEmpty) return UidSet.EMPTY
  const before = plan.request.mailbox.checkpoint?.known ?? UidSet.EMPTY
  return (seen.whole ?? before.union(seen.named)).difference(seen.vanished)
}

/** Where the open does not tell UIDNEXT (Courier), STATUS told it before: whatever is below has been listed since. */
function uidNextOf({ request: { status } }: ForwardPlan, { mailbox, uidNext }: Opened): number {
  if (uidNext !== null) return uidNext
  return status !== null && status.uidValidity === mailbox.uidValidity ? (status.uidNext ?? 1) : 1
}

function taken(plan: ForwardPlan, opened: Opened, seen: Seen, known: UidSet, heldFlags: HeldFlags | undefined): ForwardResult {
  const { mailbox } = plan.request
  const before = mailbox.checkpoint
  const held = before?.covered ?? UidSet.EMPTY
  const gone = (before?.known ?? UidSet.EMPTY).difference(known)
  // What is held does not change but for its flags: NIL of a message that is being expunged overwrites nothing (RFC 2180 §4.1.3).
  const messages = seen.messages.filter((message) => known.has(message.uid) && !held.has(message.uid))
  const again = seen.messages.map(({ uid, flags, modSeq }): FlagState => ({ uid, flags, modSeq }))
  const states = [...seen.states, ...again].filter((state) => held.has(state.uid) && known.has(state.uid))
  const news = newsAmong(states, heldFlags)
  // What is stated without a mod-sequence takes the place of one that is not believed any more.
  const stated = before?.highestModSeq == null ? news : states
  const covered = held.union(UidSet.from(messages.map((message) => message.uid))).intersect(known)
  const highestModSeq = modSeqAfter(plan, opened)
  // What is merely not listed may be there all the same.
  const marked = (before?.marked ?? UidSet.EMPTY).difference(seen.vanished)
  const goneSince = highestModSeq === null ? UidSet.EMPTY : goneSinceOf(plan, seen, known)
  const checkpoint: Checkpoint = {
    uidNext: uidAfter(known, uidNextOf(plan, opened), before?.uidNext ?? 1),
    highestModSeq,
    known,
    covered,
    ...(goneSince.isEmpty ? {} : { goneSince }),
    ...(before?.namedUpTo === undefined ? {} : { namedUpTo: before.namedUpTo }),
    ...(marked.isEmpty ? {} : { marked }),
  }
  const updated: MailboxRecord = {
    ...mailbox,
    uidValidity: opened.mailbox.uidValidity,
    objectId: opened.objectId ?? mailbox.objectId,
    permanentFlags: opened.permanentFlags,
    isReadOnly: opened.isReadOnly,
    checkpoint,
    partsHeldFor: messages.length > 0 ? null : mailbox.partsHeldFor,
    ...(mailbox.window == null ? {} : { window: windowTaking(mailbox, known.difference(before?.known ?? UidSet.EMPTY)) }),
  }
  const writes: Write[] = [{ kind: 'put-mailbox', mailbox: updated }]
  if (!gone.isEmpty) writes.push({ kind: 'remove-messages', mailboxId: mailbox.id, uids: gone })
  if (messages.length > 0) writes.push({ kind: 'put-messages', mailboxId: mailbox.id, messages })
  if (stated.length > 0) writes.push({ kind: 'put-flags', mailboxId: mailbox.id, states: stated })
  return {
    kind: 'taken',
    mailbox: updated,
    writes,
    news: { fetched: messages.length, removed: gone.size, flagsChanged: news.length },
    isForgetful: before !== null && opened.isResynced && namesLongGone(before, seen.earlier),
  }
}

/** What is not there and was not told as gone before the mod-sequence: it may have gone later, and be told then. */
function goneSinceOf(plan: ForwardPlan, { named, earlier }: Seen, known: UidSet): UidSet {
  const before = plan.request.mailbox.checkpoint
  const untold = (before?.known ?? UidSet.EMPTY).union(named).difference(known).difference(earlier)
  return plan.bringsFlags ? untold : untold.union(before?.goneSince ?? UidSet.EMPTY)
}

/** H-12: the value of the SELECT, once everything up to it is taken in; the old one where flags were not asked for. */
function modSeqAfter(plan: ForwardPlan, opened: Opened): ModSeq | null {
  if (opened.highestModSeq === null) return null
  return plan.bringsFlags ? opened.highestModSeq : (plan.request.mailbox.checkpoint?.highestModSeq ?? null)
}

function refusalOf({ openId, steps }: ForwardPlan, endings: readonly Done[]): ForwardResult {
  const done = endings.find(({ id }) => id === openId)
  const open = steps.find(({ id }) => id === openId)
  const isSampled = open?.kind === 'open' && open.known?.sequenceMatch !== undefined
  if (isSampled && done?.rejection?.status === 'BAD') return { kind: 'sample-refused' }
  return done?.outcome === 'rejected' ? { kind: 'refused', what: 'open', rejection: done.rejection } : { kind: 'lost' }
}

function failureOf({ openId }: ForwardPlan, endings: readonly Done[]): ForwardResult {
  const rejected = endings.find((done) => done.outcome === 'rejected')
  if (rejected === undefined) return { kind: 'lost' }
  return { kind: 'refused', what: rejected.id === openId ? 'open' : 'read', rejection: rejected.rejection }
}
