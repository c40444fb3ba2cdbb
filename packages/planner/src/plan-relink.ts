/** Finds the messages of a mailbox again after its UIDVALIDITY changed, so that no body is fetched twice and what was asked of them can go on. */

import {
  type BoxEpoch,
  type MailboxRecord,
  type MessageIdentity,
  type StoredTargets,
  type Targets,
  type Uid,
  type UidPairRange,
  UidPairs,
} from '@tidemail/core'
import { type Entry, rewriteTargets } from '@tidemail/replay-log'
import type { Ledger } from './ledger.ts'

/** Messages whose parts one transaction carries. */
export const RELINK_CHUNK_MESSAGES = 500

export type IdentifiedMessage = MessageIdentity & { readonly uid: Uid }

export interface Relink {
  /** The same content, so that the parts held of it serve: by EMAILID, else by Message-ID, size and date where only one has them. */
  readonly content: UidPairs
  /** The same message, as the server itself says: an EMAILID that one message had and one message has. */
  readonly messages: UidPairs
}

/** Pure. `former` are the messages under the UIDVALIDITY before, `now` those of the mailbox as it is. */
export function planRelink(former: readonly IdentifiedMessage[], now: readonly IdentifiedMessage[]): Relink {
  const byEmailId = groupPairs(former, now, ({ emailId }) => emailId)
  const found = new Set(byEmailId.flatMap(({ before }) => before.map(({ uid }) => uid)))
  const taken = new Set(byEmailId.flatMap(({ after }) => after.map(({ uid }) => uid)))
  const byDescription = groupPairs(
    former.filter(({ uid }) => !found.has(uid)),
    now.filter(({ uid }) => !taken.has(uid)),
    descriptionOf,
  ).filter((group) => isOneEach(group) && !haveTwoIds(group))
  return {
    content: pairsOf([...byEmailId, ...byDescription]),
    messages: pairsOf(byEmailId.filter(isOneEach)),
  }
}

/**
 * Entries that were parked when the UIDVALIDITY changed are queued again under the new UIDs, if each of their targets was found, and those that wait for the
 * user wait under these; any other stays parked and shown (RFC 4549 §4.1). References that the app kept lead to the new UIDs.
 */
export function settleRelink(
  { id, box, accountId }: MailboxRecord,
  formerBox: BoxEpoch,
  messages: UidPairs,
  ledger: Ledger,
): void {
  const forwarding = { from: { kind: 'stored' as const, box: formerBox }, to: { mailboxId: id, box }, pairs: messages }
  for (const entry of ledger.open) {
    const waiting = waitingFor(entry, formerBox)
    if (waiting.length === 0 || waiting.some(({ uids }) => !uids.difference(messages.sources).isEmpty)) continue
    ledger.update(entry.seq, (before) => rewriteTargets(before, forwarding))
    for (const { uids, isFreed } of waiting) {
      if (!isFreed) continue
      const targets: Targets = { kind: 'stored', mailboxId: id, box, uids: messages.restrict(uids).destinations }
      ledger.queueAgain(entry.seq, targets)
    }
  }
  if (messages.ranges.length > 0) ledger.server.write({ kind: 'forward', accountId, ...forwarding })
}

/** What of the entry is parked under the UIDs that have lost their meaning; free is what was parked for that alone. */
function waitingFor({ progress }: Entry, formerBox: BoxEpoch): (StoredTargets & { readonly isFreed: boolean })[] {
  return progress.flatMap(({ targets, parkedFor }) =>
    targets.kind === 'stored' && targets.box === formerBox && parkedFor !== null
      ? [{ ...targets, isFreed: parkedFor === 'uidvalidity-changed' }]
      : [],
  )
}

interface GroupPair {
  readonly before: readonly IdentifiedMessage[]
  readonly after: readonly IdentifiedMessage[]
}

/** Messages of the same key, where there are any on both sides. */
function groupPairs(
  former: readonly IdentifiedMessage[],
  now: readonly IdentifiedMessage[],
  keyOf: (message: IdentifiedMessage) => string | null,
): GroupPair[] {
  const after = groupsOf(now, keyOf)
  return [...groupsOf(former, keyOf)].flatMap(([key, before]) => {
    const found = after.get(key)
    return found === undefined ? [] : [{ before, after: found }]
  })
}

function groupsOf(
  messages: readonly IdentifiedMessage[],
  keyOf: (message: IdentifiedMessage) => string | null,
): Map<string, IdentifiedMessage[]> {
  const groups = new Map<string, IdentifiedMessage[]>()
  for (const message of messages) {
    const key = keyOf(message)
    if (key === null) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [message])
    else group.push(message)
  }
  return groups
}

function descriptionOf({ messageId, sizeBytes, internalDate }: IdentifiedMessage): string | null {
  return messageId === null ? null : `${sizeBytes} ${internalDate} ${messageId}`
}

function isOneEach({ before, after }: GroupPair): boolean {
  return before.length === 1 && after.length === 1
}

/** Two EMAILIDs are two contents, whatever else is the same (RFC 8474 §5.1). */
function haveTwoIds({ before, after }: GroupPair): boolean {
  return [before[0], after[0]].every((message) => message?.emailId != null)
}

/** One to one, in the order of the UIDs; consecutive ones are joined. */
function pairsOf(groups: readonly GroupPair[]): UidPairs {
  const pairs = groups
    .flatMap(({ before, after }) =>
      before.flatMap(({ uid: from }, i) => (after[i] === undefined ? [] : [{ from, to: after[i].uid }])),
    )
    .sort((a, b) => a.from - b.from)
  const ranges: UidPairRange[] = []
  for (const { from, to } of pairs) {
    const last = ranges.at(-1)
    const isNext = last !== undefined && last.from + last.length === from && last.to + last.length === to
    if (isNext) ranges[ranges.length - 1] = { ...last, length: last.length + 1 }
    else ranges.push({ from, to, length: 1 })
  }
  return new UidPairs(ranges)
}
