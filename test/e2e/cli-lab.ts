/** A mail server in memory, behind a proxy, and a folder in which the command works on Alice's account there. */

import {
  FaultProxy,
  ImapServer,
  type ImapServerOptions,
  type ModelAccount,
  type RewriteServerLine,
  sampleMessages,
} from '@tidemail/testing'
import type { Exemptions } from '../wire/transcript-lint.ts'
import { TranscriptTap } from '../wire/transcript-tap.ts'
import { Sandbox } from './cli-process.ts'

const USER = 'alice'
const PASSWORD = 'secret'

export interface CliLabOptions extends Pick<ImapServerOptions, 'without'> {
  /** That are in INBOX. */
  readonly messages: number
  /** Beside INBOX, with their roles. */
  readonly mailboxes?: NonNullable<NonNullable<ImapServerOptions['accounts']>['mailboxes']>
}

export class CliLab {
  readonly server: ImapServer
  readonly proxy: FaultProxy
  readonly sandbox: Sandbox = new Sandbox({ password: PASSWORD })
  /** What the server is made to say instead. */
  lie: RewriteServerLine = (line) => line

  static async start({ messages, mailboxes = { Archive: 'archive' }, ...options }: CliLabOptions): Promise<CliLab> {
    const server = await ImapServer.start({ users: { [USER]: PASSWORD }, accounts: { mailboxes }, ...options })
    server.account(USER).append('INBOX', sampleMessages({ count: messages, seed: 3 }))
    const rewriteLine: RewriteServerLine = (line) => lab.lie(line)
    const proxy = await FaultProxy.start({ host: server.host, port: server.port, rewriteLine })
    const lab: CliLab = new CliLab(server, proxy, await TranscriptTap.start(proxy.port))
    return lab
  }

  /** Rules of the wire that the sessions need not keep, with the reason. */
  exempt: Exemptions = {}
  private readonly tap: TranscriptTap

  private constructor(server: ImapServer, proxy: FaultProxy, tap: TranscriptTap) {
    this.server = server
    this.proxy = proxy
    this.tap = tap
  }

  /** The account as the server has it. */
  get model(): ModelAccount {
    return this.server.account(USER)
  }

  /** The options that say where the account is, and whose. */
  wordsFor({ passwordFile }: Sandbox): readonly string[] {
    const where = ['--host', '127.0.0.1', '--port', String(this.tap.port), '--security', 'none']
    return [...where, '--user', USER, '--password-file', passwordFile]
  }

  get words(): readonly string[] {
    return this.wordsFor(this.sandbox)
  }

  async close(): Promise<void> {
    this.sandbox.remove()
    await this.proxy.close()
    await this.server.close()
    await this.tap.close({ exempt: this.exempt })
  }
}
