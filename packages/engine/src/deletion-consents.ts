/** Remembers of which mailboxes the app has said that many messages may go at once, and which operations wait for that. */

import type { Clock, EntrySeq, MailboxId } from '@tidemail/core'
import type { Entry } from '@tidemail/replay-log'

/** A word given longer ago was about something else. */
export const CONSENT_MS_MAX = 3_600_000

export class DeletionConsents {
  private readonly clock: Pick<Clock, 'now'>
  private readonly until = new Map<MailboxId, number>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
  }

  allow(mailboxId: MailboxId): void {
    this.until.set(mailboxId, this.clock.now() + CONSENT_MS_MAX)
  }

  has(mailboxId: MailboxId): boolean {
    return this.clock.now() < (this.until.get(mailboxId) ?? 0)
  }
}

/** Entries that were stopped since they would expunge too much of the mailbox at once. */
export function stoppedIn(entries: readonly Entry[], mailboxId: MailboxId): readonly Entry[] {
  return entries.filter(({ seq }) => stoppedMailboxes(entries, seq).includes(mailboxId))
}

/** The mailboxes of which the entry would expunge too much at once. */
export function stoppedMailboxes(entries: readonly Entry[], seq: EntrySeq): readonly MailboxId[] {
  const groups = entries.find((entry) => entry.seq === seq)?.progress ?? []
  return groups.filter(({ parkedFor }) => parkedFor === 'mass-delete').map(({ targets }) => targets.mailboxId)
}
