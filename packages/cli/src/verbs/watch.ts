/** `tidemail watch`: keeps the store and the server equal until it is interrupted, and tells what it waits for. */

import { SyncError } from '@tidemail/core'
import type { EngineStatus, MailEngine } from '@tidemail/engine'
import { type Command, Option } from 'commander'
import { acceptRequest } from '../accept-request.ts'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { keepSettings, type OpenAccount, openStore, useAccount } from '../open-account.ts'
import { listenAsOwner } from '../owner-socket.ts'
import { wholeNumber } from '../parse-arguments.ts'
import type { PrintedEvent, Printer } from '../printer.ts'
import { namedSettings, readSetup } from '../setup.ts'
import { showProgress } from '../show-progress.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

/** Servers allow an account ten or fifteen. */
const CONNECTIONS_MAX = 10

export function declareWatch(program: Command, choose: Choose): void {
  program
    .command('watch')
    .description('send and take in as it comes, until interrupted')
    .argument('[mailboxes...]', 'what to hear of at once besides INBOX, where the server does not tell of all')
    .addOption(
      new Option('--connections <count>', 'so many at most; one when left out').argParser(wholeNumber({ max: CONNECTIONS_MAX })),
    )
    .action((mailboxes: readonly string[], options: WatchOptions) => {
      choose(options, (context) => watch(context, mailboxes, options.connections ?? 1))
    })
}

interface WatchOptions extends CommonOptions {
  readonly connections?: number
}

async function watch(context: VerbContext, mailboxes: readonly string[], connectionsMax: number): Promise<void> {
  const setup = await readSetup(context)
  const named = namedSettings(setup)
  const connection = connectionOf(setup, context.terminal.variables)
  const isAccountNamed = named.host !== undefined && named.user !== undefined
  // What cannot work is said before a folder is made for it.
  if (isAccountNamed) connection.settings(null)
  const store = await openStore(setup.directory, isAccountNamed ? 'create' : 'existing', context.signal)
  const policy = { watch: mailboxes, connectionsMax: Math.max(1, connectionsMax) }
  await useAccount(store, { named, connection, log: engineLog(context), policy }, async (account) => {
    const owner = await listenAsOwner(setup.directory, (request) => acceptRequest(account, request))
    try {
      await untilInterrupted(account, context)
    } finally {
      await owner?.close()
    }
  })
}

/** Being interrupted is how it ends. @throws SyncError what only the user can mend, such as a refused password */
async function untilInterrupted(account: OpenAccount, given: VerbContext): Promise<void> {
  const { engine } = account
  const context = { ...given, printer: atOnce(given) }
  const news = new StatusNews(account, context)
  const unsubscribe = engine.status.subscribe(() => news.look())
  // A bar on the terminal would never end.
  const endProgress = context.printer.format === 'json' ? showProgress(engine.status, context) : (): void => undefined
  try {
    engine.start()
    await Promise.race([news.failed, interrupted(context.signal)])
    await engine.pause()
    await news.printed
    const { syncedAt } = engine.status.getSnapshot()
    await context.printer.print({ kind: 'result', syncedAt }, null)
  } finally {
    endProgress()
    unsubscribe()
  }
}

/** What is not printed at the end, but long before it, does not wait for more. */
function atOnce({ printer, terminal }: VerbContext): Printer {
  return { format: printer.format, print: (event, text) => printer.print(event, text).then(terminal.output.flush) }
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Prints what changes in the status of the engine, one thing after another. */
class StatusNews {
  /** Rejects when going on would be in vain, or nobody reads any more. */
  readonly failed: Promise<never>
  printed: Promise<void> = Promise.resolve()
  private readonly account: OpenAccount
  private readonly context: VerbContext
  private fail: (error: unknown) => void = () => {}
  private watching = 'null'
  private problem: EngineStatus['problem'] = null
  private syncedAt: number | null

  constructor(account: OpenAccount, context: VerbContext) {
    this.account = account
    this.context = context
    this.syncedAt = account.engine.status.getSnapshot().syncedAt
    this.failed = new Promise((_resolve, reject) => {
      this.fail = reject
    })
    this.failed.catch(() => undefined)
  }

  look(): void {
    const { problem, syncedAt, watching } = this.account.engine.status.getSnapshot()
    if (syncedAt !== this.syncedAt) {
      this.syncedAt = syncedAt
      this.print({ kind: 'synchronised', syncedAt }, null)
      this.after(() => keepSettings(this.account))
    }
    if (problem !== null && (problem.code !== this.problem?.code || problem.message !== this.problem.message)) {
      const { code, message } = problem
      this.print({ kind: 'problem', code, message }, `${visibleLine(message)} (${code})`)
      if (new SyncError(code, message).recovery === 'ask-user') this.after(() => Promise.reject(new SyncError(code, message)))
    }
    this.problem = problem
    const seen = JSON.stringify(watching)
    if (watching !== null && seen !== this.watching) {
      this.watching = seen
      this.print({ kind: 'watching', ...watching }, sentenceOf(watching))
    }
  }

  private print(event: PrintedEvent, text: string | null): void {
    this.after(() => this.context.printer.print(event, text))
  }

  private after(act: () => Promise<void>): void {
    this.printed = this.printed.then(act).catch((error: unknown) => this.fail(error))
  }
}

const WAYS: Readonly<Record<NonNullable<EngineStatus['watching']>['way'], string>> = {
  notify: 'as the server tells of them',
  idle: 'as the server tells of them, and at others every few minutes',
  poll: 'every minute, and at others every few minutes',
}

function sentenceOf({ mailboxes, way }: NonNullable<ReturnType<MailEngine['status']['getSnapshot']>['watching']>): string {
  const which = mailboxes === 'all' ? 'all mailboxes' : mailboxes.map(visibleLine).join(', ')
  return `Looking at changes of ${which} ${WAYS[way]}.`
}
