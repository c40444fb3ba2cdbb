/** STATUS (RFC 9051 §6.3.11). */

import type { CommandFamily } from '../reply.ts'
import { type CommandRule, no, ok } from '../reply.ts'
import { readStatusItems, statusLine } from '../status-items.ts'

const status: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const path = args.mailbox()
    const items = readStatusItems(session, args.list())
    args.end()
    const mailbox = session.user.mailbox(path)
    if (mailbox === undefined) return no(`Mailbox doesn't exist: ${path}`)
    session.untagged(statusLine(mailbox, items))
    return ok('Status completed')
  },
}

export const STATUS_COMMANDS: CommandFamily = { plain: { STATUS: status } }
