/** Says what operations on mailboxes have to do with each other, and with operations on messages: which come first, and which are one. */

import type { EntrySeq, MailboxId, MailboxRecord } from '@tidemail/core'
import { destinationOf, type Entry, isOnMailbox, type MailboxOperation, type Progress, replacedBy } from '@tidemail/replay-log'
import type { ReplayState } from './replay-state.ts'
import { isAtOrBelow } from './resting-mailboxes.ts'

/** An operation on a mailbox that is not settled: it has one deed. */
export interface OpenOperation {
  readonly entry: Entry
  readonly operation: MailboxOperation
  readonly group: Progress
  /** Of the hierarchy that the mailbox is in. */
  readonly delimiter: string | null
}

export function openOperations({ entries, mailboxes }: Pick<ReplayState, 'entries' | 'mailboxes'>): OpenOperation[] {
  return entries.flatMap((entry) => {
    const { operation } = entry
    const [group] = entry.progress
    if (!isOnMailbox(operation) || group === undefined) return []
    return [{ entry, operation, group, delimiter: mailboxes.get(operation.mailboxId)?.delimiter ?? null }]
  })
}

/** Whether `other` came before `one`, and is about the same mailbox, or about a name that is above, below or the same. */
export function isOlderRelative(other: OpenOperation, one: OpenOperation): boolean {
  if (other.entry.seq >= one.entry.seq) return false
  if (other.operation.mailboxId === one.operation.mailboxId) return true
  const [namesBefore, names] = [namesOf(other), namesOf(one)]
  const isBelow = (path: string, paths: readonly string[]): boolean => isAtOrBelow({ path, delimiter: one.delimiter }, paths)
  return namesBefore.some((path) => isBelow(path, names)) || names.some((path) => isBelow(path, namesBefore))
}

/** Whether it still takes its turn. One that is parked does not hold up the others (I-LOG-5). */
export function isWaiting({ group }: OpenOperation): boolean {
  return group.state !== 'parked'
}

/** The mailbox of the server that has the name, apart from the one that is to get it. */
export function nameHolder(path: string, not: MailboxId, mailboxes: ReadonlyMap<MailboxId, MailboxRecord>): MailboxRecord | null {
  return [...mailboxes.values()].find((other) => other.id !== not && other.isOnServer && other.path === path) ?? null
}

/** The mailboxes that the user made after this operation: a new name that it gave takes none of them along. */
export function madeSince(seq: EntrySeq, entries: readonly Entry[]): ReadonlySet<MailboxId> {
  const later = entries.filter((entry) => entry.seq > seq).map(({ operation }) => operation)
  return new Set(later.flatMap((operation) => (operation.kind === 'create-mailbox' ? [operation.mailboxId] : [])))
}

/** Mailboxes that the server does not have yet. */
export function mailboxesToMake({ mailboxes }: Pick<ReplayState, 'mailboxes'>): MailboxId[] {
  return [...mailboxes.values()].filter(({ isOnServer }) => !isOnServer).map(({ id }) => id)
}

/** Of these, the ones whose making waits for the user. */
export function mailboxesUndecided(state: Pick<ReplayState, 'entries' | 'mailboxes'>): ReadonlySet<MailboxId> {
  const parked = openOperations(state).filter((one) => one.operation.kind === 'create-mailbox' && !isWaiting(one))
  return new Set(parked.map(({ operation }) => operation.mailboxId))
}

/** Whether the user deleted the mailbox before this operation, and it is not gone yet: what is put into it now would go with it. */
export function isToBeDeleted(mailboxId: MailboxId, seq: EntrySeq, entries: readonly Entry[]): boolean {
  return deletionsOf([mailboxId], entries).some((deletion) => deletion.seq < seq)
}

/** Of an operation that took messages, or a version of a draft, out of mailboxes: the deletions of these that wait, and would take along what it leaves there. */
export function deletionsBehind(entry: Entry, entries: readonly Entry[]): readonly Entry[] {
  const left = entry.operation.kind === 'move' ? entry.progress : replacedBy(entry)
  return deletionsOf(
    left.map(({ targets }) => targets.mailboxId),
    entries,
  )
}

function deletionsOf(mailboxIds: readonly MailboxId[], entries: readonly Entry[]): Entry[] {
  return entries.filter(
    ({ operation, progress }) =>
      operation.kind === 'delete-mailbox' &&
      mailboxIds.includes(operation.mailboxId) &&
      progress.some(({ state }) => state !== 'parked'),
  )
}

/** Open entries that act on messages of the mailbox, or put some into it. */
export function whatTouches(mailboxId: MailboxId, entries: readonly Entry[]): Entry[] {
  return entries.filter(
    ({ operation, progress }) =>
      !isOnMailbox(operation) &&
      progress.length > 0 &&
      (destinationOf(operation) === mailboxId || progress.some(({ targets }) => targets.mailboxId === mailboxId)),
  )
}

/** The new names that a mailbox which is still to be made was given since: it is made under the last of them. */
export function foldedRenames(
  create: OpenOperation,
  candidates: readonly OpenOperation[],
  open: readonly OpenOperation[],
  mailboxes: ReadonlyMap<MailboxId, MailboxRecord>,
): OpenOperation[] {
  const { mailboxId } = create.operation
  const folded: OpenOperation[] = []
  for (const next of laterOf(create, open)) {
    if (next.operation.kind === 'subscribe-mailbox') continue
    const isFree = nameHolder(next.operation.path, mailboxId, mailboxes) === null
    const stands = open.some((other) => isOlderRelative(other, next) && isWaiting(other) && !isMadeBelow(other, create))
    if (next.operation.kind !== 'rename-mailbox' || !candidates.includes(next) || !isFree || stands) break
    folded.push(next)
  }
  return folded
}

/** Later changes of mind about the same subscription: the last one is sent. */
export function foldedSubscriptions(
  first: OpenOperation,
  candidates: readonly OpenOperation[],
  open: readonly OpenOperation[],
): OpenOperation[] {
  const later = laterOf(first, open)
  const end = later.findIndex((next) => next.operation.kind !== 'subscribe-mailbox' || !candidates.includes(next))
  return end === -1 ? later : later.slice(0, end)
}

function laterOf({ entry, operation }: OpenOperation, open: readonly OpenOperation[]): OpenOperation[] {
  return open.filter((other) => other.operation.mailboxId === operation.mailboxId && other.entry.seq > entry.seq)
}

/** What the folding of a new name does not change: operations on the mailbox itself, and mailboxes that are to be made below it. */
function isMadeBelow({ operation }: OpenOperation, create: OpenOperation): boolean {
  return operation.mailboxId === create.operation.mailboxId || operation.kind === 'create-mailbox'
}

function namesOf({ operation }: OpenOperation): readonly string[] {
  return operation.kind === 'rename-mailbox' ? [operation.from, operation.path] : [operation.path]
}
