/** CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to 6.3.8, RFC 6154 §3). */

import type { MailboxRole } from '@tidemail/core'
import { BadCommand } from '../bad-command.ts'
import { Arguments, wordsOf } from '../command-syntax.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, ok, refused } from '../reply.ts'

const ROLES: readonly MailboxRole[] = ['all', 'archive', 'drafts', 'flagged', 'junk', 'sent', 'trash']

const create: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const path = args.mailbox()
    const parameters = session.can('CREATE-SPECIAL-USE') ? args.optionalList() : null
    args.end()
    const role = parameters === null ? null : readUse(new Arguments(parameters))
    const made = session.user.create(path, { role })
    if (made.kind === 'refused') return refused(made)
    return ok('Create completed', session.can('OBJECTID') ? `MAILBOXID (${made.mailbox.objectId})` : null)
  },
}

const remove: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const path = args.mailbox()
    args.end()
    if (session.selected !== null && session.selected.mailbox === session.user.mailbox(path)) session.select(null)
    const removed = session.user.delete(path)
    return removed.kind === 'refused' ? refused(removed) : ok('Delete completed')
  },
}

const rename: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const from = args.mailbox()
    const to = args.mailbox()
    args.end()
    const renamed = session.user.rename(from, to)
    return renamed.kind === 'refused' ? refused(renamed) : ok('Rename completed')
  },
}

const subscribe: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const subscribed = session.user.subscribe(args.mailbox())
    return subscribed.kind === 'refused' ? refused(subscribed) : ok('Subscribe completed')
  },
}

const unsubscribe: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    session.user.unsubscribe(args.mailbox())
    return ok('Unsubscribe completed')
  },
}

/** `USE (\Archive)`. */
function readUse(args: Arguments): MailboxRole {
  if (args.atom().toUpperCase() !== 'USE') throw new BadCommand('Unknown CREATE parameter')
  const word = wordsOf(args.list())[0]?.slice(1).toLowerCase()
  args.end()
  const role = ROLES.find((candidate) => candidate === word)
  if (role === undefined) throw new BadCommand('Unknown special use')
  return role
}

export const MAILBOX_COMMANDS: CommandFamily = {
  plain: { CREATE: create, DELETE: remove, RENAME: rename, SUBSCRIBE: subscribe, UNSUBSCRIBE: unsubscribe },
}
