/** One connection, logged in: runs plans and waits for news, one at a time. */

import {
  type Clock,
  type DistrustedCapability,
  type Observation,
  PING_DEADLINE_MS_MAX,
  type RemoteSession,
  type RunOptions,
  type ServerProfile,
  type Step,
  type WatchRequest,
} from '@tidemail/core'
import type { Command } from './command.ts'
import { noop } from './idle.ts'
import { type WatchState, type WatchTurn, watchTurn } from './mailbox-watch.ts'
import { Notices } from './notices.ts'
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
  readonly #notices: Notices
  readonly #watch: WatchState = { isReady: false, hasStirred: false, refusesIdle: false }
  #runsWaiting = 0
  #isRunning = false

  constructor({ wire, state, clock }: SessionOptions) {
    this.#wire = wire
    this.#state = state
    this.#clock = clock
    this.#notices = new Notices({ wire, state })
  }

  get server(): ServerProfile {
    const { oddNames, server } = this.#state
    return oddNames.length === 0 ? server : { ...server, oddNames }
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
    this.#isRunning = true
    this.#state.listen((observation) => run.tell(observation))
    this.#notices.release()
    try {
      yield* run.observations(steps)
    } finally {
      this.#state.listener = null
      // What the plan itself changed is no news.
      Object.assign(this.#watch, { isReady: false, hasStirred: false })
      this.#isRunning = false
      endTurn()
    }
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<Observation, void, undefined> {
    const wake = (): void => this.#wire.changed()
    signal.addEventListener('abort', wake)
    Object.assign(this.#watch, { isReady: false, hasStirred: false })
    this.#state.onStir = () => {
      this.#watch.hasStirred = true
      wake()
    }
    try {
      while (!signal.aborted && this.#wire.ended === null) {
        const { told, isOver } = await this.#watchTurn(request, signal)
        yield* told
        if (isOver) return
      }
    } finally {
      this.#state.onStir = null
      signal.removeEventListener('abort', wake)
    }
  }

  async ping(): Promise<void> {
    if (this.#wire.ended !== null) return
    if (this.#isRunning) return this.#wire.hurry(PING_DEADLINE_MS_MAX)
    const timer = new AbortController()
    const deadline = this.#clock.sleep(PING_DEADLINE_MS_MAX, timer.signal).then(() => {
      if (!timer.signal.aborted) this.#wire.end('remote.timeout', 'The server gave no sign of life.')
    })
    const endTurn = await this.#takeTurn()
    await noop(this.#wire)
    endTurn()
    timer.abort()
    await deadline
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

  /** Alerts are told; what else is heard is told again to whoever opens the mailbox from its checkpoint. */
  async #watchTurn(request: WatchRequest, signal: AbortSignal): Promise<WatchTurn> {
    const endTurn = await this.#turns.take()
    const alerts: Observation[] = []
    this.#state.listen((observation) => {
      if (observation.kind === 'alert') alerts.push(observation)
    })
    try {
      const { told, isOver } = await watchTurn(request, {
        wire: this.#wire,
        state: this.#state,
        clock: this.#clock,
        signal,
        notices: this.#notices,
        watch: this.#watch,
        isWanted: () => this.#runsWaiting > 0,
      })
      return { told: [...alerts, ...told], isOver }
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
