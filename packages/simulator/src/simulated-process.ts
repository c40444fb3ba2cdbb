/** One process or tab: an engine whose every write and step can be disturbed, and which can die at any of them. */

import {
  type AccountId,
  accountId,
  type Change,
  type Clock,
  type CommitResult,
  isMutating,
  type MessageStore,
  type Observation,
  type Remote,
  type RemoteSession,
  type RunOptions,
  type Step,
  type SubmissionOutcome,
  type SubmittedMessage,
  SyncError,
} from '@tidemail/core'
import { createMailEngine, type MailEngine } from '@tidemail/engine'
import { MemoryMessageStore, SimulatedRemote, type StepFault } from '@tidemail/testing/simulated'
import { messageIdIn } from './equality.ts'
import { FAULT_OF_KILL, type FaultName, isRefusal, losesAnswer, stepFault } from './faults.ts'
import type { Interruption, Kill, KillMoment, PlannedFault } from './history.ts'
import { handOver } from './simulated-submission.ts'
import type { SimulatedWorld } from './simulated-world.ts'
import { SeededRandom } from './virtual-time.ts'

export const ME: AccountId = accountId('me')
/** More writes of one event than any needs: what goes on for ever ends here. */
const WRITES_MAX = 3_000

/** Longer than the longest wait of one synchronisation: for a claim of another tab to expire, and for its ghosts. */
const WAIT_MS_MAX = 120_000

/** What everything rejects with once the process is dead. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/** What is to befall the process during one event. */
export interface Disturbance {
  readonly faults: readonly PlannedFault[]
  readonly meanwhile: readonly Interruption[]
  readonly kill: Kill | null
}

export const UNDISTURBED: Disturbance = { faults: [], meanwhile: [], kill: null }

export class SimulatedProcess {
  readonly tab: number
  readonly remote: SimulatedRemote
  /** How often each moment at which it can die came, since the last event began. */
  readonly passed: Record<KillMoment, number> = noneOfEach()
  isBusy = false
  readonly #world: SimulatedWorld
  readonly #inner: MemoryMessageStore
  #isDead = false
  #engine: MailEngine | null = null
  #disturbance: Disturbance = UNDISTURBED
  /** Steps that were answered, and writes that are on the disk, since the last event began. */
  readonly #done = { step: 0, commit: 0 }
  #mutating = 0

  constructor(world: SimulatedWorld, tab: number) {
    this.tab = tab
    this.#world = world
    const { clock, circumstances, disk } = world
    this.remote = new SimulatedRemote({
      account: world.account,
      clock,
      without: world.without,
      latencyMs: circumstances.latencyMs,
      inFlightMax: circumstances.inFlightMax,
      fault: (step) => this.#befall(step),
      onExecuted: (executed) => world.executed(executed),
      onGhost: () => clock.setAlarm(circumstances.ghostLifeMs, () => this.remote.releaseGhosts()),
    })
    this.#inner = new MemoryMessageStore({ disk, clock, ownership: circumstances.tabs === 1 ? 'process' : 'shared' })
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** What is in the store, read past everything that may befall the process. */
  get store(): MessageStore {
    return this.#inner
  }

  async open(): Promise<MailEngine> {
    this.#engine ??= await createMailEngine({
      store: this.#disturbedStore(),
      remote: this.#disturbedRemote(),
      submitter: { submit: (message) => this.#handOver(message) },
      account: { id: ME, host: 'mail.example', user: 'me' },
      policy: { bodies: this.#world.circumstances.bodies, hold: this.#world.hold },
      clock: this.#boundedClock(),
      random: new SeededRandom(this.#world.nextProcessSeed()),
    })
    return this.#engine
  }

  /** Runs the task with this disturbance; answers false when the process died of it. */
  async live(disturbance: Disturbance, task: (engine: MailEngine) => Promise<void>): Promise<boolean> {
    Object.assign(this.passed, noneOfEach())
    Object.assign(this.#done, { step: 0, commit: 0 })
    this.#mutating = 0
    this.#disturbance = disturbance
    this.isBusy = true
    try {
      await task(await this.open())
    } catch (error) {
      if (!this.#isDead) throw error
    } finally {
      this.isBusy = false
      this.#disturbance = UNDISTURBED
    }
    if (this.#isDead) await this.bury()
    return !this.#isDead
  }

  /** What is in memory is gone; what the store said to be written is there. */
  async bury(): Promise<void> {
    this.#isDead = true
    this.#world.ledger.submissions.forgetAnswers()
    this.remote.disconnectAll()
    await this.#engine?.close().catch(() => {})
    await this.#inner.close()
  }

  #assertAlive(): void {
    if (this.#isDead) throw new ProcessDied('The process is dead.')
  }

  /** Whether the process dies at this moment. */
  #diesAt(moment: KillMoment, what: string): boolean {
    const { kill } = this.#disturbance
    const isIt = kill !== null && kill.moment === moment && kill.number === this.passed[moment]
    this.passed[moment] += 1
    if (!isIt || this.#isDead) return false
    this.#isDead = true
    this.#world.happened(`killed ${moment}`, `  tab ${this.tab} dies ${moment}: ${what}`)
    return true
  }

  #passOrDie(moment: KillMoment, what: string): void {
    if (this.#diesAt(moment, what)) throw new ProcessDied('The process died.')
  }

  async #write<T>(what: string, write: () => Promise<T>): Promise<T> {
    this.#assertAlive()
    this.#passOrDie('before commit', what)
    if (this.passed['before commit'] > WRITES_MAX) {
      this.#isDead = true
      this.#world.find({ check: 'endless', what: `more than ${WRITES_MAX} writes, the last: ${what}` })
      throw new ProcessDied('The process writes for ever.')
    }
    const before = this.#world.disk.state
    const result = await write()
    await this.#world.written(before, what, this)
    this.#passOrDie('after commit', what)
    await this.#interrupt('commit')
    return result
  }

  /** Every wait has a bound (I-NET-1). */
  #boundedClock(): Clock {
    const { clock } = this.#world
    return {
      now: () => clock.now(),
      sleep: (delayMs, signal) => {
        if (!(delayMs >= 0 && delayMs <= WAIT_MS_MAX))
          this.#world.find({ check: 'I-NET-1', what: `the engine waits ${delayMs} ms` })
        return clock.sleep(delayMs, signal)
      },
    }
  }

  #disturbedStore(): MessageStore {
    const inner = this.#inner
    const guarded = <T extends object>(reads: T): T =>
      new Proxy(reads, {
        get: (target, key) => {
          this.#assertAlive()
          return Reflect.get(target, key)
        },
      })
    return {
      ownership: inner.ownership,
      planning: guarded(inner.planning),
      view: guarded(inner.view),
      commit: (change: Change): Promise<CommitResult> => this.#write(change.reason, () => inner.commit(change)),
      accept: (acceptance) => this.#write('accept', () => inner.accept(acceptance)),
      lead: (account) => this.#write('lead', () => inner.lead(account)),
      subscribe: (listener) => inner.subscribe(listener),
      wipe: (account) => inner.wipe(account),
      close: () => inner.close(),
    }
  }

  #disturbedRemote(): Remote {
    return {
      connect: async (signal) => {
        this.#assertAlive()
        if (this.#world.isOffline) throw new SyncError('remote.unreachable', 'The simulated network is down.')
        return this.#disturbedSession(await this.remote.connect(signal))
      },
    }
  }

  #disturbedSession(inner: RemoteSession): RemoteSession {
    return {
      server: inner.server,
      get ended() {
        return inner.ended
      },
      run: (steps, options) => this.#run(inner, steps, options),
      watch: (path, signal) => inner.watch(path, signal),
      close: () => inner.close(),
    }
  }

  async *#run(inner: RemoteSession, steps: readonly Step[], options: RunOptions): AsyncGenerator<Observation> {
    const byId = new Map(steps.map((step) => [step.id, step]))
    for await (const item of inner.run(steps, options)) {
      this.#assertAlive()
      this.#world.net.hear(item)
      const step = item.kind === 'done' ? byId.get(item.id) : undefined
      if (item.kind === 'done' && item.outcome === 'unknown' && step !== undefined)
        this.#world.net.lose(step, this.#world.clock.now())
      if (item.kind === 'done') await this.#interrupt('step')
      yield item
    }
    this.#assertAlive()
  }

