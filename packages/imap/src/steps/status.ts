/** STATUS of a mailbox that is not selected (RFC 9051 §6.3.11), and the rows that LIST-STATUS adds (RFC 5819). */

import {
  can,
  MOD_SEQ_MAX,
  type ModSeq,
  modSeq,
  type ServerProfile,
  type StatusSeen,
  type StatusStep,
  UID_MAX,
  type UidValidity,
} from '@tidemail/core'
import { readObjectId } from '../object-id.ts'
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
 * What is asked of each mailbox, by STATUS and by LIST alike. Not MAILBOXID, which the open tells too: Cyrus 3.6 answers it here by octets of its
 * own memory, which may hold quotes and line breaks.
 */
export function statusItems(server: ServerProfile): readonly string[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']
  return hasModSeqs(server) ? [...items, 'HIGHESTMODSEQ'] : items
}

export function hasModSeqs(server: ServerProfile): boolean {
  return can(server, 'CONDSTORE') || can(server, 'QRESYNC')
}

export function statusSeen({ items }: StatusRowResponse, path: string): StatusSeen {
  return {
    kind: 'status',
    path,
    messages: readNumber(items.get('MESSAGES')),
    uidNext: readUidNext(items.get('UIDNEXT')),
    uidValidity: (readNumber(items.get('UIDVALIDITY')) || null) as UidValidity | null,
    highestModSeq: readModSeq(items.get('HIGHESTMODSEQ')),
    objectId: readObjectId(items.get('MAILBOXID')),
  }
}

/** After the last UID there is no next: whatever is said then, it is no higher. */
function readUidNext(value: Value | undefined): number | null {
  const uidNext = readNumber(value)
  return uidNext === null || uidNext === 0 ? null : Math.min(uidNext, UID_MAX)
}

/** Zero says that the mailbox has none (RFC 7162 §3.1.7), and so does a number of more than 63 bits. */
export function readModSeq(value: Value | undefined): ModSeq | null {
  if (typeof value !== 'string' || !/^0*[1-9]\d{0,18}$/.test(value)) return null
  return BigInt(value) > MOD_SEQ_MAX ? null : modSeq(value)
}

function readNumber(value: Value | undefined): number | null {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : null
}
