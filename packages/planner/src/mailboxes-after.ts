/** Says what a step on a mailbox, done by the server, makes of the mailboxes. */

import { assertNever, type MailboxId, type MailboxRecord, type MailboxStep, renamedPath } from '@tidemail/core'

export interface MailboxesAfter {
  readonly changed: readonly MailboxRecord[]
  readonly removed: readonly MailboxId[]
}

/**
 * `mailbox` is the one that the step is about. What a rename takes along keeps its number, its box and its rows: nothing is downloaded twice. What the user
 * made since, `madeSince`, stays where it was made.
 */
export function mailboxesAfter(
  step: MailboxStep,
  mailbox: MailboxRecord,
  mailboxes: ReadonlyMap<MailboxId, MailboxRecord>,
  madeSince: ReadonlySet<MailboxId>,
): MailboxesAfter {
  const others = [...mailboxes.values()].filter(({ id }) => !madeSince.has(id))
  switch (step.kind) {
    case 'create':
      return { changed: made(mailbox, step.path, others), removed: displaced(others, mailbox, step.path) }
    case 'rename':
      return {
        changed: moved(others, { ...mailbox, path: step.path }, step.to),
        removed: displaced(others, mailbox, step.to),
      }
    case 'delete':
      return { changed: [], removed: [mailbox.id] }
    case 'subscribe':
    case 'unsubscribe':
      return { changed: [{ ...mailbox, isSubscribed: step.kind === 'subscribe' }], removed: [] }
    default:
      return assertNever(step)
  }
}

/** What had the name before the server gave it: no more than a level of the hierarchy, or a mailbox that is gone. */
function displaced(mailboxes: readonly MailboxRecord[], { id }: MailboxRecord, path: string): MailboxId[] {
  return mailboxes.flatMap((other) => (other.path === path && other.id !== id && other.isOnServer ? [other.id] : []))
}

/** Made under its last name at once, it takes along what is to be made below it. */
function made(mailbox: MailboxRecord, path: string, mailboxes: readonly MailboxRecord[]): MailboxRecord[] {
  const own = { ...mailbox, path, isOnServer: true }
  if (path === mailbox.path) return [own]
  const below = mailboxes.filter(({ id, isOnServer }) => id !== mailbox.id && !isOnServer)
  return [own, ...moved(below, mailbox, path).filter((other) => other.path !== path)]
}

function moved(mailboxes: readonly MailboxRecord[], from: MailboxRecord, to: string): MailboxRecord[] {
  return mailboxes.flatMap((mailbox) => {
    // Of the same name may be one that is to be made once this one is out of the way.
    if (mailbox.id !== from.id && mailbox.path === from.path) return []
    const path = renamedPath(mailbox.path, from, to)
    return path === null ? [] : [{ ...mailbox, path }]
  })
}
