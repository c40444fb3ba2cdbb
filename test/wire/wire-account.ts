/** An engine with the real IMAP adapter, on a server in memory: every line passes a proxy that can break it, and is recorded. */

import type { Clock, MailboxId, MessageReference } from '@tidemail/core'
import { createMailEngine, type MailEngine, type MailEngineOptions } from '@tidemail/engine'
import type { ImapRemoteOptions } from '@tidemail/imap'
import { serverForm, storeForm } from '@tidemail/simulator'
import {
  type Extension,
  FaultProxy,
  type FaultProxyOptions,
  ImapServer,
  MemoryDisk,
  MemoryMessageStore,
  type ModelAccount,
  type PrivateExtension,
} from '@tidemail/testing'
import { expect } from 'vitest'
import { ME, message } from '../sim/engine-lab.ts'
import { SessionRecorder } from './session-recorder.ts'
import { describeBreaches, type Exemptions, lintTranscripts } from './transcript-lint.ts'

const PASSWORD = 'secret'
const SYNCS_MAX = 12

/** The clock of the machine, but whoever sleeps on `engine` sleeps no longer than it takes to move time on. */
class HurriedClock {
  #aheadMs = 0

  readonly adapter: Clock = {
    now: () => Date.now() + this.#aheadMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, delayMs)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }

  readonly engine: Clock = {
    now: this.adapter.now,
    sleep: async (delayMs) => this.advance(delayMs),
  }

  advance(delayMs: number): void {
    this.#aheadMs += delayMs
  }
}

export interface WireAccountOptions {
  /** Extensions that the server has not. */
  readonly without?: readonly Extension[]
  /** Extensions of one vendor that it has. */
  readonly adds?: readonly PrivateExtension[]
  readonly proxy?: Omit<FaultProxyOptions, 'host' | 'port'>
  readonly engine?: Partial<MailEngineOptions>
  readonly remote?: Partial<ImapRemoteOptions>
  /** The rules of the wire that its sessions cannot keep. */
  readonly exempt?: Exemptions
}

export class WireAccount {
  readonly server: ImapServer
  readonly proxy: FaultProxy
  readonly recorder = new SessionRecorder()
  readonly clock = new HurriedClock()
  readonly disk = new MemoryDisk()
  readonly #options: WireAccountOptions
  #engine: MailEngine | null = null
  #messages = 0

  static async open(options: WireAccountOptions = {}): Promise<WireAccount> {
    const mailboxes = { Archive: 'archive', Work: null, Drafts: 'drafts', Sent: 'sent', Trash: 'trash' } as const
    const { without = [], adds = [] } = options
    const server = await ImapServer.start({ users: { me: PASSWORD }, without, adds, accounts: { mailboxes } })
    const proxy = await FaultProxy.start({ host: server.host, port: server.port, ...options.proxy })
    const account = new WireAccount(server, proxy, options)
    await account.reopen()
    return account
  }

  private constructor(server: ImapServer, proxy: FaultProxy, options: WireAccountOptions) {
    this.server = server
    this.proxy = proxy
    this.#options = options
  }

  get engine(): MailEngine {
    if (this.#engine === null) throw new Error('The engine is closed.')
    return this.#engine
  }

  get model(): ModelAccount {
    return this.server.account('me')
  }

  /** As when a process ends and another begins: the store stays. */
  async reopen(): Promise<void> {
    await this.#engine?.close()
    const remote = this.recorder.remote({
      host: '127.0.0.1',
      port: this.proxy.port,
      security: 'none',
      user: 'me',
      secret: async () => PASSWORD,
      clock: this.clock.adapter,
      ...this.#options.remote,
    })
    this.#engine = await createMailEngine({
      store: new MemoryMessageStore({ disk: this.disk, clock: this.clock.engine }),
      remote,
      account: ME,
      policy: { bodies: 'none' },
      clock: this.clock.engine,
      ...this.#options.engine,
    })
  }

  /** Messages that somebody else puts there. */
  arrive(path: string, count: number = 1): void {
    for (let i = 0; i < count; i += 1) {
      this.#messages += 1
      const internalDate = Date.UTC(2026, 0, 1) + this.#messages * 1000
      this.model.open(path).append([{ bytes: message(`Message ${this.#messages}`), flags: [], internalDate }])
    }
  }

  /** Synchronises until it is done, whatever befalls it on the way, and time that must pass passes. */
  async settle(): Promise<string> {
    let outcome = 'never'
    for (let tries = 0; tries < SYNCS_MAX && outcome !== 'done'; tries += 1) {
      outcome = await this.engine.syncOnce().then(
        (report) => report.outcome,
        (error: unknown) => String(error),
      )
      this.clock.advance(100_000)
    }
    return outcome
  }

  async id(path: string): Promise<MailboxId> {
    return (await this.engine.mailbox(path)).id
  }

  /** Newest first. */
  async references(path: string): Promise<readonly MessageReference[]> {
    const { messages } = await this.engine.page({ mailboxId: await this.id(path), limit: 1_000 })
    return messages.map(({ reference }) => reference)
  }

  /** Fails where store and server differ. */
  async expectEqual(told: string = ''): Promise<void> {
    const store = new MemoryMessageStore({ disk: this.disk, clock: this.clock.engine })
    expect(await storeForm(store, ME.id), told).toEqual(serverForm(this.model))
    await store.close()
  }

  /** Closes everything, and fails where a session broke a rule. */
  async close(): Promise<void> {
    await this.#engine?.close()
    await this.proxy.close()
    await this.server.close()
    const { exempt = {} } = this.#options
    expect(describeBreaches(lintTranscripts(this.recorder.sessions, { exempt }))).toEqual([])
  }
}
