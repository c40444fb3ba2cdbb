/** An engine over a simulated server that can be bent: answers altered, commits interrupted, endless loops cut short. */

import type {
  Change,
  CommitResult,
  MailboxId,
  MessageReference,
  MessageStore,
  MessageView,
  Observation,
  Remote,
  RemoteSession,
  RunOptions,
  Step,
} from '@tidemail/core'
import { createMailEngine, type MailEngine, type MailEngineOptions } from '@tidemail/engine'
import { type Extension, MemoryDisk, MemoryMessageStore, ModelAccount, SimulatedRemote } from '@tidemail/testing/simulated'
import { expect } from 'vitest'
import { ME } from '../engine-lab.ts'
import { SeededRandom, VirtualClock } from '../virtual-time.ts'

/** More commits of one store than any of these histories needs. */
const COMMITS_MAX = 600

export interface Bend {
  /** What the engine hears in answer to a plan; the server has carried it out. */
  readonly hear?: (item: Observation, steps: readonly Step[]) => readonly Observation[]
  /** Answers in place of the server, for the whole plan; null lets the server answer. */
  readonly answer?: (step: Step) => readonly Observation[] | null
  /** Called before each step is carried out. */
  readonly beforeStep?: (step: Step) => void | Promise<void>
}

export class ReviewWorld {
  readonly clock = new VirtualClock()
  readonly account: ModelAccount
  readonly remote: SimulatedRemote
  readonly disk = new MemoryDisk()
  readonly commits: string[] = []
  bend: Bend = {}
  /** Called before each commit is written. */
  beforeCommit: (change: Change) => Promise<void> | void = () => {}
  #messages = 0

  constructor({
    without = [],
    mailboxes = ['Archive', 'Work'],
    account,
  }: { without?: readonly Extension[]; mailboxes?: readonly string[]; account?: ModelAccount } = {}) {
    this.account = account ?? new ModelAccount({ mailboxes: Object.fromEntries(mailboxes.map((path) => [path, null])) })
    this.remote = new SimulatedRemote({ account: this.account, clock: this.clock, without })
  }

  /** Messages that somebody else puts there. */
  arrive(path: string, count = 1): void {
    for (let i = 0; i < count; i += 1) {
      this.account.open(path).append([{ bytes: this.message(), flags: [], internalDate: this.clock.now() }])
    }
  }

  message(padding = 0): Uint8Array {
    this.#messages += 1
    return new TextEncoder().encode(
      `From: a@b.example\r\nSubject: n${this.#messages}\r\nMessage-ID: <n${this.#messages}@b.example>\r\n\r\n${'x'.repeat(padding)}\r\n`,
    )
  }

  async open(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
    return createMailEngine({
      store: this.store(),
      remote: this.bent(),
      account: ME,
      policy: { bodies: 'none' },
      clock: this.clock,
      random: new SeededRandom(7),
      ...options,
    })
  }

  /** The store, with commits counted: what loops for ever fails instead. */
  store(inner: MessageStore = new MemoryMessageStore({ disk: this.disk, clock: this.clock })): MessageStore {
    const commit = async (change: Change): Promise<CommitResult> => {
      this.commits.push(change.reason)
      if (this.commits.length > COMMITS_MAX) throw new Error(`the engine commits for ever: ${change.reason}`)
      await this.beforeCommit(change)
      return inner.commit(change)
    }
    return {
      ownership: inner.ownership,
      planning: inner.planning,
      view: inner.view,
      commit,
      accept: (acceptance) => inner.accept(acceptance),
      lead: (account) => inner.lead(account),
      subscribe: (listener) => inner.subscribe(listener),
      wipe: (account) => inner.wipe(account),
      close: () => inner.close(),
    }
  }

  bent(): Remote {
    return { connect: async (signal) => this.#session(await this.remote.connect(signal)) }
  }

  /** Synchronises until it is done, or this often. Faults along the way are part of the history. */
  async settle(engine: MailEngine, tries = 6): Promise<string> {
    let outcome = 'never'
    for (let i = 0; i < tries && outcome !== 'done'; i += 1) {
      outcome = await engine.syncOnce().then(
        (report) => report.outcome,
        (error: unknown) => String(error),
      )
      this.clock.advance(100_000)
    }
    return outcome
  }

  async messages(engine: MailEngine, path: string): Promise<readonly MessageView[]> {
    return (await engine.page({ mailboxId: (await engine.mailbox(path)).id, limit: 1_000 })).messages
  }

  /** What waits in the log: kind, state, and why it is parked. */
  async waiting(engine: MailEngine): Promise<string[]> {
    return (await engine.entries()).flatMap(({ operation, progress }) =>
      progress.map(({ state, parkedFor }) => `${operation.kind} ${state}${parkedFor === null ? '' : ` (${parkedFor})`}`),
    )
  }

  #session(inner: RemoteSession): RemoteSession {
    const hear = (item: Observation, steps: readonly Step[]): readonly Observation[] => this.bend.hear?.(item, steps) ?? [item]
    const run = (steps: readonly Step[], options: RunOptions): AsyncIterable<Observation> =>
      this.#run(inner, steps, options, hear)
    return {
      server: inner.server,
      get ended() {
        return inner.ended
      },
      run,
      watch: (path, signal) => inner.watch(path, signal),
      close: () => inner.close(),
    }
  }

  /** Step by step, so that a test can come between them; what a step requires is kept. */
  async *#run(
    inner: RemoteSession,
    steps: readonly Step[],
    options: RunOptions,
    hear: (item: Observation, steps: readonly Step[]) => readonly Observation[],
  ): AsyncGenerator<Observation> {
    const failed = new Set<string>()
    for (const step of steps) {
      if (step.requires?.some((id) => failed.has(id)) === true) {
        failed.add(step.id)
        yield { kind: 'done', id: step.id, outcome: 'skipped', rejection: null, exists: null }
        continue
      }
      const answered = this.bend.answer?.(step) ?? null
      if (answered === null) await this.bend.beforeStep?.(step)
      const { requires: _, ...alone } = step
      for await (const item of answered ?? inner.run([alone as Step], options)) {
        if (item.kind === 'done' && item.outcome !== 'ok') failed.add(item.id)
        yield* hear(item, steps)
      }
    }
  }
}

/** An engine that has taken in all that there is. */
export async function synchronised(world: ReviewWorld): Promise<MailEngine> {
  const engine = await world.open()
  expect(await world.settle(engine)).toBe('done')
  return engine
}

export async function idOf(engine: MailEngine, path: string): Promise<MailboxId> {
  return (await engine.mailbox(path)).id
}

export async function referencesIn(world: ReviewWorld, engine: MailEngine, path: string): Promise<MessageReference[]> {
  return (await world.messages(engine, path)).map(({ reference }) => reference)
}

/** The ending of a step that the server refuses. */
export function refused(step: Step, code: string | null = null): readonly Observation[] {
  return [{ kind: 'done', id: step.id, outcome: 'rejected', rejection: { status: 'NO', code, text: 'Refused.' }, exists: null }]
}

export function flagsOf(account: ModelAccount, path: string): string[] {
  return account.open(path).messages.map(({ flags }) => flags.join(' '))
}
