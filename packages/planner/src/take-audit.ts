/** Says how what is kept of a mailbox differs from what the server told, and what the store must write to set it right. */

import {
  type Done,
  type Flag,
  type FlagState,
  flagKey,
  type MailboxRecord,
  type MessageIdentity,
  type Observation,
  type Opened,
  type RowSeen,
  UidSet,
  type Write,
} from '@tidemail/core'
import { windowTaking } from './held-window.ts'
import type { AuditListPlan } from './plan-audit.ts'
import { withoutGone } from './server-state-changes.ts'
import { addsUp } from './trust-checks.ts'
import { uidAfter } from './uid-after.ts'
import { vanishedIn } from './vanished-in.ts'

export type AuditList =
  | { readonly kind: 'listed'; readonly uids: UidSet }
  /** It does not add up to EXISTS, nor is it the same as one before: ask again. */
  | { readonly kind: 'doubted'; readonly uids: UidSet }
  /** UIDVALIDITY is another: there is nothing to compare. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'unanswered' }

/** Believes a list that adds up to EXISTS, or that came twice (I-SYNC-2). */
export function takeAuditList(plan: AuditListPlan, observations: readonly Observation[]): AuditList {
  const opened = observations.find((item): item is Opened => item.kind === 'opened' && item.id === plan.openId)
  const endings = observations.filter((item): item is Done => item.kind === 'done')
  if (opened !== undefined && opened.mailbox.uidValidity !== plan.mailbox.uidValidity) return { kind: 'reset' }
  const isAnswered = plan.steps.every(({ id }) => endings.some((done) => done.id === id && done.outcome === 'ok'))
  if (opened === undefined || !isAnswered || plan.listId === plan.openId) return { kind: 'unanswered' }
  const found = observations.findLast((item) => item.kind === 'uids' && item.id === plan.listId)
  const told = found?.kind === 'uids' ? found.uids : UidSet.from(rowsIn(observations, plan.mailbox.path).map(({ uid }) => uid))
  const uids = told.difference(vanishedIn(observations))
  const exists = endings.findLast((done) => done.exists !== null)?.exists ?? opened.exists
  const isBelieved = addsUp(uids, exists) || plan.doubted.some((before) => before.equals(uids))
  return { kind: isBelieved ? 'listed' : 'doubted', uids }
}

/** How a mailbox differs. */
export interface AuditDifferences {
  /** On the server, and not here: no UID of it, or no row. */
  readonly missing: UidSet
  /** Here, and not on the server. */
  readonly extra: UidSet
  readonly flags: readonly FlagState[]
  readonly identityDiffers: UidSet
  /** Of these not only the date: the parts that are held belong to another message. */
  readonly contentDiffers: UidSet
}

export const NO_DIFFERENCES: AuditDifferences = {
  missing: UidSet.EMPTY,
  extra: UidSet.EMPTY,
  flags: [],
  identityDiffers: UidSet.EMPTY,
  contentDiffers: UidSet.EMPTY,
}

/** The whole sets, compared. */
export function compareUids({ checkpoint }: MailboxRecord, onServer: UidSet): Pick<AuditDifferences, 'missing' | 'extra'> {
  const known = checkpoint?.known ?? UidSet.EMPTY
  return { missing: onServer.difference(known), extra: known.difference(onServer) }
}

/** What the store holds of rows, by UID. */
export interface HeldRows {
  readonly flags: ReadonlyMap<number, readonly Flag[]>
  readonly identities: ReadonlyMap<number, MessageIdentity>
}

/** The rows of these UIDs, each of which is said to be held. A row that the server did not tell is not compared: it may just have gone. */
export function compareRows(
  { mailbox, uids }: { readonly mailbox: MailboxRecord; readonly uids: UidSet },
  observations: readonly Observation[],
  held: HeldRows,
): Omit<AuditDifferences, 'extra'> {
  const flags = new Map<number, FlagState>()
  const missing: number[] = []
  const identityDiffers: number[] = []
  const contentDiffers: number[] = []
  for (const row of rowsIn(observations, mailbox.path)) {
    if (!uids.has(row.uid)) continue
    const heldFlags = held.flags.get(row.uid)
    const identity = held.identities.get(row.uid)
    if (heldFlags === undefined || identity === undefined) {
      missing.push(row.uid)
      continue
    }
    // Later news of the same message counts. Without a mod-sequence whatever is told next counts too.
    if (row.flags !== null && haveSameFlags(row.flags, heldFlags)) flags.delete(row.uid)
    else if (row.flags !== null) flags.set(row.uid, { uid: row.uid, flags: row.flags, modSeq: null })
    const content = row.summary === null || hasSameContent(row.summary, identity)
    if (!content) contentDiffers.push(row.uid)
    if (!content || (row.summary !== null && !hasSameDate(row.summary, identity))) identityDiffers.push(row.uid)
  }
  return {
    missing: UidSet.from(missing),
    flags: [...flags.values()],
    identityDiffers: UidSet.from(identityDiffers),
    contentDiffers: UidSet.from(contentDiffers),
  }
}

