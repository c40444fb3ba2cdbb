/** An account on a server that lies from some line on: what it says is changed on the way, and what it is asked is counted. */

import type { Extension, RewriteServerLine } from '@tidemail/testing'
import type { Exemptions } from './transcript-lint.ts'
import type { WireAccount } from './wire-account.ts'
import { startAccount } from './wire-lab.ts'

export interface Lie {
  /** Extensions that the server has not. */
  readonly without?: readonly Extension[]
  /** The rules of the wire that the lie itself makes the engine break. */
  readonly exempt?: Exemptions
  /** Told of each line whether it answers a SELECT or EXAMINE. */
  readonly tell: (line: string, at: { readonly isOfOpening: boolean }) => string | null
}

export class LyingServer {
  readonly account: WireAccount
  isLying = false

  /** Closed by `closeAccounts`. */
  static async start({ without = [], tell, ...rules }: Lie): Promise<LyingServer> {
    let isOfOpening = false
    const rewriteLine: RewriteServerLine = (line) => {
      // A SELECT begins with its FLAGS, and ends with the tagged reply.
      if (/^\* FLAGS /.test(line)) isOfOpening = true
      const told = server.isLying ? tell(line, { isOfOpening }) : line
      if (/^[^*+]/.test(line)) isOfOpening = false
      return told
    }
    const server = new LyingServer(await startAccount({ without, proxy: { rewriteLine }, ...rules }))
    return server
  }

  private constructor(account: WireAccount) {
    this.account = account
  }

  /** What was sent since the last call, without tags. */
  sent(): readonly string[] {
    const texts = this.account.proxy.commands.map(({ line }) => line.replace(/^\S+ /, ''))
    this.account.proxy.reset()
    return texts
  }

  /** Synchronises until all is said to be done; answers how many commands it took. */
  async settle(): Promise<{ readonly outcome: string; readonly commands: number }> {
    this.sent()
    const outcome = await this.account.settle()
    return { outcome, commands: this.sent().length }
  }
}
