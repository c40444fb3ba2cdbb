/** What the simulated user does to mailboxes as such: one row each. */

import type { MailboxView } from '@tidemail/core'
import type { UserAct } from './user-acts.ts'

/** Mailboxes that the user makes, renames and deletes; the others stay. */
const OWN = ['Own', 'Own/Below', 'Mine']

export const MAILBOX_ACTS: readonly UserAct[] = [
  {
    name: 'create a mailbox',
    weight: 2,
    isOnMessages: false,
    async act({ engine, ledger, random }) {
      const path = random.pick(OWN)
      ledger.askForMailbox('create', path)
      await engine.createMailbox(path).accepted
    },
  },
  {
    name: 'rename a mailbox',
    weight: 1,
    isOnMessages: false,
    async act({ engine, ledger, mailboxes, random }) {
      const own = ownOf(mailboxes)
      if (own.length === 0) return
      const { id, path } = random.pick(own)
      const to = random.pick(OWN)
      if (to.startsWith(path)) return
      ledger.askForMailbox('rename', to)
      await engine.renameMailbox(id, to).accepted
    },
  },
  {
    name: 'delete a mailbox',
    weight: 1,
    isOnMessages: false,
    async act({ engine, ledger, mailboxes, random }) {
      // Some servers refuse to delete what has something below it.
      const own = ownOf(mailboxes).filter(({ path }) => !mailboxes.some((other) => other.path.startsWith(`${path}/`)))
      if (own.length === 0) return
      const { id } = random.pick(own)
      ledger.askForMailbox('delete', '')
      await engine.deleteMailbox(id).accepted
    },
  },
  {
    name: 'subscribe',
    weight: 1,
    isOnMessages: false,
    async act({ engine, mailbox, random }) {
      await (random.chance(0.5) ? engine.subscribe(mailbox.id) : engine.unsubscribe(mailbox.id)).accepted
    },
  },
]

function ownOf(mailboxes: readonly MailboxView[]): MailboxView[] {
  return mailboxes.filter(({ path }) => OWN.includes(path))
}
