/** An engine over a simulated server and a store in memory, with a clock that stands still until the test moves it. */

import { accountId, type Clock, type ErrorCode, type MailboxView, type MessageView, SyncError } from '@tidemail/core'
import { createMailEngine, type Live, type MailEngine, type MailEngineOptions } from '@tidemail/engine'
import {
  MemoryDisk,
  MemoryMessageStore,
  ModelAccount,
  SimulatedRemote,
  type SimulatedRemoteOptions,
} from '@tidemail/testing/simulated'
import { SeededRandom } from './virtual-time.ts'

/** A clock on which whoever sleeps wakes only when the test has moved the time far enough. */
export class HeldClock implements Clock {
  /** How long each sleeper wanted to sleep, in order. */
  readonly slept: number[] = []
  #now: number = Date.UTC(2026, 0, 5)
  #sleepers: { readonly at: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#now
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(delayMs)
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        resolve()
      }
      const sleeper = { at: this.#now + delayMs, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  advance(delayMs: number): void {
    this.#now += delayMs
    const due = this.#sleepers.filter(({ at }) => at <= this.#now)
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now)
    for (const { wake } of due) wake()
  }
}

export const ME: MailEngineOptions['account'] = { id: accountId('me'), host: 'mail.example', user: 'me' }

/** A server with an account, a disk, and as many engines on them as a test wants. */
export class EngineLab {
  readonly clock = new HeldClock()
  readonly account = new ModelAccount({ mailboxes: { Archive: 'archive', Work: null } })
  /** Without NOTIFY, as most servers: a lab tells of INBOX only while it is watched. */
  readonly remote: SimulatedRemote
  readonly disk = new MemoryDisk()
  readonly #opened: { readonly engine: MailEngine; readonly store: MemoryMessageStore }[] = []

  constructor({ without = ['NOTIFY'] }: Pick<SimulatedRemoteOptions, 'without'> = {}) {
    this.remote = new SimulatedRemote({ account: this.account, clock: this.clock, without })
  }

  /** `count` messages in a mailbox of the server: `Message 1`, `Message 2` ... */
  fill(path: string, count: number): void {
    const mailbox = this.account.open(path)
    const first = mailbox.uidNext
    for (let number = first; number < first + count; number += 1) {
      mailbox.append([{ bytes: message(`Message ${number}`), flags: [], internalDate: this.clock.now() + number * 1000 }])
    }
  }

  async open(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
    const store = new MemoryMessageStore({ disk: this.disk })
    const engine = await createMailEngine({
      store,
      remote: this.remote,
      account: ME,
      policy: { bodies: 'none' },
      clock: this.clock,
      random: new SeededRandom(7),
      ...options,
    })
    this.#opened.push({ engine, store })
    return engine
  }

  /** The engine on an account that is synchronised already. */
  async openSynchronised(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
    const engine = await this.open(options)
    await engine.syncOnce()
    return engine
  }

  /** Changes whenever anything is written. */
  get revision(): number {
    return this.disk.state.revision
  }

  /** What was sent that changes the server. */
  get mutations(): readonly string[] {
    return this.remote.sent
      .map(({ step }) => step.kind)
      .filter((kind) => ['store', 'copy', 'move', 'expunge', 'append'].includes(kind))
  }

  async close(): Promise<void> {
    for (const { engine, store } of this.#opened) {
      await engine.close()
      await store.close()
    }
  }
}

export function message(subject: string): Uint8Array {
  const name = subject.toLowerCase().replace(/\W+/g, '-')
  return new TextEncoder().encode(
    `From: a@lab.example\r\nSubject: ${subject}\r\nMessage-ID: <${name}@lab.example>\r\n\r\nText.\r\n`,
  )
}

/** The messages of a mailbox as the app sees them, newest first. */
export async function messagesOf(engine: MailEngine, path: string): Promise<readonly MessageView[]> {
  return (await engine.page({ mailboxId: (await engine.mailbox(path)).id, limit: 1_000 })).messages
}

export async function subjectsOf(engine: MailEngine, path: string): Promise<readonly (string | null)[]> {
  return (await messagesOf(engine, path)).map(({ envelope }) => envelope.subject)
}

export async function totalsOf(engine: MailEngine): Promise<Record<string, number>> {
  return Object.fromEntries((await engine.mailboxes()).map(({ path, total }: MailboxView) => [path, total]))
}

/** Resolves with the snapshot of which the claim is true, now or after a change. */
export function until<T>(live: Live<T, T | undefined>, claim: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = live.getSnapshot()
      if (value === undefined || !claim(value)) return
      queueMicrotask(() => stop())
      resolve(value)
    }
    const stop = live.subscribe(look)
    look()
  })
}

/** How what must end with an error of the catalogue ends. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | 'no error'> {
  return promise.then(
    () => 'no error' as const,
    (error: unknown) => {
      if (!(error instanceof SyncError)) throw error
      return error.code
    },
  )
}
