/** What the simulated user brings along: messages that are uploaded, saved as drafts, and sent. */

import { FLAGS } from './some-flags.ts'
import type { UserAct } from './user-acts.ts'

export const UPLOAD_ACTS: readonly UserAct[] = [
  {
    name: 'append',
    weight: 2,
    isOnMessages: false,
    async act({ engine, random, ledger, mailbox, newMessage, uploaded }) {
      // Twins: the same bytes twice, and both are wanted (H-10).
      const message = uploaded.length > 0 && random.chance(0.2) ? random.pick(uploaded) : newMessage()
      uploaded.push(message)
      ledger.ask('append', [message.id])
      await engine.append({ to: mailbox.id, bytes: message.bytes, flags: [random.pick(FLAGS)] }).accepted
    },
  },
  {
    name: 'save a draft',
    weight: 3,
    isOnMessages: false,
    async act({ draft, engine, ledger, mailbox, newMessage, random, uploaded }) {
      const message = newMessage()
      uploaded.push(message)
      ledger.ask('append', [message.id])
      const before = random.chance(0.8) ? draft.last : null
      // A version that was replaced already leads to the one that replaced it.
      if (before !== null) ledger.askReplacement(message.id, draft.ids)
      const replaces = before === null ? {} : { replaces: before }
      if (before !== null) draft.ids.push(message.id)
      const handle = engine.saveDraft({ to: mailbox.id, bytes: message.bytes, ...replaces })
      await handle.accepted
      draft.last = await handle.message
      if (before === null) draft.ids = [message.id]
    },
  },
  {
    name: 'submit',
    weight: 2,
    isOnMessages: false,
    async act({ engine, ledger, mailbox, newMessage, random }) {
      const { bytes, id } = newMessage()
      const saveTo = random.chance(0.8) ? mailbox.id : null
      ledger.submissions.ask(id)
      if (saveTo !== null) ledger.ask('append', [id])
      await engine.submit({ bytes, sender: 'me@world.example', recipients: ['you@world.example'], saveTo }).accepted
    },
  },
]
