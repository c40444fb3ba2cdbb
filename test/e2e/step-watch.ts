/** Watches the steps an engine runs: what each came to, and how far the wire was when it was answered. */

import type { Observation, Outcome, Remote, RemoteSession, Step } from '@tidemail/core'
import type { ProxyCounts } from '@tidemail/testing'

export interface StepEnding {
  readonly kind: Step['kind']
  readonly outcome: Outcome
  /** Octets that the client had received. */
  readonly bytesDown: number
}

export class StepWatch {
  readonly #counts: () => ProxyCounts
  #endings: StepEnding[] = []
  #connected: ProxyCounts | null = null

  constructor(counts: () => ProxyCounts) {
    this.#counts = counts
  }

  /** Since the start or the last `reset`. */
  get endings(): readonly StepEnding[] {
    return this.#endings
  }

  /** What had gone over the wire when the last connection stood: after ENABLE. */
  get connected(): ProxyCounts {
    if (this.#connected === null) throw new Error('Nothing has connected.')
    return this.#connected
  }

  /** The kinds of steps that were sent and never answered. */
  get lost(): readonly Step['kind'][] {
    return [...new Set(this.#endings.filter(({ outcome }) => outcome === 'unknown').map(({ kind }) => kind))]
  }

  reset(): void {
    this.#endings = []
    this.#connected = null
  }

  /** The same remote, watched. */
  over(remote: Remote): Remote {
    return {
      connect: async (signal) => {
        const session = await remote.connect(signal)
        this.#connected = this.#counts()
        return this.#session(session)
      },
    }
  }

  #session(session: RemoteSession): RemoteSession {
    return {
      server: session.server,
      get ended() {
        return session.ended
      },
      run: (steps, options) => this.#run(steps, session.run(steps, options)),
      watch: (mailbox, signal) => session.watch(mailbox, signal),
      close: () => session.close(),
    }
  }

  async *#run(steps: readonly Step[], observations: AsyncIterable<Observation>): AsyncGenerator<Observation> {
    for await (const item of observations) {
      if (item.kind === 'done') {
        const step = steps.find(({ id }) => id === item.id)
        const { bytesDown } = this.#counts()
        if (step !== undefined) this.#endings.push({ kind: step.kind, outcome: item.outcome, bytesDown })
      }
      yield item
    }
  }
}
