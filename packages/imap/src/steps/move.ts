/** UID MOVE (RFC 6851). Where the server cannot, the planner plans three steps instead. */

import { can, type MoveStep } from '@tidemail/core'
import { copyingExchange } from './copied.ts'
import { refusal, type StepContext, type StepExchanges } from './exchange.ts'

export function moveExchanges(step: MoveStep, context: StepContext): StepExchanges {
  if (!can(context.server, 'MOVE')) return refusal('CANNOT', 'The server cannot move messages.')
  return step.uids.isEmpty ? [] : [copyingExchange(step, `UID MOVE ${step.uids} ${context.argumentOf(step.target)}`)]
}
