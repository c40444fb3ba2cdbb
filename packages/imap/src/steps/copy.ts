/** UID COPY (RFC 9051 §6.4.7). */

import type { CopyStep } from '@tidemail/core'
import { copyingExchange } from './copied.ts'
import type { Exchange, StepContext } from './exchange.ts'

export function copyExchanges(step: CopyStep, context: StepContext): readonly Exchange[] {
  return step.uids.isEmpty ? [] : [copyingExchange(step, `UID COPY ${step.uids} ${context.argumentOf(step.target)}`)]
}
