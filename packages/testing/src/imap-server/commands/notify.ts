/** NOTIFY: which mailboxes the client wants to hear of without selecting them (RFC 5465). */

import { DELIMITER } from '../../model/account.ts'
import { BadCommand } from '../bad-command.ts'
import { Arguments, type Token, textOf } from '../command-syntax.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { type NotifyRequest, notifiedItems, startNotify, stopNotify } from '../notify-watch.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, ok, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { statusLine } from '../status-items.ts'

const MESSAGE_EVENTS = ['MESSAGENEW', 'MESSAGEEXPUNGE', 'FLAGCHANGE']
const NAME_EVENTS = ['MAILBOXNAME', 'SUBSCRIPTIONCHANGE', 'MAILBOXMETADATACHANGE', 'SERVERMETADATACHANGE', 'ANNOTATIONCHANGE']

function notify({ session, args }: Invocation): Reply {
  const verb = args.atom().toUpperCase()
  if (verb === 'NONE') {
    args.end()
    stopNotify(session)
    return ok('NOTIFY completed.')
  }
  if (verb !== 'SET') throw new BadCommand('Expected SET or NONE')
  const wantsStatus = args.accept('STATUS')
  if (args.isEmpty) throw new BadCommand('Missing event groups')
  const requests = args.rest().flatMap((group) => readGroup(session, group))
  if (wantsStatus) writeStatus(session, requests)
  startNotify(session, requests)
  return ok('NOTIFY completed.')
}

/** The selected mailbox is told of in any case; its group says only that the client knows it. */
function readGroup(session: Session, group: Token): NotifyRequest[] {
  if (group.kind !== 'list') throw new BadCommand('Invalid event group')
  const args = new Arguments(group.items)
  const which = args.atom().toUpperCase()
  const covers = coverageOf(session, which, args)
  if (args.accept('NONE')) return []
  const events = args.list().flatMap((token) => (token.kind === 'list' ? [] : [textOf(token).toUpperCase()]))
  for (const event of events) {
    if (![...MESSAGE_EVENTS, ...NAME_EVENTS].includes(event)) throw new BadCommand(`Unknown event ${event}`)
  }
  if (events.includes('FLAGCHANGE') && !(events.includes('MESSAGENEW') && events.includes('MESSAGEEXPUNGE'))) {
    throw new BadCommand('FlagChange needs MessageNew and MessageExpunge')
  }
  if (covers === null) return []
  const isAskedFor = (kinds: readonly string[]): boolean => events.some((event) => kinds.includes(event))
  return [{ covers, messages: isAskedFor(MESSAGE_EVENTS), names: isAskedFor(NAME_EVENTS) }]
}

function coverageOf(session: Session, which: string, args: Arguments): NotifyRequest['covers'] | null {
  switch (which) {
    case 'SELECTED':
    case 'SELECTED-DELAYED':
      return null
    case 'INBOXES':
      return (path) => path === 'INBOX'
    case 'PERSONAL':
      return () => true
    case 'SUBSCRIBED':
      return (path) => session.user.subscriptions.has(path)
    case 'MAILBOXES':
    case 'SUBTREE': {
      const names = (args.optionalList() ?? [args.take()]).map((token) => decodeMailboxName(textOf(token)))
      const isBelow = (path: string, name: string): boolean => which === 'SUBTREE' && path.startsWith(name + DELIMITER)
      return (path) => names.some((name) => path === name || isBelow(path, name))
    }
    default:
      throw new BadCommand(`Unknown mailbox filter ${which}`)
  }
}

function writeStatus(session: Session, requests: readonly NotifyRequest[]): void {
  for (const mailbox of session.user.mailboxes) {
    if (mailbox === session.selected?.mailbox) continue
    if (requests.some(({ covers, messages }) => messages && covers(mailbox.path))) {
      session.untagged(statusLine(mailbox, notifiedItems(session)))
    }
  }
}

const rule: CommandRule = { states: ['authenticated', 'selected'], run: notify }

export const NOTIFY_COMMANDS: CommandFamily = { plain: { NOTIFY: rule } }
