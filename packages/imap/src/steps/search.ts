/** UID SEARCH: which UIDs exist, kept as a set (RFC 4731, RFC 9051 §6.4.4). */

import { can, type SearchStep, type UidRange, UidSet } from '@tidemail/core'
import { formatDate } from '../fetch-row.ts'
import { type Exchange, refusal, type StepContext } from './exchange.ts'

export function searchExchanges(step: SearchStep, context: StepContext): readonly Exchange[] {
  const found: UidRange[] = []
  let isAnswered = false
  const which = step.uids.equals(UidSet.ALL) ? 'ALL' : `UID ${step.uids}`
  const criterion = `${which}${step.only === 'deleted' ? ' DELETED' : ''}${step.since === undefined ? '' : ` SINCE ${formatDate(step.since)}`}`
  if (step.uids.isEmpty) return []
  return [
    {
      parts: [can(context.server, 'ESEARCH') ? `UID SEARCH RETURN (ALL) ${criterion}` : `UID SEARCH ${criterion}`],
      take: (response, _tell, tag) => {
        if (response.kind !== 'search' || (response.tag !== null && response.tag !== tag)) return false
        isAnswered = true
        // Joined once: some servers give one UID a line.
        for (const range of response.uids.ranges) found.push(range)
        return true
      },
      finish: (reply, tell) => {
        if (reply.status !== 'OK') return undefined
        if (!isAnswered && criterion === 'ALL' && (context.selection()?.exists ?? 0) > 0) {
          return refusal(null, 'The server did not say which messages there are.')
        }
        const uids = UidSet.fromRanges(found).intersect(step.uids)
        tell({ kind: 'uids', id: step.id, mailbox: step.mailbox, uids })
        return undefined
      },
    },
  ]
}
