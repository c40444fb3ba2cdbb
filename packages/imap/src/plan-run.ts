/** Carries out one plan: what may be written when, and how each step ends (H-4, H-5, H-8). */

import {
  type BodySource,
  type Clock,
  isMutating,
  type MailboxIdentity,
  type Observation,
  type OpenStep,
  type Outcome,
  type OutgoingMessage,
  type Step,
  type StepId,
  SyncError,
} from '@tidemail/core'
import type { Command } from './command.ts'
import { ObservationQueue } from './observation-queue.ts'
import type { TaggedResponse, Untagged } from './response.ts'
import type { SessionState } from './session-state.ts'
import { isConfusable, isTransfer, outcomeOf, type Progress, progressOf, rejectionOf } from './step-progress.ts'
import { type Exchange, isRejection, refusal, type StepExchanges } from './steps/exchange.ts'
import { exchangesOf } from './steps/exchanges-of.ts'
import { hasModSeqs } from './steps/status.ts'
import type { Wire } from './wire.ts'

/** A longer command line is a bug of the planner: some servers cut the connection (RFC 7162 §4). */
export const COMMAND_LINE_OCTETS_MAX = 8_192
const TAG_OCTETS_MAX = 16

export interface PlanRunOptions {
  readonly wire: Wire
  readonly state: SessionState
  readonly clock: Clock
  readonly bodies: BodySource
  readonly signal: AbortSignal
}

export class PlanRun {
  readonly #options: PlanRunOptions
  readonly #queue: ObservationQueue
  /** Steps whose `done` has not been told, in the order of the plan. */
  readonly #order: Progress[] = []
  readonly #byId = new Map<StepId, Progress>()
  /** The last open or leave written whose answer has not come. */
  #moving: Progress | null = null
  #mutatingInFlight = 0
  #isAbandoned = false
  /** A body that cannot be read: told to the caller when all that was sent is settled. */
  #failure: unknown = null

  constructor(options: PlanRunOptions) {
    this.#options = options
    this.#queue = new ObservationQueue(() => options.wire.resume())
  }

