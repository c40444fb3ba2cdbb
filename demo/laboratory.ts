/** What the story is played on: a mail server in memory, a network that can be broken, a folder for the store, and other processes. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FaultProxy, ImapServer, type ModelAccount, type ProxyCounts, RawImap, sampleMessages } from '@tidemail/testing'
import type { SyncReport } from 'tidemail'
import { type OpenAccount, openAccount, PASSWORD, USER } from './account.ts'

const SYNCHRONISE = fileURLToPath(new URL('./synchronise.ts', import.meta.url))

/** How many of the sample messages each mailbox starts with. */
const MAILBOXES = { Archive: 110, Projects: 40, Sent: 45, Drafts: 5, Trash: 10, INBOX: 190 } as const
export const MESSAGES_AT_START: number = Object.values(MAILBOXES).reduce((sum, count) => sum + count, 0)

export class Laboratory {
  readonly server: ImapServer
  /** Between the account and the server: counts everything, and breaks when told to. */
  readonly network: FaultProxy
  readonly #folder: string
  readonly #children = new Set<ChildProcess>()
  #account: Promise<OpenAccount> | null = null
  #isClosed = false

  static async open(): Promise<Laboratory> {
    const roles = { Archive: 'archive', Projects: null, Sent: 'sent', Drafts: 'drafts', Trash: 'trash' } as const
    const server = await ImapServer.start({ users: { [USER]: PASSWORD }, accounts: { mailboxes: roles } })
    fill(server.account(USER))
    const network = await FaultProxy.start({ host: server.host, port: server.port })
    return new Laboratory(server, network, await mkdtemp(join(tmpdir(), 'tidemail-demo-')))
  }

  private constructor(server: ImapServer, network: FaultProxy, folder: string) {
    this.server = server
    this.network = network
    this.#folder = folder
  }

  get directory(): string {
    return join(this.#folder, 'store')
  }

  /** The account, opened in this process. */
  async openAccount(): Promise<OpenAccount> {
    if (this.#isClosed) throw new Error('The laboratory is closed.')
    this.#account ??= openAccount({ directory: this.directory, port: this.network.port })
    return this.#account
  }

  /** Leaves the store to another process. */
  async closeAccount(): Promise<void> {
    const opening = this.#account
    this.#account = null
    // Also one that is only being opened, so that it does not make its folder again after everything is tidied up.
    await (await opening)?.close()
  }

  goOffline(): void {
    this.network.setFault({ kind: 'refuse-connections' })
    this.network.cut('rst')
  }

  goOnline(): void {
    this.network.setFault(null)
  }

  /** What went over the network while the work was done. */
  async measured<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly wire: ProxyCounts }> {
    this.network.reset()
    return { value: await work(), wire: this.network.counts() }
  }

  /** Another client of the same user, past the broken network. */
  async rival(commands: readonly (string | readonly (string | Uint8Array)[])[]): Promise<void> {
    const client = await RawImap.connect(this.server)
    await client.login({ name: USER, password: PASSWORD })
    for (const command of commands) await client.ok(command)
    await client.logout()
  }

  /** A process that synchronises the store in the folder. */
  startProcess(): ChildProcess {
    const child = fork(SYNCHRONISE, [this.directory, String(this.network.port)])
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Starts a process, waits for its end, and gives its report. */
  async runProcess(): Promise<SyncReport> {
    const child = this.startProcess()
    const [ended, told] = [once(child, 'exit'), once(child, 'message')]
    const report = await Promise.race([told, ended.then(() => null)])
    const [status] = await ended
    if (report === null || status !== 0) throw new Error(`The process ended with status ${status}.`)
    return report[0] as SyncReport
  }

  /** Stops everything and removes the folder. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const ends = [...this.#children].map((child) => once(child, 'exit'))
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(ends)
    await this.closeAccount()
    await this.network.close()
    await this.server.close()
    await rm(this.#folder, { recursive: true, force: true })
    // A story that was interrupted may be writing still: what it makes anew goes with the process.
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }))
  }
}

function fill(account: ModelAccount): void {
  const messages = sampleMessages({ count: MESSAGES_AT_START, seed: 4549 })
  let from = 0
  for (const [path, count] of Object.entries(MAILBOXES)) {
    account.open(path).append(messages.slice(from, from + count))
    from += count
  }
}
