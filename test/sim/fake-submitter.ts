/** A submission server that counts what it takes, and fails as it is told. */

import type { SubmissionOutcome, SubmittedMessage, Submitter } from '@tidemail/core'

export type SubmitFault = 'pass' | 'refuse' | 'refuse-for-now' | 'unreachable' | 'lose-answer' | 'throw'

export class FakeSubmitter implements Submitter {
  /** What will be delivered, whether anybody was told or not. */
  readonly taken: SubmittedMessage[] = []
  tries = 0
  /** Decides for each try; `index` counts from 0. */
  fault: (index: number) => SubmitFault = () => 'pass'

  async submit(message: SubmittedMessage): Promise<SubmissionOutcome> {
    const fault = this.fault(this.tries)
    this.tries += 1
    switch (fault) {
      case 'refuse':
        return { kind: 'rejected', text: 'No such user.', isPassing: false }
      case 'refuse-for-now':
        return { kind: 'rejected', text: 'Busy.', isPassing: true }
      case 'unreachable':
        return { kind: 'unreachable', text: 'There is no network.' }
      case 'pass':
        this.taken.push(message)
        return { kind: 'accepted', text: 'Queued.' }
      case 'lose-answer':
        this.taken.push(message)
        return { kind: 'unknown', text: 'The connection was lost.' }
      case 'throw':
        this.taken.push(message)
        throw new Error('The adapter failed.')
    }
  }
}