/** Both together. */
export function joined(a: AuditDifferences, b: Partial<AuditDifferences>): AuditDifferences {
  const { missing, extra, flags, identityDiffers, contentDiffers } = { ...NO_DIFFERENCES, ...b }
  return {
    missing: a.missing.union(missing),
    extra: a.extra.union(extra),
    flags: [...a.flags, ...flags],
    identityDiffers: a.identityDiffers.union(identityDiffers),
    contentDiffers: a.contentDiffers.union(contentDiffers),
  }
}

/** What two audits found, with everything new taken in between: what only one of them found had just changed. */
export function confirmed(first: AuditDifferences, second: AuditDifferences): AuditDifferences {
  const flagsBefore = UidSet.from(first.flags.map(({ uid }) => uid))
  return {
    missing: first.missing.intersect(second.missing),
    extra: first.extra.intersect(second.extra),
    flags: second.flags.filter(({ uid }) => flagsBefore.has(uid)),
    identityDiffers: first.identityDiffers.intersect(second.identityDiffers),
    contentDiffers: first.contentDiffers.intersect(second.contentDiffers),
  }
}

/** Every message that differs, whatever the difference. */
export function differing({ missing, extra, flags, identityDiffers }: AuditDifferences): UidSet {
  return missing
    .union(extra)
    .union(identityDiffers)
    .union(UidSet.from(flags.map(({ uid }) => uid)))
}

/** Why the mailbox is not to be trusted with deltas any more, or null where what differs is nothing that a delta would have told. */
export function caughtBy(mailbox: MailboxRecord, { missing, extra, flags }: AuditDifferences): string | null {
  const untold = missing.difference(mailbox.checkpoint?.known ?? UidSet.EMPTY)
  if (!extra.isEmpty) return 'messages were gone that the server had not reported'
  if (!untold.isEmpty) return 'there were messages that the server had not reported'
  return flags.length === 0 ? null : 'flags had changed that the server had not reported'
}

/**
 * Sets the checkpoint right: what is proved to be gone goes with its row, what is missing becomes known and is fetched by the next fill, as is
 * a row of which more than the flags differs. Its parts stay where only the date differs (I-STORE-1, I-SYNC-2).
 */
export function repairOf(
  mailbox: MailboxRecord,
  differences: AuditDifferences,
): { readonly mailbox: MailboxRecord; readonly writes: readonly Write[] } {
  const { checkpoint, id: mailboxId } = mailbox
  if (checkpoint === null || differing(differences).isEmpty) return { mailbox, writes: [] }
  const { missing, extra, flags, identityDiffers, contentDiffers } = differences
  const without = withoutGone(checkpoint, extra)
  const known = without.known.union(missing)
  const covered = without.covered.difference(missing).difference(identityDiffers)
  const uidNext = uidAfter(known, checkpoint.uidNext)
  const isFetched = !missing.isEmpty || !identityDiffers.isEmpty
  const repaired: MailboxRecord = {
    ...mailbox,
    checkpoint: { ...without, uidNext, known, covered },
    partsHeldFor: isFetched ? null : mailbox.partsHeldFor,
    ...(mailbox.window == null ? {} : { window: windowTaking(mailbox, missing) }),
  }
  const removed = extra.union(contentDiffers)
  const writes: Write[] = [{ kind: 'put-mailbox', mailbox: repaired }]
  if (!removed.isEmpty) writes.push({ kind: 'remove-messages', mailboxId, uids: removed })
  if (flags.length > 0) writes.push({ kind: 'put-flags', mailboxId, states: flags })
  return { mailbox: repaired, writes }
}

function rowsIn(observations: readonly Observation[], path: string): RowSeen[] {
  return observations.filter((item): item is RowSeen => item.kind === 'row' && item.mailbox.path === path)
}

function haveSameFlags(a: readonly Flag[], b: readonly Flag[]): boolean {
  const keys = new Set(a.map(flagKey))
  return keys.size === new Set(b.map(flagKey)).size && b.every((flag) => keys.has(flagKey(flag)))
}

function hasSameContent({ sizeBytes, envelope, emailId }: NonNullable<RowSeen['summary']>, held: MessageIdentity): boolean {
  const isOther = emailId !== null && held.emailId !== null && emailId !== held.emailId
  return !isOther && sizeBytes === held.sizeBytes && envelope.messageId === held.messageId
}

function hasSameDate({ internalDate }: NonNullable<RowSeen['summary']>, held: MessageIdentity): boolean {
  return Math.floor(internalDate / 1000) === Math.floor(held.internalDate / 1000)
}
