/** Finds targets that must not be sent, and why: what they name is gone, cannot be opened, or is what another operation was to save. */

import type { EntrySeq, MailboxId, MailboxRecord, Targets } from '@tidemail/core'
import { type Entry, intersectTargets, type ParkReason } from '@tidemail/replay-log'

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
    .filter(({ seq, operation }) => seq > copy.seq && operation.kind === 'expunge')
    .flatMap(({ seq, progress }) =>
      progress
        .filter(({ state }) => state === 'queued')
        .map(({ targets }) => ({ seq, targets: intersectTargets(targets, copy.targets), reason: 'needs-another' as const })),
    )
}

/** What acts on a mailbox, or sends to it. */
export function whatNeeds(entries: readonly Entry[], mailboxId: MailboxId, reason: ParkReason): ParkedTargets[] {
  return entries.flatMap(({ seq, operation, progress }) => {
    const isTarget = 'to' in operation && operation.to === mailboxId
    return progress
      .filter(({ state, targets }) => (state === 'queued' || state === 'copied') && (isTarget || targets.mailboxId === mailboxId))
      .map(({ targets }) => ({ seq, targets, reason }))
  })
}

export interface StrayTargets extends ParkedTargets {
  readonly reason: 'mailbox-gone' | 'uidvalidity-changed'
}

/** What names a mailbox or UIDs that are no more (RFC 4549 §4.1). */
export function strayTargets(entries: readonly Entry[], mailboxOf: (id: MailboxId) => MailboxRecord | undefined): StrayTargets[] {
  return entries.flatMap(({ seq, operation, progress }) => {
    const hasTarget = !('to' in operation) || mailboxOf(operation.to) !== undefined
    return progress.flatMap(({ targets, state }): StrayTargets[] => {
      const mailbox = mailboxOf(targets.mailboxId)
      if (state === 'parked') return []
      if (mailbox === undefined || !hasTarget) return [{ seq, targets, reason: 'mailbox-gone' }]
      const isOld = targets.kind === 'stored' && targets.box !== mailbox.box
      return isOld ? [{ seq, targets, reason: 'uidvalidity-changed' }] : []
    })
  })
}
