/** Leaves the selected mailbox without expunging: UNSELECT, or EXAMINE of a mailbox that cannot be; never CLOSE (RFC 4549 §4.2.5). */

import { can } from '@tidemail/core'
import type { Exchange, StepContext } from './exchange.ts'

/** A failed EXAMINE leaves no mailbox selected (RFC 3691 §1, RFC 9051 §6.3.2). */
const NO_SUCH_MAILBOX = 'tidemail: no such mailbox 5b1d7c'

export function leaveExchanges(context: StepContext): readonly Exchange[] {
  const command = can(context.server, 'UNSELECT') ? 'UNSELECT' : `EXAMINE ${context.argumentOf(NO_SUCH_MAILBOX)}`
  return [
    {
      parts: [command],
      mayBeRefused: true,
      take: (response) => response.kind === 'condition' && response.code?.name === 'CLOSED',
      finish: () => {
        context.select(null)
        return undefined
      },
    },
  ]
}
