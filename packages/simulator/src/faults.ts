/** What may befall a step, by name, and what the simulated server then does. */

import type { StepFault } from '@tidemail/testing/simulated'

const NO = 'NO'

export type FaultName =
  | 'cut'
  | 'lost request'
  | 'lost answer'
  | 'lost tail'
  | 'ghost'
  | 'half-open, executed'
  | 'half-open, lost'
  | 'restart'
  | 'NO'
  | 'BAD'
  | 'NO [INUSE]'
  | 'NO [SERVERBUG]'
  | 'NO [OVERQUOTA]'
  | 'NO [CANNOT]'
  | 'NO [NOPERM]'

/** `restart`: the server ends every connection and is away for a moment. The others are as in `StepFault`. */
const FAULTS: Readonly<Record<FaultName, StepFault>> = {
  cut: 'cut',
  'lost request': 'lose-request',
  'lost answer': 'lose-answer',
  'lost tail': 'lose-tail',
  ghost: 'ghost',
  'half-open, executed': { kind: 'half-open', isExecuted: true },
  'half-open, lost': { kind: 'half-open', isExecuted: false },
  restart: 'lose-request',
  NO: 'reject',
  BAD: { kind: 'reject', rejection: { status: 'BAD', code: null, text: 'What?' } },
  'NO [INUSE]': { kind: 'reject', rejection: { status: NO, code: 'INUSE', text: 'Busy.' } },
  'NO [SERVERBUG]': { kind: 'reject', rejection: { status: NO, code: 'SERVERBUG', text: 'Oops.' } },
  'NO [OVERQUOTA]': { kind: 'reject', rejection: { status: NO, code: 'OVERQUOTA', text: 'Full.' } },
  'NO [CANNOT]': { kind: 'reject', rejection: { status: NO, code: 'CANNOT', text: 'Never.' } },
  'NO [NOPERM]': { kind: 'reject', rejection: { status: NO, code: 'NOPERM', text: 'Not you.' } },
}

export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS) as FaultName[]

/** What the death of a process at a step is to the step. */
export const FAULT_OF_KILL: Readonly<Record<'before step' | 'after step' | 'late step', FaultName>> = {
  'before step': 'cut',
  'after step': 'lost answer',
  'late step': 'ghost',
}

export function stepFault(name: FaultName): StepFault {
  return FAULTS[name]
}

export function isFault(what: string): what is FaultName {
  return what in FAULTS
}

/** Whether the server answers, and says no. */
export function isRefusal(name: FaultName): boolean {
  return name.startsWith('NO') || name === 'BAD'
}

/** Whether the same step, sent again, may be taken; what the server did is known in any case. */
export function isPassing(name: FaultName): boolean {
  return name === 'cut' || name === 'NO [INUSE]' || name === 'NO [SERVERBUG]'
}

/** Whether the client cannot know what became of the step. */
export function losesAnswer(name: FaultName): boolean {
  return !isRefusal(name) && name !== 'cut'
}
