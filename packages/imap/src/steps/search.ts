/** UID SEARCH: which UIDs exist, kept as a set (RFC 4731, RFC 9051 §6.4.4). */

import { can, type SearchStep, UidSet } from '@tidemail/core'
import type { Exchange, StepContext } from './exchange.ts'

export function searchExchanges(step: SearchStep, { server }: StepContext): readonly Exchange[] {
  let found = UidSet.EMPTY
  const criterion = step.uids.equals(UidSet.ALL) ? 'ALL' : `UID ${step.uids}`
  if (step.uids.isEmpty) return []
  return [
    {
      parts: [can(server, 'ESEARCH') ? `UID SEARCH RETURN (ALL) ${criterion}` : `UID SEARCH ${criterion}`],
      take: (response, _tell, tag) => {
        if (response.kind !== 'search' || (response.tag !== null && response.tag !== tag)) return false
        found = found.union(response.uids)
        return true
      },
      finish: (reply, tell) => {
        if (reply.status === 'OK') tell({ kind: 'uids', id: step.id, mailbox: step.mailbox, uids: found.intersect(step.uids) })
        return undefined
      },
    },
  ]
}
