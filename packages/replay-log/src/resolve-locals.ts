/** Rewrites what entries name when messages got a new name: locals that landed, and messages that moved (H-18, RFC 4549 §5.1). */

import {
  type ForwardSource,
  type ForwardTarget,
  type MailboxId,
  type ModSeq,
  modSeq,
  numbersOf,
  type Targets,
  type UidPairRange,
  UidPairs,
  UidSet,
  uid,
  withNumbers,
} from '@tidemail/core'
import type { Entry, Progress, TargetState } from './entry.ts'
import type { FlagBase } from './operation.ts'
import { narrow, withProgress } from './progress-groups.ts'

/** Every message has changed since. */
const MOD_SEQ_OF_NOTHING: ModSeq = modSeq(1)

/** Which numbers are called by which others from now on. */
export interface Forwarding {
  readonly from: ForwardSource
  /** Without a box they are locals, which show in the mailbox. */
  readonly to: ForwardTarget | { readonly mailboxId: MailboxId; readonly box: null }
  readonly pairs: UidPairs
}

/**
 * The entry with its unclaimed targets under their new names; the same object when it names none of them. Targets that a claim carries keep the names
 * under which they were sent. `operation.targets` stays what was accepted.
 */
export function rewriteTargets(entry: Entry, forward: Forwarding): Entry {
  return rename(entry, forward, ['queued', 'copied', 'parked'])
}

/** As {@link rewriteTargets}, for what was sent: its claim has just said under which names. */
export function renameSent(entry: Entry, forward: Forwarding): Entry {
  return rename(entry, forward, ['sending', 'unknown', 'recovering'])
}

function rename(entry: Entry, forward: Forwarding, states: readonly TargetState[]): Entry {
  const moving = entry.progress.map((group) => (states.includes(group.state) ? movingTargets(group, forward) : null))
  if (moving.every((targets) => targets === null)) return entry
  const progress = entry.progress.flatMap((group, i) => {
    const targets = moving[i] ?? null
    if (targets === null) return [group]
    const staying = numbersOf(group.targets).difference(numbersOf(targets))
    return [narrow(group, withNumbers(group.targets, staying)), renamed(narrow(group, targets), forward)]
  })
  const uids = moving.reduce((all, targets) => (targets?.kind === 'stored' ? all.union(targets.uids) : all), UidSet.EMPTY)
  return withProgress(conditionElsewhere(entry, forward.pairs.restrict(uids)), progress)
}

/** What the condition of a flag change says of messages that moved. Mod-sequences of one mailbox say nothing in another: the flags are looked at first. */
function conditionElsewhere(entry: Entry, pairs: UidPairs): Entry {
  const { operation } = entry
  if (operation.kind !== 'flag' || operation.ifUnchanged === undefined || pairs.ranges.length === 0) return entry
  const { since, base } = operation.ifUnchanged
  const moved = base.map((row): FlagBase => {
    const to = pairs.restrict(UidSet.of(row.uid)).destinations.min
    return to === undefined ? row : { ...row, uid: uid(to), since: row.since === null ? null : MOD_SEQ_OF_NOTHING }
  })
  return { ...entry, operation: { ...operation, ifUnchanged: { since, base: moved } } }
}

/** Those of a group's targets that the forward renames, or null. */
function movingTargets({ targets }: Progress, { from, pairs }: Forwarding): Targets | null {
  const isSource = from.kind === 'local' ? targets.kind === 'local' : targets.kind === 'stored' && targets.box === from.box
  const numbers = isSource ? numbersOf(targets).intersect(pairs.sources) : UidSet.EMPTY
  return numbers.isEmpty ? null : withNumbers(targets, numbers)
}

function renamed(group: Progress, { to, pairs }: Forwarding): Progress {
  const mine = pairs.restrict(numbersOf(group.targets))
  const { box, mailboxId } = to
  const numbers = mine.destinations
  const targets: Targets =
    box === null ? { kind: 'local', mailboxId, locals: numbers } : { kind: 'stored', mailboxId, box, uids: numbers }
  const { mayBeDone } = group
  const known =
    mayBeDone === undefined ? {} : { mayBeDone: mayBeDone.map((one) => ({ ...one, uids: mine.restrict(one.uids).destinations })) }
  return { ...group, ...known, targets, placed: renameSources(group.placed, mine) }
}

/** Pairs that start from the new names and lead to the same locals. */
function renameSources(placed: UidPairs, names: UidPairs): UidPairs {
  const renamed = names.ranges.flatMap(({ from, to, length }) =>
    placed
      .restrict(UidSet.range(from, from + length - 1))
      .ranges.map((range): UidPairRange => ({ from: to + (range.from - from), to: range.to, length: range.length })),
  )
  return new UidPairs(renamed)
}
