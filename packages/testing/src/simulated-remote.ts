/** A Remote without a wire: carries the steps out on the model of a mail server, and loses requests and answers as a test asks. */

import {
  type Clock,
  type Namespaces,
  NO_NAMESPACES,
  type Remote,
  type RemoteSession,
  type ServerProfile,
  type Step,
  SyncError,
} from '@tidemail/core'
import type { ModelAccount } from './model/account.ts'
import { type Extension, extensionsWithout, type PrivateExtension } from './model/extensions.ts'
import type { FaultPlan, StepFault } from './simulated-fault.ts'
import type { Extensions } from './simulated-observations.ts'
import { SimulatedSession } from './simulated-session.ts'
import type { Executed } from './simulated-steps.ts'

/** How long a client waits for a server that is silent, in milliseconds. */
const ANSWER_DEADLINE_MS = 60_000

const NOBODY_THERE: StepFault = { kind: 'half-open', isExecuted: false }

export interface SimulatedRemoteOptions {
  readonly account: ModelAccount
  readonly clock: Clock
  /** Extensions that are neither advertised nor obeyed. `['QRESYNC']` gives the tier `condstore`, `['CONDSTORE']` the tier `plain`. */
  readonly without?: readonly Extension[]
  /** What NAMESPACE answers. Left out: it is not offered. */
  readonly namespaces?: Namespaces
  /** Extensions of one vendor that it has. */
  readonly adds?: readonly PrivateExtension[]
  readonly fault?: FaultPlan
  /** How long each step takes on the clock. */
  readonly latencyMs?: number
  /** How many steps are under way at a time: a connection that ends takes them all along. */
  readonly inFlightMax?: number
  /** Called for each step that changed something on the server, whether anybody hears of it or not. */
  readonly onExecuted?: (executed: Executed) => void
  /** Called when a step is left for the server to carry out later; `releaseGhosts()` does it. */
  readonly onGhost?: () => void
}

/** @example `const remote = new SimulatedRemote({ account: new ModelAccount(), clock })` */
export class SimulatedRemote implements Remote {
  readonly account: ModelAccount
  readonly clock: Clock
  readonly extensions: Extensions
  readonly namespaces: Namespaces
  readonly latencyMs: number
  readonly inFlightMax: number
  readonly answerDeadlineMs: number = ANSWER_DEADLINE_MS
  readonly onExecuted: (executed: Executed) => void
  /** Knob: what befalls the steps; may be replaced at any time. */
  fault: FaultPlan
  /** Knob: so many connections are let in at a time. */
  connectionsMax: number = Number.POSITIVE_INFINITY
  /** The steps that were sent, in order, over all connections, with what befell each. */
  readonly sent: { readonly step: Step; readonly fault: StepFault }[] = []
  readonly #sessions = new Set<SimulatedSession>()
  readonly #halfOpen = new Set<SimulatedSession>()
  readonly #onGhost: () => void
  #ghosts: (() => void)[] = []
  #connectionCount = 0
  #refusal: SyncError | null = null

  constructor(options: SimulatedRemoteOptions) {
    this.account = options.account
    this.clock = options.clock
    const { namespaces, without = [] } = options
    this.extensions = extensionsWithout(namespaces === undefined ? [...without, 'NAMESPACE'] : without, options.adds)
    this.namespaces = namespaces ?? NO_NAMESPACES
    this.latencyMs = options.latencyMs ?? 0
    this.inFlightMax = options.inFlightMax ?? 1
    this.fault = options.fault ?? (() => 'pass')
    this.onExecuted = options.onExecuted ?? (() => {})
    this.#onGhost = options.onGhost ?? (() => {})
  }

  /** How many steps were sent, over all connections. */
  get stepCount(): number {
    return this.sent.length
  }

  get connectionCount(): number {
    return this.#connectionCount
  }

  /** How many connections there are now. */
  get openCount(): number {
    return this.#sessions.size
  }

  /** Steps that the server has yet to carry out for connections that are gone. */
  get ghostCount(): number {
    return this.#ghosts.length
  }

  get profile(): ServerProfile {
    const limit = this.account.appendLimitOctets
    const capabilities = ['IMAP4REV1', ...this.extensions, ...(limit === null ? [] : [`APPENDLIMIT=${limit}`])]
    const enabled = (['QRESYNC', 'CONDSTORE'] as const).filter(
      (name) => this.extensions.has(name) && this.extensions.has('ENABLE'),
    )
    return { capabilities, enabled, appendLimitOctets: limit, distrusted: [] }
  }

  async connect(signal: AbortSignal): Promise<RemoteSession> {
    if (this.latencyMs > 0) await this.clock.sleep(this.latencyMs, signal)
    if (signal.aborted) throw new SyncError('engine.aborted', 'The connection was not wanted any more.')
    if (this.#refusal !== null) throw this.#refusal
    if (this.#sessions.size >= this.connectionsMax) {
      throw new SyncError('remote.try-later', 'The server asks to come back later: Maximum number of connections exceeded')
    }
    this.#connectionCount += 1
    const session = new SimulatedSession(this)
    this.#sessions.add(session)
    return session
  }

  /** Ends every connection, and refuses new ones, with `remote.unreachable` where nothing else is given, until `goOnline()`. */
  goOffline(error: SyncError = new SyncError('remote.unreachable', 'The simulated network is down.')): void {
    this.#refusal = error
    this.disconnectAll()
  }

  goOnline(): void {
    this.#refusal = null
  }

  /** Ends every connection; new ones are welcome. */
  disconnectAll(): void {
    for (const session of [...this.#sessions]) session.end('The simulated connection was cut.')
  }

  /** Knob: from now on nothing passes over the connections that there are, and nobody is told. */
  silenceAll(): void {
    for (const session of this.#sessions) this.#halfOpen.add(session)
  }

  /** For the session: whether nothing passes over it. */
  isHalfOpen(session: SimulatedSession): boolean {
    return this.#halfOpen.has(session)
  }

  /** The server carries out what it had received from connections that ended (H-7). Returns how many steps that were. */
  releaseGhosts(): number {
    const ghosts = this.#ghosts
    this.#ghosts = []
    for (const execute of ghosts) execute()
    return ghosts.length
  }

  /** For the session: counts the step and says what befalls it. */
  send(step: Step, session: SimulatedSession): StepFault {
    const fault = this.isHalfOpen(session) ? NOBODY_THERE : this.fault(step, this.sent.length)
    this.sent.push({ step, fault })
    return fault
  }

  /** For the session: the step went along with another that the connection took with it. */
  sendAlong(step: Step, fault: StepFault): void {
    this.sent.push({ step, fault })
  }

  /** For the session: keeps what the server will do later. */
  keepGhost(execute: () => void): void {
    this.#ghosts.push(execute)
    this.#onGhost()
  }

  /** For the session: it has ended. */
  forget(session: SimulatedSession): void {
    this.#sessions.delete(session)
  }
}
