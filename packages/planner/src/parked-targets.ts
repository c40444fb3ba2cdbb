/** Finds targets that must not be sent, and why: what they name is gone, cannot be opened, or is what another operation was to save. */

import { type EntrySeq, intersectTargets, type MailboxId, type MailboxRecord, type Targets, UidSet } from '@tidemail/core'
import { destinationOf, type Entry, isOnMailbox, type ParkReason } from '@tidemail/replay-log'

export interface ParkedTargets {
  readonly seq: EntrySeq
  readonly targets: Targets
  readonly reason: ParkReason
}

/** What a later entry would destroy is what this copy was to save: it is not attempted (RFC 4549 §5.1, I-LOG-5). */
export function dependantsOfCopy(
  entries: readonly Entry[],
  copy: { readonly seq: EntrySeq; readonly targets: Targets },
): ParkedTargets[] {
  return entries
    .filter(({ seq }) => seq > copy.seq)
    .flatMap(({ seq, operation, progress }) => {
      const isDeletion = operation.kind === 'delete-mailbox' && operation.mailboxId === copy.targets.mailboxId
      if (!isDeletion && operation.kind !== 'expunge' && operation.kind !== 'draft') return []
      return progress
        .filter(({ state }) => state === 'queued')
        .map(({ targets }) => {
          const endangered = isDeletion ? targets : intersectTargets(targets, copy.targets)
          return { seq, targets: endangered, reason: 'needs-another' as const }
        })
    })
}

/**
 * What would remove these copies, which a look found, while their originals are gone: somebody else may have moved those there, and they would be the only
 * ones left (I-STORE-2).
 */
export function removalsOf(entries: readonly Entry[], locals: UidSet): ParkedTargets[] {
  return entries
    .filter(({ operation }) => operation.kind === 'expunge')
    .flatMap(({ progress, seq }) =>
      progress.flatMap(({ state, targets }): ParkedTargets[] =>
        state === 'queued' && targets.kind === 'local'
          ? [{ seq, targets: { ...targets, locals: targets.locals.intersect(locals) }, reason: 'uncertain' }]
          : [],
      ),
    )
}

/** What acts on a mailbox, or sends to it. */
export function whatNeeds(entries: readonly Entry[], mailboxId: MailboxId, reason: ParkReason): ParkedTargets[] {
  // To rename, delete or subscribe to it, it need not be open.
  const onMessages = entries.filter(({ operation }) => !isOnMailbox(operation))
  return onMessages.flatMap(({ seq, operation, progress }) => {
    const isTarget = destinationOf(operation) === mailboxId
    return progress
      .filter(({ state, targets }) => (state === 'queued' || state === 'copied') && (isTarget || targets.mailboxId === mailboxId))
      .map(({ targets }) => ({ seq, targets: withoutDeed(operation, targets), reason }))
      .filter(({ targets }) => !isEmpty(targets))
  })
}

/** To be sent, a message needs no mailbox. */
function withoutDeed(operation: Entry['operation'], targets: Targets): Targets {
  if (operation.kind !== 'submit' || targets.kind === 'stored') return targets
  const { deed, message, to } = operation
  const free = to === null ? UidSet.of(deed, message.local) : UidSet.of(deed)
  return targets.locals.intersect(free).isEmpty ? targets : { ...targets, locals: targets.locals.difference(free) }
}

function isEmpty(targets: Targets): boolean {
  return (targets.kind === 'stored' ? targets.uids : targets.locals).isEmpty
}

export interface StrayTargets extends ParkedTargets {
  readonly reason: 'mailbox-gone' | 'uidvalidity-changed'
}

/** What names a mailbox or UIDs that are no more (RFC 4549 §4.1). */
export function strayTargets(entries: readonly Entry[], mailboxOf: (id: MailboxId) => MailboxRecord | undefined): StrayTargets[] {
  return entries.flatMap(({ seq, operation, progress }) => {
    const to = destinationOf(operation)
    const hasTarget = to === null || mailboxOf(to) !== undefined
    return progress.flatMap(({ targets: all, state }): StrayTargets[] => {
      const targets = withoutDeed(operation, all)
      const mailbox = mailboxOf(targets.mailboxId)
      if (state === 'parked' || isEmpty(targets)) return []
      if (mailbox === undefined || !hasTarget) return [{ seq, targets, reason: 'mailbox-gone' }]
      const isOld = targets.kind === 'stored' && targets.box !== mailbox.box
      return isOld ? [{ seq, targets, reason: 'uidvalidity-changed' }] : []
    })
  })
}

/** What is done, or comes to nothing, when its mailbox is gone: to delete it, to subscribe to it or no more (RFC 4549 §5.1). */
export function needlessOperations(
  entries: readonly Entry[],
  mailboxOf: (id: MailboxId) => MailboxRecord | undefined,
): Pick<ParkedTargets, 'seq' | 'targets'>[] {
  return entries.flatMap(({ seq, operation, progress }) => {
    const isNeedless = operation.kind === 'delete-mailbox' || operation.kind === 'subscribe-mailbox'
    if (!isNeedless || mailboxOf(operation.mailboxId) !== undefined) return []
    return progress.filter(({ state }) => state === 'queued' || state === 'parked').map(({ targets }) => ({ seq, targets }))
  })
}