  /** A step has been answered, or a write is on the disk, and the engine is about to hear of it. */
  async #interrupt(after: Interruption['after']): Promise<void> {
    const number = this.#done[after]
    this.#done[after] += 1
    for (const one of this.#disturbance.meanwhile) {
      if (one.after === after && one.number === number) await this.#world.interrupt(this, one.event)
    }
    this.#assertAlive()
  }

  /** Decides what befalls a step that is about to be sent. Nothing can be awaited here (H-8). */
  #befall(step: Step): StepFault {
    this.#world.sending(step)
    const fate = this.#fateOf(step.kind, isMutating(step) ? 'mutating' : 'any')
    if (fate === null) return 'pass'
    if (losesAnswer(fate)) this.#world.net.lose(step, this.#world.clock.now())
    return stepFault(fate)
  }

  /** A message is handed to the submission server, where the same befalls it as a step. */
  async #handOver({ bytes, id }: SubmittedMessage): Promise<SubmissionOutcome> {
    this.#assertAlive()
    const world = this.#world
    const { submissions } = world.ledger
    const messageId = messageIdIn(bytes)
    world.submitting(id, messageId)
    const fate = world.isOffline ? 'cut' : this.#fateOf('submit', 'mutating')
    const { isTaken, outcome } = handOver(fate)
    for (const what of submissions.enter(messageId, { isTaken })) world.find({ check: 'I-LOG-3', what })
    this.#assertAlive()
    await world.clock.sleep(world.circumstances.latencyMs)
    await this.#interrupt('step')
    // Of two tabs, the one that heard it may not lead any more, and then may not write it.
    if (outcome.kind !== 'unknown' && world.circumstances.tabs === 1) submissions.answer(messageId)
    if (outcome.kind !== 'unreachable') world.net.answered += 1
    return outcome
  }

  #fateOf(what: string, of: PlannedFault['of']): FaultName | null {
    for (const moment of ['before step', 'after step', 'late step'] as const) {
      if (this.#diesAt(moment, what)) return FAULT_OF_KILL[moment]
    }
    const name = this.#nextFault(of)
    if (name === null) return null
    this.#world.happened(name, `  ${name}: ${what}`)
    if (of === 'any' && isRefusal(name)) this.#world.parkedChecks.loseProof()
    if (name === 'restart') this.#world.restart()
    return name
  }

  #nextFault(kind: PlannedFault['of']): FaultName | null {
    const any = this.passed['before step'] - 1
    const mutating = kind === 'mutating' ? this.#mutating : -1
    if (kind === 'mutating') this.#mutating += 1
    const planned = this.#disturbance.faults.find(({ of, step: number }) => number === (of === 'any' ? any : mutating))
    return planned?.fault ?? null
  }
}

function noneOfEach(): Record<KillMoment, number> {
  return { 'before commit': 0, 'after commit': 0, 'before step': 0, 'after step': 0, 'late step': 0 }
}
