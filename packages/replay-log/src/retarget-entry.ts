/** Sends what an operation has not sent yet to another mailbox, because the user said so. */

import { type MailboxId, numbersOf, type Targets, UidSet, withNumbers } from '@tidemail/core'
import { stateOfLocal } from './draft-parts.ts'
import type { Entry, Progress } from './entry.ts'
import { isOnMailbox, isUpload, type MailboxName, ownLocals } from './operation.ts'
import { copiedOf, withProgress } from './progress-groups.ts'
import { transition } from './transition.ts'

export type RetargetResult =
  /** Queued again, for the other mailbox. `locals` show there now: what names them must follow, see `followLocals`. */
  | { readonly kind: 'retargeted'; readonly entry: Entry; readonly locals: UidSet }
  /**
   * `no-destination`: it puts messages nowhere. `sent`: something of it is being sent, or may have been. `dead-targets`: what it names by UID is no
   * more. `same`: the messages are there already.
   */
  | { readonly kind: 'refused'; readonly reason: 'no-destination' | 'sent' | 'dead-targets' | 'same' }

/** Parked targets are queued again. What is settled already stays where it went. */
export function retargetEntry(entry: Entry, to: MailboxName): RetargetResult {
  const { operation, progress } = entry
  if (isOnMailbox(operation) || !('to' in operation) || operation.to === null) return refused('no-destination')
  const mine = ownLocals(operation)
  const unsent = progress.filter(({ state }) => state === 'queued' || state === 'parked')
  // A message that is made, or a copy that is, is in the other mailbox: to send it elsewhere is another operation.
  const isMade = isUpload(operation)
    ? stateOfLocal(entry, operation.message.local) === null
    : progress.some((group) => !numbersOf(copiedOf(entry, group)).isEmpty)
  const isSent = isMade || unsent.length < progress.length || unsent.some((group) => group.parkedFor === 'uncertain')
  if (isSent || unsent.length === 0) return refused('sent')
  const isBound = operation.kind === 'move' || operation.kind === 'copy'
  if (isBound && unsent.some((group) => group.parkedFor === 'uidvalidity-changed' && group.targets.kind === 'stored')) {
    return refused('dead-targets')
  }
  if (operation.kind === 'move' && unsent.some(({ targets }) => targets.mailboxId === to.id)) return refused('same')
  const names = [...(operation.names ?? []).filter(({ id }) => id !== to.id), to]
  const queued = unsent.reduce((rest, { targets }) => transition(rest, targets, { kind: 'retry' }).entry, entry)
  const moved = withProgress(
    { ...queued, operation: { ...operation, to: to.id, names }, rejections: 0, notBefore: 0 },
    queued.progress.flatMap((group) => splitOff(group, mine, to.id)),
  )
  return { kind: 'retargeted', entry: moved, locals: isBound ? entry.placed.destinations : mine }
}

/** An entry that names locals which show in another mailbox now. The same object when it names none. What was parked for want of the old one is queued again. */
export function followLocals(entry: Entry, locals: UidSet, to: MailboxId): Entry {
  const own = ownLocals(entry.operation)
  const moving = locals.difference(own)
  if (!entry.progress.some(({ targets }) => targets.kind === 'local' && !targets.locals.intersect(moving).isEmpty)) return entry
  const moved = withProgress(
    entry,
    entry.progress.flatMap((group) => splitOff(group, moving, to)),
  )
  const freed = moved.progress.filter(({ parkedFor, targets }) => parkedFor === 'mailbox-gone' && targets.mailboxId === to)
  return freed.reduce((rest, { targets }) => transition(rest, targets, { kind: 'retry' }).entry, moved)
}

/** The group without these locals, and a group of them in the other mailbox. */
function splitOff(group: Progress, locals: UidSet, to: MailboxId): Progress[] {
  const { targets } = group
  const mine = targets.kind === 'local' ? targets.locals.intersect(locals) : UidSet.EMPTY
  if (mine.isEmpty) return [group]
  const rest = withNumbers(targets, numbersOf(targets).difference(mine))
  const there: Targets = { kind: 'local', mailboxId: to, locals: mine }
  return [
    { ...group, targets: rest, placed: group.placed.restrict(numbersOf(rest)) },
    { ...group, targets: there, placed: group.placed.restrict(mine) },
  ]
}

function refused(reason: Extract<RetargetResult, { kind: 'refused' }>['reason']): RetargetResult {
  return { kind: 'refused', reason }
}
