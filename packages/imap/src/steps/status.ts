/** STATUS of a mailbox that is not selected (RFC 9051 §6.3.11), and the rows that LIST-STATUS adds (RFC 5819). */

import { can, type ModSeq, modSeq, type ServerProfile, type StatusSeen, type StatusStep, type UidValidity } from '@tidemail/core'
import type { StatusRowResponse } from '../response.ts'
import type { Value } from '../scanner.ts'
import type { Exchange, StepContext } from './exchange.ts'

export function statusExchanges(step: StatusStep, context: StepContext): readonly Exchange[] {
  const items = statusItems(context.server)
  return [
    {
      parts: [`STATUS ${context.argumentOf(step.path)} (${items.join(' ')})`],
      take: (response, tell) => {
        if (response.kind !== 'status') return false
        const seen = statusSeen(response, context.pathOf(response.name))
        if (seen.path !== step.path) return false
        tell(seen)
        return true
      },
    },
  ]
}

/**
 * What is asked of each mailbox, by STATUS and by LIST alike: Cyrus 3.6 answers HIGHESTMODSEQ with MAILBOXID by octets of
 * its own memory, which may hold quotes and line breaks. The open tells MAILBOXID too.
 */
export function statusItems(server: ServerProfile): readonly string[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']
  if (hasModSeqs(server)) return [...items, 'HIGHESTMODSEQ']
  return can(server, 'OBJECTID') ? [...items, 'MAILBOXID'] : items
}

export function hasModSeqs(server: ServerProfile): boolean {
  return can(server, 'CONDSTORE') || can(server, 'QRESYNC')
}

export function statusSeen({ items }: StatusRowResponse, path: string): StatusSeen {
  return {
    kind: 'status',
    path,
    messages: readNumber(items.get('MESSAGES')),
    uidNext: readNumber(items.get('UIDNEXT')) || null,
    uidValidity: (readNumber(items.get('UIDVALIDITY')) || null) as UidValidity | null,
    highestModSeq: readModSeq(items.get('HIGHESTMODSEQ')),
    objectId: readObjectId(items.get('MAILBOXID')),
  }
}

/** Zero says that the mailbox has none (RFC 7162 §3.1.7). */
export function readModSeq(value: Value | undefined): ModSeq | null {
  return typeof value === 'string' && /^0*[1-9]\d{0,18}$/.test(value) ? modSeq(value) : null
}

function readNumber(value: Value | undefined): number | null {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : null
}

/** `(F2212ea87)`: letters, digits, `-` and `_` only (RFC 8474 §4); anything else is no identity. */
export function readObjectId(value: Value | undefined): string | null {
  const id = Array.isArray(value) ? value[0] : value
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(id) ? id : null
}
