/** Which file writes which step. */

import { assertNever, type Step } from '@tidemail/core'
import { appendExchanges, replaceExchanges } from './append.ts'
import { copyExchanges } from './copy.ts'
import type { StepContext, StepExchanges } from './exchange.ts'
import { expungeExchanges } from './expunge.ts'
import { expungeAllExchanges } from './expunge-all.ts'
import { fetchExchanges } from './fetch.ts'
import { fetchBodyExchanges } from './fetch-body.ts'
import { leaveExchanges } from './leave.ts'
import { listExchanges } from './list.ts'
import { mailboxExchanges } from './mailboxes.ts'
import { moveExchanges } from './move.ts'
import { namespacesExchanges } from './namespaces.ts'
import { openExchanges } from './open.ts'
import { searchExchanges } from './search.ts'
import { statusExchanges } from './status.ts'
import { storeExchanges } from './store.ts'

/** The commands of a step. `bodies` are the bytes of the messages of an append. @throws SyncError `input.*` for what IMAP cannot carry. */
export function exchangesOf(step: Step, bodies: readonly Uint8Array[], context: StepContext): StepExchanges {
  switch (step.kind) {
    case 'list':
      return listExchanges(step, context)
    case 'namespaces':
      return namespacesExchanges(context)
    case 'status':
      return statusExchanges(step, context)
    case 'open':
      return openExchanges(step, context)
    case 'leave':
      return leaveExchanges(context)
    case 'search':
      return searchExchanges(step, context)
    case 'fetch':
      return fetchExchanges(step, context)
    case 'fetch-body':
      return fetchBodyExchanges(step)
    case 'store':
      return storeExchanges(step)
    case 'copy':
      return copyExchanges(step, context)
    case 'move':
      return moveExchanges(step, context)
    case 'expunge':
      return expungeExchanges(step, context)
    case 'expunge-all':
      return expungeAllExchanges()
    case 'append':
      return appendExchanges(step, bodies, context)
    case 'replace':
      return replaceExchanges(step, bodies, context)
    case 'create':
    case 'rename':
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
      return mailboxExchanges(step, context)
    default:
      return assertNever(step)
  }
}
