/** CREATE, RENAME, DELETE, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8). */

import type { MailboxStep } from '@tidemail/core'
import type { Exchange, StepContext } from './exchange.ts'

/** @throws SyncError `input.bad-name` */
export function mailboxExchanges(step: MailboxStep, { argumentOf }: Pick<StepContext, 'argumentOf'>): readonly Exchange[] {
  const path = argumentOf(step.path)
  if (step.kind === 'rename') return [{ parts: [`RENAME ${path} ${argumentOf(step.to)}`] }]
  return [{ parts: [`${step.kind.toUpperCase()} ${path}`] }]
}
