/** Decides whether so many messages may go at once, or the app is asked first: an empty side is never an instruction (FIELD-12). */

import { type MailboxId, type MailboxRecord, numbersOf } from '@tidemail/core'
import type { Entry, Progress } from '@tidemail/replay-log'
import type { ParkedTargets } from './parked-targets.ts'
import { type MailboxPolicy, type Policy, policyOf } from './policy.ts'

/** Messages that are about to go, of how many. */
export interface Loss {
  readonly going: number
  readonly of: number
}

/** Whether the policy wants to be asked before so many go. */
export function asksBefore({ going, of }: Loss, policy: MailboxPolicy): boolean {
  const { massDelete, massDeleteMessagesMax, massDeletePercentMin } = policy
  return massDelete === 'ask' && going > massDeleteMessagesMax && going * 100 >= of * massDeletePercentMin
}

/** What is queued to be expunged of mailboxes of which that would be too much at once. `allowed` are those of which the app has said yes. */
export function massExpunges(
  entries: readonly Entry[],
  { mailboxes, policy, allowed }: MassExpungeScene,
): (ParkedTargets & { readonly mailbox: MailboxRecord; readonly going: number })[] {
  return [...mailboxes.values()].flatMap((mailbox) => {
    const queued = entries
      .filter(({ operation }) => operation.kind === 'expunge')
      .flatMap(({ seq, progress }) =>
        progress.filter((group) => isQueuedIn(group, mailbox)).map(({ targets }) => ({ seq, targets })),
      )
    const going = queued.reduce((sum, { targets }) => sum + numbersOf(targets).size, 0)
    const of = mailbox.checkpoint?.known.size ?? 0
    if (allowed.has(mailbox.id) || !asksBefore({ going, of }, policyOf(mailbox, policy))) return []
    return queued.map((expunge) => ({ ...expunge, reason: 'mass-delete' as const, mailbox, going }))
  })
}

export interface MassExpungeScene {
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>
  readonly policy: Policy
  readonly allowed: { has(mailboxId: MailboxId): boolean }
}

function isQueuedIn({ state, targets }: Progress, { box }: MailboxRecord): boolean {
  return state === 'queued' && targets.kind === 'stored' && targets.box === box
}
