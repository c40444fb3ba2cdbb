/** One connection to the simulated server: sends the steps in order, and says how each one ended (H-4, H-5, H-8). */

import {
  type BodySource,
  type Done,
  isMutating,
  type Observation,
  type Outcome,
  PING_DEADLINE_MS_MAX,
  type Rejection,
  type RemoteSession,
  type RunOptions,
  type ServerProfile,
  type Step,
  WATCH_RENEWAL_MS,
  type WatchRequest,
} from '@tidemail/core'
import type { ModelMailbox } from './model/mailbox.ts'
import { lossOf, PLAIN_REJECTION, type StepFault } from './simulated-fault.ts'
import { SimulatedNews } from './simulated-news.ts'
import { countRow, newsObservations, statusRow } from './simulated-observations.ts'
import type { SimulatedRemote } from './simulated-remote.ts'
import { carryOut, type Selection, type StepAnswer } from './simulated-steps.ts'

type Ended = NonNullable<RemoteSession['ended']>

const UID_COMMANDS: readonly Step['kind'][] = ['search', 'fetch', 'fetch-body', 'store', 'copy', 'move', 'expunge']

export class SimulatedSession implements RemoteSession {
  readonly server: ServerProfile
  readonly #remote: SimulatedRemote
  #selection: Selection | null = null
  /** What was selected when the connection ended, for the steps that it took along. */
  #lastSelection: Selection | null = null
  #stopListening: (() => void) | null = null
  #ended: Ended | null = null
  readonly #ending = new AbortController()
  #wake: (() => void) | null = null

  constructor(remote: SimulatedRemote) {
    this.#remote = remote
    this.server = remote.profile
  }

  get ended(): Ended | null {
    return this.#ended
  }

  async *run(steps: readonly Step[], { bodies, signal }: RunOptions): AsyncGenerator<Observation> {
    const outcomes = new Map<string, Outcome>()
    for (const [i, step] of steps.entries()) {
      if (this.#remote.latencyMs > 0 && this.#verdict(step, outcomes, signal) === 'send') {
        await this.#remote.clock.sleep(this.#remote.latencyMs, signal)
      }
      const bytes = this.#verdict(step, outcomes, signal) === 'send' ? await bytesOf(step, bodies) : []
      // Nothing is awaited between this check and the sending (H-8).
      const verdict = this.#verdict(step, outcomes, signal)
      if (verdict !== 'send') {
        outcomes.set(step.id, verdict)
        yield done(step, verdict)
        continue
      }
      const sent = this.#remote.send(step, this)
      const fault = lossOf(sent)
      const isSilent = fault !== sent
      if (isSilent && fault === 'lose-answer') this.#lose(step, fault, bytes)
      if (isSilent) await this.#remote.clock.sleep(this.#remote.answerDeadlineMs)
      const { observations, end } = isSilent ? this.#giveUp(step) : this.#meet(step, fault, bytes)
      outcomes.set(step.id, end.outcome)
      yield* observations
      yield end
      if (end.outcome === 'unknown') {
        for (const taken of await this.#takeAlong(steps.slice(i + 1), { outcomes, fault, bodies, signal })) {
          outcomes.set(taken.id, 'unknown')
        }
        for (const later of steps.slice(i + 1)) yield done(later, outcomes.get(later.id) === 'unknown' ? 'unknown' : 'not-sent')
        return
      }
    }
  }

