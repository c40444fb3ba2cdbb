/** UID EXPUNGE of these UIDs only (RFC 4315 §2.1). Without UIDPLUS nothing is sent: a bare EXPUNGE takes what others marked. */

import { can, type ExpungeStep } from '@tidemail/core'
import { refusal, type StepContext, type StepExchanges } from './exchange.ts'

export function expungeExchanges(step: ExpungeStep, { server }: StepContext): StepExchanges {
  if (!can(server, 'UIDPLUS')) return refusal('CANNOT', 'The server cannot expunge single messages.')
  return step.uids.isEmpty ? [] : [{ parts: [`UID EXPUNGE ${step.uids}`] }]
}
