/** A fresh account on a real server, an engine with a store on disk, and a rival client who changes the same mail. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AccountId,
  accountId,
  type Flag,
  type MailboxId,
  type MessageStore,
  type MessageView,
  type PageCursor,
  type Remote,
} from '@tidemail/core'
import { createMailEngine, type MailEngine, type Policy, type SyncOptions, type SyncReport } from '@tidemail/engine'
import { openNodeMessageStore } from '@tidemail/store/node'
import {
  FaultProxy,
  type FaultProxyOptions,
  quoted,
  RawImap,
  type ReadAccount,
  type RealServer,
  type RewriteServerLine,
  readAccount,
  type TestUser,
} from '@tidemail/testing'
import type { RenamedElsewhere } from '../wire/given-uids.ts'
import { SessionRecorder } from '../wire/session-recorder.ts'
import { describeBreaches, lintTranscripts } from '../wire/transcript-lint.ts'
import { differencesBetween } from './differences.ts'
import { imapDate, modifiedUtf7 } from './imap-text.ts'
import { belowInbox, pathOn } from './real-servers.ts'
import { WireWatch } from './wire-watch.ts'

export interface RealAccountOptions {
  readonly policy?: Partial<Policy>
  /** Settings of the proxy that the engine connects through. */
  readonly proxy?: Omit<FaultProxyOptions, 'host' | 'port'>
  /** What the server has is read through the proxy too: where it stands in for a server, that is what it has. */
  readonly readsThroughProxy?: true
  /** The server keeps every mailbox below the inbox, with full stops between the levels, though others of its kind do not. */
  readonly namespace?: 'below-inbox'
  /** What the engine connects to in place of the proxy of that port. */
  readonly through?: (port: number, remoteTo: (port: number) => Remote) => Promise<Remote>
}

interface Lies {
  rewriteLine: RewriteServerLine | null
}

export interface SeedMessage {
  readonly bytes: Uint8Array
  readonly flags?: readonly Flag[]
  readonly internalDate?: number
}

const ME: AccountId = accountId('me')
const SYNCS_MAX = 8

/** Opens an account for a test, closes and removes everything when the test is done with it, and fails where a session broke a rule of the wire. */
export async function withAccount<T>(
  server: RealServer,
  options: RealAccountOptions,
  test: (account: RealAccount) => Promise<T>,
): Promise<T> {
  const account = await RealAccount.open(server, options)
  try {
    const result = await test(account)
    account.assertRulesOfTheWire()
    return result
  } finally {
    await account.close()
  }
}

export class RealAccount {
  readonly server: RealServer
  readonly user: TestUser
  readonly proxy: FaultProxy
  /** Logged in to the server itself, past the proxy. */
  rival: RawImap
  readonly folder: string
  readonly wire: WireWatch
  readonly #recorder = new SessionRecorder()
  readonly #renamed: RenamedElsewhere[] = []
  /** Whether another process may have used the store: what the server told it was not recorded. */
  #isStoreShared = false
  readonly #through: NonNullable<RealAccountOptions['through']>
  readonly #readerPlace: { readonly host: string; readonly port: number }
  readonly #lies: Lies
  readonly #isBelowInbox: boolean
  #policy: Partial<Policy>
  #opened: { readonly engine: MailEngine; readonly store: MessageStore } | null = null

  static async open(server: RealServer, options: RealAccountOptions = {}): Promise<RealAccount> {
    const user = server.user()
    const folder = await mkdtemp(join(tmpdir(), 'tidemail-e2e-'))
    const wire = new WireWatch()
    const lies: Lies = { rewriteLine: null }
    const told = options.proxy?.rewriteLine ?? wire.rewriteLine
    const rewriteLine: RewriteServerLine = (line) => {
      const text = told(line)
      return text === null || lies.rewriteLine === null ? text : lies.rewriteLine(text)
    }
    const proxy = await FaultProxy.start({ host: server.host, port: server.port, ...options.proxy, rewriteLine })
    const rival = await RawImap.connect(server)
    await rival.login(user)
    const account = new RealAccount({ server, user, folder, proxy, wire, rival, lies, options })
    await account.reopen()
    return account
  }

