/** One connection, logged in: runs plans and waits for news, one at a time. */

import type { Clock, DistrustedCapability, Observation, RemoteSession, RunOptions, ServerProfile, Step } from '@tidemail/core'
import type { Command } from './command.ts'
import { type LastLook, recordLook, watchOnce } from './mailbox-watch.ts'
import { PlanRun } from './plan-run.ts'
import type { Untagged } from './response.ts'
import type { SessionState } from './session-state.ts'
import { Turns } from './turns.ts'
import type { Wire } from './wire.ts'

/** A server that does not answer LOGOUT is not waited for. */
const LOGOUT_DEADLINE_MS = 2_000

export interface SessionOptions {
  readonly wire: Wire
  readonly state: SessionState
  readonly clock: Clock
}

export class ImapSession implements RemoteSession {
  readonly #wire: Wire
  readonly #state: SessionState
  readonly #clock: Clock
  readonly #turns = new Turns()
  readonly #looks: LastLook = new Map()
  #runsWaiting = 0

  constructor({ wire, state, clock }: SessionOptions) {
    this.#wire = wire
    this.#state = state
    this.#clock = clock
  }

  get server(): ServerProfile {
    return this.#state.server
  }

  get ended(): RemoteSession['ended'] {
    return this.#wire.ended
  }

  /** How many FETCH responses were dropped because they named no UID. */
  get rowsWithoutUid(): number {
    return this.#state.rowsWithoutUid
  }

  heed(learnt: readonly DistrustedCapability[]): void {
    this.#state.server = { ...this.#state.server, distrusted: learnt }
  }

  async *run(steps: readonly Step[], { bodies, signal }: RunOptions): AsyncGenerator<Observation, void, undefined> {
    const endTurn = await this.#takeTurn()
    const run = new PlanRun({ wire: this.#wire, state: this.#state, clock: this.#clock, bodies, signal })
    this.#state.listen((observation) => run.tell(observation))
    try {
      for await (const observation of run.observations(steps)) {
        if (observation.kind === 'opened') recordLook(this.#looks, observation)
        yield observation
      }
    } finally {
      this.#state.listener = null
      endTurn()
    }
  }

  async *watch(path: string, signal: AbortSignal): AsyncGenerator<Observation, void, undefined> {
    const wake = (): void => this.#wire.changed()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted && this.#wire.ended === null) {
        const news: Observation[] = []
        const result = await this.#watchTurn(path, signal, news)
        yield* news
        if (result === 'stirred') yield { kind: 'stirred', path }
        if (result === 'closed') return
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async close(): Promise<void> {
    const timer = new AbortController()
    const deadline = this.#clock.sleep(LOGOUT_DEADLINE_MS, timer.signal)
    await Promise.race([this.#logout(), deadline])
    timer.abort()
    this.#wire.end('remote.disconnected', 'The session was closed.')
  }

  /** Interrupts a watch; waits for a run. */
  async #takeTurn(): Promise<() => void> {
    this.#runsWaiting += 1
    this.#wire.changed()
    try {
      return await this.#turns.take()
    } finally {
      this.#runsWaiting -= 1
    }
  }

  /** Alerts go into `news`; what else is heard is told again to whoever opens the mailbox from its checkpoint. */
  async #watchTurn(path: string, signal: AbortSignal, news: Observation[]): Promise<'stirred' | 'quiet' | 'closed'> {
    const endTurn = await this.#turns.take()
    this.#state.listen((observation) => {
      if (observation.kind === 'alert') news.push(observation)
    })
    try {
      const options = { wire: this.#wire, state: this.#state, clock: this.#clock, signal, isWanted: () => this.#runsWaiting > 0 }
      return await watchOnce(path, this.#looks, options)
    } finally {
      this.#state.listener = null
      endTurn()
    }
  }

  async #logout(): Promise<void> {
    if (this.#wire.ended !== null) return
    const endTurn = await this.#takeTurn()
    this.#wire.leave()
    let isAnswered = false
    const command: Command = {
      parts: ['LOGOUT'],
      settle: () => {
        isAnswered = true
      },
    }
    await this.#wire.start(command)
    await this.#wire.until(() => isAnswered)
    // Answered or not, nothing is sent after LOGOUT: who waits for a turn is to hear that.
    this.#wire.end('remote.disconnected', 'The session was closed.')
    endTurn()
  }
}

/** Gives an untagged response to the session, and answers whether it was asked for; ends the connection when nobody can keep up with it. */
export function hearUntagged(response: Untagged, { wire, state }: Pick<SessionOptions, 'wire' | 'state'>): boolean {
  const isTaken = state.hear(response, wire.inFlight)
  if (state.isOverheard) wire.end('remote.disconnected', 'The server said more unasked than can be kept.')
  return isTaken
}