  /** Everything the plan makes the server say, each step ending in one `done`. */
  async *observations(steps: readonly Step[]): AsyncGenerator<Observation, void, undefined> {
    const { wire, signal } = this.#options
    const wake = (): void => wire.changed()
    signal.addEventListener('abort', wake)
    const driven = this.#drive(steps)
    try {
      yield* this.#queue.read()
    } finally {
      this.#isAbandoned = true
      this.#queue.close({ discard: true })
      wire.resume()
      wire.changed()
      await driven
      signal.removeEventListener('abort', wake)
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** What the server says unasked, or in answer to no exchange. */
  tell(observation: Observation): void {
    this.#queue.push(observation)
    if (observation.kind === 'status') this.#options.state.recordStatus(observation)
    if (this.#queue.isOverfull) this.#options.wire.end('remote.disconnected', 'The server said more than can be kept.')
    if (this.#queue.isFull && this.#mutatingInFlight === 0 && !this.#isAbandoned) this.#options.wire.pause()
  }

  async #drive(steps: readonly Step[]): Promise<void> {
    const { wire } = this.#options
    for (const step of steps) {
      const progress = this.#begin(step)
      const verdict = await this.#awaitTurn(step)
      if (verdict !== null) this.#end(progress, verdict)
      else await this.#send(progress)
    }
    await wire.until(() => this.#order.length === 0)
    this.#queue.close()
  }

  #begin(step: Step): Progress {
    const progress = progressOf(step)
    this.#order.push(progress)
    this.#byId.set(step.id, progress)
    return progress
  }

  /** Waits for everything that must come before the step. An outcome means that it is not sent at all. */
  async #awaitTurn(step: Step): Promise<Outcome | null> {
    const { wire, state } = this.#options
    for (const id of step.requires ?? []) {
      const required = this.#byId.get(id)
      if (required === undefined) return 'skipped'
      await this.#until(() => required.done !== null)
      if (required.done !== null && required.done.outcome !== 'ok') return 'skipped'
    }
    // Nothing that changes the server is written behind an unanswered open; behind other reads it would wait for our own reading (H-6).
    if (isMutating(step)) await this.#until(() => this.#moving === null && wire.inFlightCount === this.#mutatingInFlight)
    await this.#until(() => !this.#needsOpened(step))
    await this.#until(() => !this.#order.some((other) => other.commandsLeft > 0 && isConfusable(step, other.step, state.server)))
    await wire.hasRoom()
    return this.#mayStart(step)
  }

  async #send(progress: Progress): Promise<void> {
    const { wire } = this.#options
    const { step } = progress
    let bodies: readonly Uint8Array[] = []
    const outgoing = outgoingOf(step)
    if (outgoing.length > 0) {
      const read = await this.#readBodies(outgoing.map(({ bodyId }) => bodyId))
      if (read === null) return this.#end(progress, 'not-sent')
      bodies = read
    }
    // From here to the writing nothing is awaited: what is checked holds when the first octet leaves.
    const verdict = this.#mayStart(step) ?? this.#mismatch(progress)
    if (verdict !== null) return this.#end(progress, verdict)
    const exchanges = this.#exchanges(step, bodies)
    if (exchanges === null) return this.#end(progress, 'not-sent')
    if (isRejection(exchanges)) {
      progress.rejection = exchanges
      return this.#end(progress, 'rejected')
    }
    if (exchanges.length === 0) return this.#end(progress, 'ok')
    progress.commandsLeft = exchanges.length
    if (isMoving(step)) this.#moving = progress
    if (isMutating(step)) this.#mutatingInFlight += 1
    for (const exchange of exchanges) {
      // Only reads have more than one command; the first is written in this turn.
      if (exchange !== exchanges[0]) await wire.hasRoom()
      await this.#start(progress, exchange)
    }
  }

  #start(progress: Progress, exchange: Exchange): Promise<void> {
    const { wire, state } = this.#options
    const isFirst = progress.commandsSent === 0
    progress.commandsSent += 1
    if (wire.ended !== null || (!isFirst && (this.#options.signal.aborted || this.#isAbandoned))) {
      // Stopped between two commands of one read: what it would have told is not known.
      this.#settle(progress, exchange, null)
      return Promise.resolve()
    }
    const command: Command = {
      parts: exchange.parts,
      settle: (reply) => {
        state.forget(command)
        this.#settle(progress, exchange, reply)
      },
      ...(isMutating(progress.step) ? { notAfter: progress.step.notAfter } : {}),
      isTransfer: isTransfer(progress.step),
    }
    const take = (response: Untagged, tag: string): boolean => this.#take(progress, exchange, response, tag)
    state.expect(command, { take, isMoving: isMoving(progress.step) })
    return wire.start(command)
  }

  #take(progress: Progress, exchange: Exchange, response: Untagged, tag: string): boolean {
    this.#verify(progress)
    if (progress.isStale) return false
    return exchange.take?.(response, (observation) => this.tell(observation), tag) ?? false
  }

  #settle(progress: Progress, exchange: Exchange, reply: TaggedResponse | null): void {
    this.#verify(progress)
    progress.commandsLeft -= 1
    if (reply === null) progress.isLost = true
    else if (!progress.isStale) {
      this.#options.state.tellAlert(reply)
      const complaint = exchange.finish?.(reply, (observation) => this.tell(observation))
      if (reply.status !== 'OK' && exchange.mayBeRefused !== true) progress.rejection ??= rejectionOf(reply)
      progress.rejection ??= complaint ?? null
    }
    if (progress.commandsLeft > 0) return
    if (this.#moving === progress) this.#moving = null
    if (isMutating(progress.step)) this.#mutatingInFlight -= 1
    this.#end(progress, outcomeOf(progress))
  }

  #end(progress: Progress, outcome: Outcome): void {
    progress.done = {
      kind: 'done',
      id: progress.step.id,
      outcome,
      rejection: outcome === 'rejected' ? progress.rejection : null,
      exists: this.#options.state.selection?.exists ?? null,
    }
    while (this.#order[0]?.done) {
      this.tell(this.#order[0].done)
      this.#order.shift()
    }
    this.#options.wire.changed()
  }

  #mayStart(step: Step): Outcome | null {
    const { wire, clock, signal } = this.#options
    if (wire.ended !== null || signal.aborted || this.#isAbandoned || this.#failure !== null) return 'not-sent'
    return isMutating(step) && clock.now() > step.notAfter ? 'not-sent' : null
  }

  /** A step planned for another mailbox than the selected one is not sent (H-4). */
  #mismatch(progress: Progress): Outcome | null {
    const { step } = progress
    if (!('mailbox' in step)) return null
    if (this.#moving === null) return this.#isSelected(step.mailbox) ? null : 'stale'
    progress.isUnverified = true
    const target = this.#moving.step
    return target.kind === 'open' && target.path === step.mailbox.path ? null : 'stale'
  }

  /** Compares what could not be compared when the step was written: servers answer in order, so the open's answer is in. */
  #verify(progress: Progress): void {
    const { step } = progress
    if (!progress.isUnverified || !('mailbox' in step)) return
    progress.isUnverified = false
    progress.isStale = !this.#isSelected(step.mailbox)
  }

