/** What may befall a step on its way to the simulated server and back. */

import type { Rejection, Step } from '@tidemail/core'

/**
 * `cut`: the connection ends before the step is sent. `lose-request`: it ends when the step is sent but not yet carried out. `lose-answer`: when it is
 * carried out but nothing came back. `lose-tail`: when half of the answer came back. `ghost`: it ends, and the server carries the step out only
 * when the test calls `releaseGhosts()` (H-7). `reject`: the server says NO. `half-open`: the server says nothing more, and the client gives up at its
 * deadline; `isExecuted` tells whether the server got the step.
 */
export type StepFault =
  | 'pass'
  | 'cut'
  | 'lose-request'
  | 'lose-answer'
  | 'lose-tail'
  | 'ghost'
  | 'reject'
  | { readonly kind: 'reject'; readonly rejection: Rejection }
  | { readonly kind: 'half-open'; readonly isExecuted: boolean }

/** Decides for each step that is about to be sent; `index` counts these over all connections, from 0. */
export type FaultPlan = (step: Step, index: number) => StepFault

/** What `reject` answers when nothing else is said. */
export const PLAIN_REJECTION: Rejection = { status: 'NO', code: null, text: 'Refused by the simulated server.' }

/** What a half-open connection does to a step, but for the time it takes. */
export function lossOf(fault: StepFault): StepFault {
  if (typeof fault !== 'object' || fault.kind !== 'half-open') return fault
  return fault.isExecuted ? 'lose-answer' : 'lose-request'
}
