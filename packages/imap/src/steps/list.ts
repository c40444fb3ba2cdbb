/** LIST of every mailbox, with subscriptions, special uses and STATUS in the same command where the server can. */

import { can, type ListStep, type MailboxRole, type MailboxSeen, type ServerProfile } from '@tidemail/core'
import type { ListResponse } from '../response.ts'
import { decodeUtf8 } from '../scanner.ts'
import type { Exchange, StepContext, Tell } from './exchange.ts'
import { statusItems, statusSeen } from './status.ts'

export function listExchanges(step: ListStep, context: StepContext): readonly Exchange[] {
  if (can(context.server, 'LIST-EXTENDED')) return [extendedList(step, context)]
  return plainList(context)
}

/** LIST-EXTENDED (RFC 5258): one command tells all. */
function extendedList(step: ListStep, context: StepContext): Exchange {
  const told = new Set<string>()
  return {
    parts: [`LIST "" "*" RETURN (${returnOptions(step, context.server).join(' ')})`],
    take: (response, tell) => {
      if (response.kind === 'status') {
        tell(statusSeen(response, context.pathOf(response.name)))
        return true
      }
      if (response.kind !== 'list') return false
      const seen = mailboxSeen(response, context, response.attributes.includes('\\subscribed'))
      if (seen !== null && !told.has(seen.path)) {
        told.add(seen.path)
        tell(seen)
      }
      return true
    },
  }
}

function returnOptions(step: ListStep, server: ServerProfile): readonly string[] {
  const options = ['SUBSCRIBED']
  if (can(server, 'SPECIAL-USE')) options.push('SPECIAL-USE')
  if (step.withStatus && can(server, 'LIST-STATUS')) {
    options.push(`STATUS (${statusItems(server).join(' ')})`)
  }
  return options
}

/** RFC 3501: LIST tells the mailboxes, LSUB which of them are subscribed. */
function plainList(context: StepContext): readonly Exchange[] {
  const listed = new Map<string, ListResponse>()
  const subscribed = new Set<string>()
  const tellAll = (tell: Tell): void => {
    for (const [path, response] of listed) {
      const seen = mailboxSeen(response, context, subscribed.has(path))
      if (seen !== null) tell(seen)
    }
  }
  return [
    {
      parts: ['LIST "" "*"'],
      take: (response) => {
        if (response.kind !== 'list') return false
        const path = context.pathOf(response.name)
        if (!listed.has(path)) listed.set(path, response)
        return true
      },
    },
    {
      parts: ['LSUB "" "*"'],
      mayBeRefused: true,
      take: (response) => {
        if (response.kind !== 'list') return false
        // RFC 3501 §6.3.9: \Noselect names what is only above a subscribed mailbox.
        if (!response.attributes.includes('\\noselect')) subscribed.add(context.pathOf(response.name))
        return true
      },
      finish: (_reply, tell) => {
        tellAll(tell)
        return undefined
      },
    },
  ]
}

/** An empty name only tells the delimiter. */
export function mailboxSeen(response: ListResponse, context: StepContext, isSubscribed: boolean): MailboxSeen | null {
  const path = context.pathOf(response.name)
  if (path === '') return null
  const { attributes } = response
  return {
    kind: 'mailbox',
    path,
    delimiter: response.delimiter === null ? null : decodeUtf8(response.delimiter),
    isSelectable: !attributes.includes('\\noselect') && !attributes.includes('\\nonexistent'),
    isSubscribed,
    role: path === 'INBOX' ? 'inbox' : roleOf(attributes),
  }
}

const ROLES: readonly MailboxRole[] = ['all', 'archive', 'drafts', 'flagged', 'junk', 'sent', 'trash']

function roleOf(attributes: readonly string[]): MailboxRole | null {
  return ROLES.find((role) => attributes.includes(`\\${role}`)) ?? null
}