  private constructor(
    made: Pick<RealAccount, 'server' | 'user' | 'folder' | 'proxy' | 'wire' | 'rival'> & {
      readonly lies: Lies
      readonly options: RealAccountOptions
    },
  ) {
    this.server = made.server
    this.user = made.user
    this.folder = made.folder
    this.proxy = made.proxy
    this.rival = made.rival
    this.wire = made.wire
    this.#lies = made.lies
    this.#isBelowInbox = made.options.namespace === 'below-inbox'
    this.#policy = made.options.policy ?? { bodies: 'none' }
    this.#through = made.options.through ?? (async (port, remoteTo) => remoteTo(port))
    const { host, port } = made.server
    this.#readerPlace = made.options.readsThroughProxy === true ? { host, port: made.proxy.port } : { host, port }
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

  /** Ends the engine and its connection, as the end of a process would, and opens the store from disk again. A policy given holds from now on. */
  async reopen(policyFromNowOn?: Partial<Policy>): Promise<void> {
    await this.#end()
    if (policyFromNowOn !== undefined) this.#policy = policyFromNowOn
    const store = await openNodeMessageStore({ directory: this.storeFolder, create: true })
    const { user, proxy } = this
    const remoteTo = (port: number): Remote =>
      this.#recorder.remote({
        host: '127.0.0.1',
        port,
        security: 'none',
        user: user.name,
        secret: () => Promise.resolve(user.password),
      })
    const remote = await this.#through(proxy.port, remoteTo)
    const policy = this.#policy
    const account = { id: ME, host: '127.0.0.1', user: user.name }
    this.#opened = { store, engine: await createMailEngine({ store, remote, account, policy }) }
  }

  /** Synchronises until an honest `done`, as an app's timer would; what is then still not done is the report. */
  async sync(options: SyncOptions = {}): Promise<SyncReport> {
    for (let tries = 1; ; tries += 1) {
      const report = await this.engine.syncOnce(options)
      if (report.outcome === 'done' || tries === SYNCS_MAX) return report
    }
  }

  /** What the server says from now on is told otherwise; null: it is told as it is. */
  tellOtherwise(rewriteLine: RewriteServerLine | null): void {
    this.#lies.rewriteLine = rewriteLine
  }

  /** The path of a mailbox on this server. */
  path(name: string): string {
    return this.#isBelowInbox ? belowInbox(name) : pathOn(this.server.name, name)
  }

  async mailboxId(name: string): Promise<MailboxId> {
    return (await this.engine.mailbox(this.path(name))).id
  }

  /** What the app sees in a mailbox, by UID; locals come last. */
  async messages(name: string): Promise<readonly MessageView[]> {
    const mailboxId = await this.mailboxId(name)
    const all: MessageView[] = []
    // A page has an end, however much was asked for.
    for (let after: PageCursor | null | undefined; after !== null; ) {
      const { messages, next } = await this.engine.page({ mailboxId, limit: 1_000, ...(after && { after }) })
      all.push(...messages)
      after = next
    }
    return all.sort((a, b) => orderOf(a) - orderOf(b))
  }

  /** The rival makes a mailbox. */
  async create(name: string): Promise<void> {
    await this.rival.ok(`CREATE ${this.wireName(name)}`)
  }

  /** The rival renames a mailbox, under which the server keeps the UIDs. */
  async rename(name: string, to: string): Promise<void> {
    await this.rival.ok(`RENAME ${this.wireName(name)} ${this.wireName(to)}`)
    this.#renamed.push({ from: this.path(name), to: this.path(to) })
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
    return readAccount({ ...this.#readerPlace, user: this.user })
  }

  /** Where store and server differ, in the normal form of docs/spec/equality.md. Empty when they are equal. */
  async compareWithServer(): Promise<readonly string[]> {
    return differencesBetween(this.store, ME, { ...this.#readerPlace, user: this.user })
  }

  /** The server ends in good order and starts again; nobody else may be using it. */
  async restartServer(): Promise<void> {
    this.rival.close()
    await this.server.restart()
    this.rival = await RawImap.connect(this.server)
    await this.rival.login(this.user)
  }

  /** Fails where a session of the engine broke a rule of docs/spec/conformance.md that can be seen on the wire. */
  assertRulesOfTheWire(): void {
    const breaches = lintTranscripts(this.#recorder.sessions, {
      history: this.#isStoreShared ? 'partial' : 'whole',
      renamed: this.#renamed,
    })
    if (breaches.length > 0) throw new Error(`Sessions break the rules:\n${describeBreaches(breaches).join('\n')}`)
  }

  async close(): Promise<void> {
    await this.#end()
    this.rival.close()
    await this.proxy.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Lets go of the store, so that another process may have it. */
  async closeEngine(): Promise<void> {
    this.#isStoreShared = true
    await this.#end()
  }

  async #end(): Promise<void> {
    await this.#opened?.engine.close()
    await this.#opened?.store.close()
    this.#opened = null
  }
}

function orderOf({ reference }: MessageView): number {
  return reference.kind === 'stored' ? reference.uid : 2 ** 33 + reference.local
}