  async *watch({ path, beside, renewalMs }: WatchRequest, signal: AbortSignal): AsyncGenerator<Observation> {
    const doesNotify = beside.length > 0 && this.#remote.extensions.has('NOTIFY')
    const seen = doesNotify || this.#selection?.identity.path === path ? this.#countOfSelected() : this.#examine(path)
    const news = new SimulatedNews(this.#remote, { beside: doesNotify ? beside : [], onNews: () => this.#wake?.() })
    const wake = (): void => this.#wake?.()
    signal.addEventListener('abort', wake)
    try {
      if (!doesNotify && this.#selection === null) return
      yield* seen
      yield* news.statuses(this.#selection?.view.mailbox ?? null)
      const way = doesNotify ? 'notify' : this.#remote.extensions.has('IDLE') ? 'idle' : 'poll'
      yield { kind: 'watching', way }
      while (!signal.aborted && this.#ended === null) {
        const told = [...news.take(), ...this.#stirOfSelected()]
        yield* told
        if (told.length > 0 || signal.aborted) continue
        if (await this.#quiet(renewalMs ?? WATCH_RENEWAL_MS)) yield { kind: 'watching', way }
      }
      // Whoever stops waiting has to say so, and hears that the connection is dead.
      await this.#answers()
    } finally {
      this.#wake = null
      news.stop()
      signal.removeEventListener('abort', wake)
    }
  }

  async ping(): Promise<void> {
    if (this.#ended !== null || !this.#remote.isHalfOpen(this)) return
    await this.#remote.clock.sleep(PING_DEADLINE_MS_MAX, this.#ending.signal)
    this.end('No sign of life.', 'remote.timeout')
  }

  async close(): Promise<void> {
    this.end('The session was closed.')
  }

  /** The connection is gone. */
  end(text: string, code: Ended['code'] = 'remote.disconnected'): void {
    if (this.#ended !== null) return
    this.#ended = { code, text }
    this.#ending.abort()
    this.#select(null)
    this.#remote.forget(this)
    this.#wake?.()
  }

  #examine(path: string): readonly Observation[] {
    const step: Step = { kind: 'open', id: 'watch', reason: 'watch', path, access: 'examine' }
    const isRefused = this.#remote.fault(step, this.#remote.sent.length) === 'reject'
    this.#select(isRefused ? null : carryOut(step, this.#scene(), []).selection)
    return this.#selection === null ? [] : [statusRow(this.#selection.view.mailbox, this.#remote.extensions)]
  }

  /** Of an open mailbox no more is told than how many messages there are. */
  #countOfSelected(): readonly Observation[] {
    return this.#selection === null ? [] : [countRow(this.#selection.identity, this.#selection.view.count)]
  }

  /** Waits for something to happen. True when it is time to renew the waiting instead, and the server has answered. */
  async #quiet(renewalMs: number): Promise<boolean> {
    const timer = new AbortController()
    let isOver = false
    const renewal = this.#remote.clock.sleep(renewalMs, timer.signal).then(() => {
      isOver = !timer.signal.aborted
      this.#wake?.()
    })
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    timer.abort()
    await renewal
    return isOver && (await this.#answers())
  }

  async #answers(): Promise<boolean> {
    if (this.#ended === null && this.#remote.isHalfOpen(this)) {
      await this.#remote.clock.sleep(this.#remote.answerDeadlineMs, this.#ending.signal)
      this.end('The simulated server did not answer.', 'remote.timeout')
    }
    return this.#ended === null
  }

  /** What is told during a watch is not told again in this session: the next open has to ask. */
  #stirOfSelected(): readonly Observation[] {
    if (this.#selection === null || this.#remote.isHalfOpen(this) || !this.#selection.view.hasNews) return []
    this.#selection.view.takeNews({ withExpunges: true })
    return [{ kind: 'stirred', path: this.#selection.identity.path }]
  }

  /** Whether the step may be sent now, or how it ends unsent. */
  #verdict(step: Step, outcomes: ReadonlyMap<string, Outcome>, signal: AbortSignal): 'send' | 'not-sent' | 'skipped' | 'stale' {
    if (this.#ended !== null || signal.aborted) return 'not-sent'
    if (step.requires?.some((id) => outcomes.get(id) !== 'ok') === true) return 'skipped'
    if (isMutating(step) && this.#remote.clock.now() > step.notAfter) return 'not-sent'
    return this.#isStale(step) ? 'stale' : 'send'
  }

  #isStale(step: Step): boolean {
    if (!('mailbox' in step)) return false
    const open = this.#selection?.identity
    return open === undefined || open.path !== step.mailbox.path || open.uidValidity !== step.mailbox.uidValidity
  }

  #meet(step: Step, fault: StepFault, bytes: readonly Uint8Array[]): { observations: readonly Observation[]; end: Done } {
    if (typeof fault === 'object' && fault.kind === 'half-open') return this.#giveUp(step)
    if (typeof fault === 'object') return { observations: [], end: this.#done(step, 'rejected', fault.rejection) }
    switch (fault) {
      case 'pass': {
        const { observations, rejection } = this.#execute(step, bytes)
        // The mailbox went away under the step, and took the connection along before it answered.
        if (this.#ended !== null) return { observations: [], end: done(step, 'unknown') }
        return { observations, end: this.#done(step, rejection === null ? 'ok' : 'rejected', rejection) }
      }
      case 'reject':
        return { observations: [], end: this.#done(step, 'rejected', PLAIN_REJECTION) }
      case 'cut':
        this.end('The simulated connection was cut.')
        return { observations: [], end: done(step, 'not-sent') }
      case 'lose-tail': {
        const { observations } = this.#execute(step, bytes)
        this.end('The simulated connection was cut.')
        return { observations: observations.slice(0, Math.floor(observations.length / 2)), end: done(step, 'unknown') }
      }
      case 'lose-request':
      case 'lose-answer':
      case 'ghost':
        this.#lose(step, fault, bytes)
        this.end('The simulated connection was cut.')
        return { observations: [], end: done(step, 'unknown') }
    }
  }

  /** The server was silent for too long. */
  #giveUp(step: Step): { observations: readonly Observation[]; end: Done } {
    this.end('The simulated server did not answer.', 'remote.timeout')
    return { observations: [], end: done(step, 'unknown') }
  }

  /** Carries the step out now, later or never; nobody hears of it. */
  #lose(step: Step, fault: StepFault, bytes: readonly Uint8Array[]): void {
    const scene = { ...this.#scene(), selection: this.#selection ?? this.#lastSelection }
    const mailbox = scene.selection?.view.mailbox
    if (fault === 'lose-answer' || fault === 'lose-tail') carryOut(step, scene, bytes)
    if (fault !== 'ghost') return
    this.#remote.keepGhost(() => {
      const isThere = !('mailbox' in step) || isUnchanged(this.#remote, mailbox, scene.selection)
      if (isThere) carryOut(step, scene, bytes)
    })
  }

  /** The steps that were already under way when the connection ended: they share the fate of the first. */
  async #takeAlong(
    later: readonly Step[],
    { outcomes, fault, bodies }: RunOptions & { readonly outcomes: ReadonlyMap<string, Outcome>; readonly fault: StepFault },
  ): Promise<readonly Step[]> {
    const taken: Step[] = []
    for (const step of later) {
      const isBarrier = step.kind === 'open' || step.requires?.some((id) => outcomes.get(id) !== 'ok') === true
      if (taken.length + 1 >= this.#remote.inFlightMax || isBarrier) break
      if ('mailbox' in step && this.#lastSelection?.identity.path !== step.mailbox.path) break
      const bytes = await bytesOf(step, bodies)
      this.#remote.sendAlong(step, fault)
      this.#lose(step, fault, bytes)
      taken.push(step)
    }
    return taken
  }

  #execute(step: Step, bytes: readonly Uint8Array[]): StepAnswer {
    const answer = carryOut(step, this.#scene(), bytes)
    if (answer.selection !== this.#selection) this.#select(answer.selection)
    if (this.#selection === null) return answer
    const news = newsObservations(this.#selection.view.takeNews({ withExpunges: true }), {
      mailbox: this.#selection.identity,
      extensions: this.#remote.extensions,
      isUidCommand: UID_COMMANDS.includes(step.kind),
    })
    return { ...answer, observations: [...answer.observations, ...news] }
  }

  #scene(): Parameters<typeof carryOut>[1] {
    const { account, extensions, namespaces, onExecuted } = this.#remote
    return { account, extensions, namespaces, selection: this.#selection, onExecuted }
  }

  /** A mailbox that is deleted, or loses its UIDs, takes the connection down, as on Dovecot. */
  #select(selection: Selection | null): void {
    this.#stopListening?.()
    this.#lastSelection = this.#selection
    this.#selection = selection
    this.#stopListening =
      selection?.view.mailbox.listen(({ kind }) => {
        if (kind === 'deleted' || kind === 'reset') this.end('The selected mailbox is not there any more.')
        this.#wake?.()
      }) ?? null
  }

  #done(step: Step, outcome: Outcome, rejection: Rejection | null): Done {
    return { ...done(step, outcome), rejection, exists: this.#selection?.view.count ?? null }
  }
}

/** The messages of an upload, in order; nothing for other steps. */
async function bytesOf(step: Step, bodies: BodySource): Promise<readonly Uint8Array[]> {
  const messages = step.kind === 'append' ? step.messages : step.kind === 'replace' ? [step.message] : []
  return await Promise.all(messages.map(({ bodyId }) => bodies.bytes(bodyId)))
}

function done(step: Step, outcome: Outcome): Done {
  return { kind: 'done', id: step.id, outcome, rejection: null, exists: null }
}

/** Whether the mailbox that a ghost acts on is still the one it was sent for. */
function isUnchanged(remote: SimulatedRemote, mailbox: ModelMailbox | undefined, selection: Selection | null): boolean {
  return (
    mailbox !== undefined && remote.account.mailboxes.includes(mailbox) && mailbox.uidValidity === selection?.view.uidValidity
  )
}
