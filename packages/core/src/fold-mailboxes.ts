/** Folds the effects of pending operations over the list of mailboxes: made, renamed, deleted and subscribed as the user asked. */

import type { MailboxId } from './ids.ts'
import type { MailboxChange, ViewEffect } from './view-effect.ts'

/** What of a mailbox the operations on mailboxes change. */
export interface MailboxFace {
  readonly id: MailboxId
  readonly path: string
  readonly delimiter: string | null
  readonly isSubscribed: boolean
}

export type FoldedMailbox<Face extends MailboxFace> = Face & { readonly isPending: boolean }

/**
 * Pure. `effects` are those of all open entries of the account, in order. A renamed mailbox takes what is below it along (RFC 9051 §6.3.6), but nothing
 * that was made after it under the name that it left.
 */
export function foldMailboxes<Face extends MailboxFace>(
  mailboxes: readonly Face[],
  effects: readonly ViewEffect[],
): FoldedMailbox<Face>[] {
  const start: FoldedMailbox<Face>[] = mailboxes.map((mailbox) => ({ ...mailbox, isPending: false }))
  const changes = effects.filter((effect) => effect.kind === 'mailbox')
  const unmade = new Set(changes.filter(({ change }) => change.kind === 'create').map(({ mailboxId }) => mailboxId))
  return changes.reduce((folded, effect) => {
    if (effect.change.kind === 'create') unmade.delete(effect.mailboxId)
    return foldOne(folded, effect, unmade)
  }, start)
}

function foldOne<Face extends MailboxFace>(
  mailboxes: readonly FoldedMailbox<Face>[],
  { mailboxId, change }: { readonly mailboxId: MailboxId; readonly change: MailboxChange },
  unmade: ReadonlySet<MailboxId>,
): FoldedMailbox<Face>[] {
  const changed = mailboxes.find(({ id }) => id === mailboxId)
  if (changed === undefined) return [...mailboxes]
  switch (change.kind) {
    case 'create':
      return replaced(mailboxes, { ...changed, isPending: true })
    case 'subscribe':
      return replaced(mailboxes, { ...changed, isSubscribed: change.isSubscribed, isPending: true })
    case 'delete':
      return mailboxes.filter(({ id }) => id !== mailboxId)
    case 'rename':
      return mailboxes.map((mailbox) => {
        const path = unmade.has(mailbox.id) ? null : renamedPath(mailbox.path, changed, change.path)
        return path === null ? mailbox : { ...mailbox, path, isPending: true }
      })
  }
}

/** The path of a mailbox after `from` was renamed to `to`; null where that does not concern it. */
export function renamedPath(path: string, from: Pick<MailboxFace, 'path' | 'delimiter'>, to: string): string | null {
  if (path === from.path) return to
  if (from.delimiter === null || !path.startsWith(from.path + from.delimiter)) return null
  return to + path.slice(from.path.length)
}

function replaced<Face extends MailboxFace>(
  mailboxes: readonly FoldedMailbox<Face>[],
  changed: FoldedMailbox<Face>,
): FoldedMailbox<Face>[] {
  return mailboxes.map((mailbox) => (mailbox.id === changed.id ? changed : mailbox))
}
