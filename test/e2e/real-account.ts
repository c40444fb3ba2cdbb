/** A fresh account on a real server, an engine with a store on disk, and a rival client who changes the same mail. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountId, accountId, type Flag, type MailboxId, type MessageStore, type MessageView } from '@tidemail/core'
import { createMailEngine, type MailEngine, type Policy, type SyncReport } from '@tidemail/engine'
import { imapRemote } from '@tidemail/imap'
import { openNodeMessageStore } from '@tidemail/store/node'
import {
  FaultProxy,
  type FaultProxyOptions,
  quoted,
  RawImap,
  type ReadAccount,
  type RealServer,
  readAccount,
  type TestUser,
} from '@tidemail/testing'
import { differencesBetween } from './differences.ts'
import { imapDate, modifiedUtf7 } from './imap-text.ts'
import { pathOn } from './real-servers.ts'
import { StepWatch } from './step-watch.ts'

export interface RealAccountOptions {
  readonly policy?: Partial<Policy>
  /** Settings of the proxy that the engine connects through. */
  readonly proxy?: Omit<FaultProxyOptions, 'host' | 'port'>
}

export interface SeedMessage {
  readonly bytes: Uint8Array
  readonly flags?: readonly Flag[]
  readonly internalDate?: number
}

const ME: AccountId = accountId('me')
const SYNCS_MAX = 8

/** Opens an account for a test, and closes and removes everything when the test is done with it. */
export async function withAccount<T>(
  server: RealServer,
  options: RealAccountOptions,
  test: (account: RealAccount) => Promise<T>,
): Promise<T> {
  const account = await RealAccount.open(server, options)
  try {
    return await test(account)
  } finally {
    await account.close()
  }
}

export class RealAccount {
  readonly server: RealServer
  readonly user: TestUser
  readonly proxy: FaultProxy
  /** Logged in to the server itself, past the proxy. */
  readonly rival: RawImap
  readonly folder: string
  readonly steps: StepWatch
  readonly #options: RealAccountOptions
  #opened: { readonly engine: MailEngine; readonly store: MessageStore } | null = null

  static async open(server: RealServer, options: RealAccountOptions = {}): Promise<RealAccount> {
    const user = server.user()
    const folder = await mkdtemp(join(tmpdir(), 'tidemail-e2e-'))
    const proxy = await FaultProxy.start({ host: server.host, port: server.port, ...options.proxy })
    const rival = await RawImap.connect(server)
    await rival.login(user)
    const account = new RealAccount({ server, user, folder, proxy, rival, options })
    await account.reopen()
    return account
  }

  private constructor(
    made: Pick<RealAccount, 'server' | 'user' | 'folder' | 'proxy' | 'rival'> & { readonly options: RealAccountOptions },
  ) {
    this.server = made.server
    this.user = made.user
    this.folder = made.folder
    this.proxy = made.proxy
    this.rival = made.rival
    this.steps = new StepWatch(() => made.proxy.counts())
    this.#options = made.options
  }

  get engine(): MailEngine {
    if (this.#opened === null) throw new Error('The engine is closed.')
    return this.#opened.engine
  }

  get store(): MessageStore {
    if (this.#opened === null) throw new Error('The store is closed.')
    return this.#opened.store
  }

  get storeFolder(): string {
    return join(this.folder, 'store')
  }

  /** Ends the engine and its connection, as the end of a process would, and opens the store from disk again. */
  async reopen(): Promise<void> {
    await this.closeEngine()
    const store = await openNodeMessageStore({ directory: this.storeFolder, create: true })
    const { user, proxy } = this
    const remote = imapRemote({
      host: '127.0.0.1',
      port: proxy.port,
      security: 'none',
      user: user.name,
      secret: () => Promise.resolve(user.password),
    })
    const { policy = { bodies: 'none' } } = this.#options
    const account = { id: ME, host: '127.0.0.1', user: user.name }
    this.#opened = { store, engine: await createMailEngine({ store, remote: this.steps.over(remote), account, policy }) }
  }

  /** Synchronises until an honest `done`, as an app's timer would; what is then still not done is the report. */
  async sync(): Promise<SyncReport> {
    for (let tries = 1; ; tries += 1) {
      const report = await this.engine.syncOnce()
      if (report.outcome === 'done' || tries === SYNCS_MAX) return report
    }
  }

  /** The path of a mailbox on this server. */
  path(name: string): string {
    return pathOn(this.server.name, name)
  }

  async mailboxId(name: string): Promise<MailboxId> {
    return (await this.engine.mailbox(this.path(name))).id
  }

  /** What the app sees in a mailbox, by UID; locals come last. */
  async messages(name: string): Promise<readonly MessageView[]> {
    const { messages } = await this.engine.page({ mailboxId: await this.mailboxId(name), limit: 100_000 })
    return [...messages].sort((a, b) => orderOf(a) - orderOf(b))
  }

  /** The rival makes a mailbox. */
  async create(name: string): Promise<void> {
    await this.rival.ok(`CREATE ${this.wireName(name)}`)
  }

  /** The rival appends, many messages per command where the server can. */
  async seed(name: string, messages: readonly SeedMessage[]): Promise<void> {
    const perCommand = this.rival.has('MULTIAPPEND') ? 500 : 1
    for (let from = 0; from < messages.length; from += perCommand) {
      const parts: (string | Uint8Array)[] = [`APPEND ${this.wireName(name)}`]
      for (const { bytes, flags = [], internalDate } of messages.slice(from, from + perCommand)) {
        parts.push(` (${flags.join(' ')}) ${internalDate === undefined ? '' : `"${imapDate(internalDate)}" `}`, bytes)
      }
      await this.rival.ok(parts)
    }
  }

  /** The rival does something in a mailbox: `await account.rivalIn('INBOX', 'UID STORE 1 +FLAGS (\\Seen)')`. */
  async rivalIn(name: string, ...commands: readonly string[]): Promise<void> {
    await this.rival.ok(`SELECT ${this.wireName(name)}`)
    for (const command of commands) await this.rival.ok(command)
  }

  /** As it goes over the wire: modified UTF-7, quoted. */
  wireName(name: string): string {
    return quoted(modifiedUtf7(this.path(name)))
  }

  readServer(): Promise<ReadAccount> {
    return readAccount({ host: this.server.host, port: this.server.port, user: this.user })
  }

  /** Where store and server differ, in the normal form of docs/spec/equality.md. Empty when they are equal. */
  async compareWithServer(): Promise<readonly string[]> {
    const { server, user, store } = this
    return differencesBetween(store, ME, { host: server.host, port: server.port, user })
  }

  async close(): Promise<void> {
    await this.closeEngine()
    this.rival.close()
    await this.proxy.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Lets go of the store, so that another process may have it. */
  async closeEngine(): Promise<void> {
    await this.#opened?.engine.close()
    await this.#opened?.store.close()
    this.#opened = null
  }
}

function orderOf({ reference }: MessageView): number {
  return reference.kind === 'stored' ? reference.uid : 2 ** 33 + reference.local
}
