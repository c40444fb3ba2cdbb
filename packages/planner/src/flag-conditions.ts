/** Keeps what flag changes depend on: which mod-sequence a message may not have passed, and which flags it is to have (RFC 7162 §3.1.3). */

import {
  applyFlagDelta,
  type BoxEpoch,
  type Flag,
  type FlagDelta,
  flagKey,
  hasFlag,
  type MailboxId,
  type ModSeq,
  type RowSeen,
  type StoreStep,
  UidSet,
} from '@tidemail/core'
import type { Entry, FlagBase, FlagOperation } from '@tidemail/replay-log'

/** The messages by the mod-sequence since which nobody may have changed them; null where that does not matter. */
export function bySince(
  { ifUnchanged }: FlagOperation,
  uids: UidSet,
): readonly { readonly uids: UidSet; readonly since: ModSeq | null }[] {
  if (ifUnchanged === undefined) return [{ uids, since: null }]
  const parts = new Map<ModSeq | null, UidSet>()
  let rest = uids
  for (const { uid, since } of ifUnchanged.base) {
    if (since === undefined || !uids.has(uid)) continue
    rest = rest.difference(UidSet.of(uid))
    parts.set(since, (parts.get(since) ?? UidSet.EMPTY).union(UidSet.of(uid)))
  }
  if (!rest.isEmpty) parts.set(ifUnchanged.since, (parts.get(ifUnchanged.since) ?? UidSet.EMPTY).union(rest))
  return [...parts].map(([since, part]) => ({ uids: part, since }))
}

/** `theirs` is a row with flags. `again`: nothing was done to the message but what was asked, by whomever. */
export type ConditionVerdict = 'done' | 'again' | 'conflict'

/** What a conditional change comes to that the server did not make, for the message changed since, or so it says. `steps` are all that were asked of it. */
export function conditionVerdict(
  { add, remove }: FlagDelta,
  steps: readonly Pick<StoreStep, 'direction' | 'flags'>[],
  {
    base,
    theirs,
    own = [],
  }: {
    readonly base: readonly Flag[] | null
    readonly theirs: readonly Flag[]
    /** Other changes of ours that may have taken effect since: nobody else's. */
    readonly own?: readonly FlagDelta[]
  },
): ConditionVerdict {
  const isAsked = (flag: Flag, direction: StoreStep['direction']): boolean =>
    steps.some((step) => step.direction === direction && hasFlag(step.flags, flag))
  // What a later change of the same claim takes back is not asked any more.
  const lacks = add.filter((flag) => isAsked(flag, 'add') && !hasFlag(theirs, flag))
  const keeps = remove.filter((flag) => isAsked(flag, 'remove') && hasFlag(theirs, flag))
  if (lacks.length + keeps.length === 0) return 'done'
  if (base === null) return 'conflict'
  const came = theirs.filter((flag) => flagKey(flag) !== '\\recent' && !hasFlag(base, flag))
  const went = base.filter((flag) => !hasFlag(theirs, flag))
  const isOurs =
    came.every((flag) => isAsked(flag, 'add') || own.some((change) => hasFlag(change.add, flag))) &&
    went.every((flag) => isAsked(flag, 'remove') || own.some((change) => hasFlag(change.remove, flag)))
  return isOurs ? 'again' : 'conflict'
}

/** The entry with its condition on these messages as the server stated them. */
export function conditionedOn(entry: Entry, rows: readonly RowSeen[]): Entry {
  const stated = new Map(rows.map((row) => [row.uid, row]))
  return withBase(entry, (row) => {
    const seen = stated.get(row.uid)
    const { flags = null, modSeq = null } = seen ?? {}
    const { isOurs: _, ...before } = row
    return flags === null ? row : { ...before, flags, ...(modSeq === null ? {} : { since: modSeq }) }
  })
}

/**
 * The entry, where it waits for messages to be as they were, after our own change of them: that is as they were, too, and the server was right to say that
 * they had changed. The same object where it does not.
 */
export function afterOwnChange(
  entry: Entry,
  { mailboxId, box, uids }: { readonly mailboxId: MailboxId; readonly box: BoxEpoch; readonly uids: UidSet },
  delta: FlagDelta,
): Entry {
  if (entry.operation.kind !== 'flag' || entry.operation.ifUnchanged === undefined) return entry
  const mine = entry.progress.reduce(
    (all, { targets }) =>
      targets.kind === 'stored' && targets.mailboxId === mailboxId && targets.box === box ? all.union(targets.uids) : all,
    UidSet.EMPTY,
  )
  const changed = mine.intersect(uids)
  if (changed.isEmpty) return entry
  return withBase(entry, (row) =>
    changed.has(row.uid) ? { ...row, flags: applyFlagDelta(row.flags, delta), isOurs: true } : row,
  )
}

function withBase(entry: Entry, change: (row: FlagBase) => FlagBase): Entry {
  const { operation } = entry
  if (operation.kind !== 'flag' || operation.ifUnchanged === undefined) return entry
  const { since, base } = operation.ifUnchanged
  return { ...entry, operation: { ...operation, ifUnchanged: { since, base: base.map(change) } } }
}