  #isNothingSelected(): boolean {
    return this.#moving === null ? this.#options.state.selection === null : this.#moving.step.kind === 'leave'
  }

  #isSelected(mailbox: MailboxIdentity): boolean {
    const selected = this.#options.state.selection?.mailbox
    return selected !== undefined && selected.path === mailbox.path && selected.uidValidity === mailbox.uidValidity
  }

  /** FETCH of MODSEQ is an error where the mailbox has none (RFC 7162 §3.1.2.2), so it waits for an open of one that is not known to have them. */
  #needsOpened(step: Step): boolean {
    const { state } = this.#options
    if (step.kind !== 'fetch' || this.#moving === null || !hasModSeqs(state.server)) return false
    const { path, known } = this.#moving.step as OpenStep
    return known === undefined && !state.keepsModSeqs(path)
  }

  /** Null when the step cannot be written for a reason that is ours: the run fails once all that was sent is settled. */
  #exchanges(step: Step, bodies: readonly Uint8Array[]): StepExchanges | null {
    const { state } = this.#options
    const hasModSeq = hasModSeqs(state.server) && (this.#moving !== null || (state.selection?.highestModSeq ?? null) !== null)
    if (step.kind === 'leave' && this.#isNothingSelected()) return []
    try {
      const exchanges = exchangesOf(step, bodies, state.context({ hasModSeq }))
      if (isRejection(exchanges) || exchanges.every(isShort)) return exchanges
      return refusal('CLIENTBUG', `A command line would be longer than ${COMMAND_LINE_OCTETS_MAX} octets.`)
    } catch (error) {
      if (error instanceof SyncError && error.code.startsWith('input.')) return refusal('CLIENTBUG', error.message)
      this.#failure = error
      return null
    }
  }

  async #readBodies(ids: readonly Parameters<BodySource['bytes']>[0][]): Promise<readonly Uint8Array[] | null> {
    try {
      return await Promise.all(ids.map((id) => this.#options.bodies.bytes(id)))
    } catch (error) {
      this.#failure = error
      return null
    }
  }

  #until(holds: () => boolean): Promise<void> {
    return this.#options.wire.until(() => this.#options.signal.aborted || this.#isAbandoned || holds())
  }
}

function isMoving(step: Step): boolean {
  return step.kind === 'open' || step.kind === 'leave'
}

function outgoingOf(step: Step): readonly OutgoingMessage[] {
  if (step.kind === 'append') return step.messages
  return step.kind === 'replace' ? [step.message] : []
}

function isShort({ parts }: Exchange): boolean {
  let octets = TAG_OCTETS_MAX
  for (const part of parts) if (typeof part === 'string') octets += Buffer.byteLength(part)
  return octets <= COMMAND_LINE_OCTETS_MAX
}
