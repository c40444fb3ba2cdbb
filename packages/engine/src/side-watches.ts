/** Keeps a connection for each further mailbox that is watched, where the server tells of one mailbox a connection. */

import { type Clock, type Random, type RemoteSession, SyncError } from '@tidemail/core'
import type { LogEvent } from './api.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { NewsListener, SessionWatch } from './watch-session.ts'

export interface SideWatchesOptions {
  readonly connect: (signal: AbortSignal) => Promise<RemoteSession>
  readonly clock: Clock
  readonly random: Random
  readonly log: (event: LogEvent) => void
  /** Waits for news on the session until the signal aborts or the connection ends. */
  readonly watch: (
    watch: Pick<SessionWatch, 'session' | 'signal' | 'onNews' | 'onWatching'> & { readonly path: string },
  ) => Promise<void>
  readonly onNews: NewsListener
  /** Another mailbox is watched, or one less. */
  readonly onChange: () => void
}

interface SideWatch {
  readonly stop: AbortController
  readonly over: Promise<void>
  session: RemoteSession | null
  isWatching: boolean
}

/** A server that lets us in once and refuses the next connection allows no more; whatever else goes wrong may go better at another try. */
const REFUSALS: readonly string[] = ['remote.try-later', 'remote.auth-rejected']

export class SideWatches {
  private readonly options: SideWatchesOptions
  private readonly watches = new Map<string, SideWatch>()
  private readonly unwatchable = new Set<string>()
  private wanted: readonly string[] = []
  private countMax = Number.POSITIVE_INFINITY

  constructor(options: SideWatchesOptions) {
    this.options = options
  }

  /** The mailboxes that are watched now. */
  get paths(): readonly string[] {
    return [...this.watches].filter(([, { isWatching }]) => isWatching).map(([path]) => path)
  }

  /** Watches these, and no others. */
  async keep(paths: readonly string[]): Promise<void> {
    this.wanted = paths.filter((path) => !this.unwatchable.has(path)).slice(0, this.countMax)
    const unwanted = [...this.watches].filter(([path]) => !this.wanted.includes(path)).map(([, watch]) => watch)
    for (const { stop } of unwanted) stop.abort()
    await Promise.all(unwanted.map(({ over }) => over))
    // Others may be wanted by now, or none.
    for (const path of this.wanted) if (!this.watches.has(path)) this.begin(path)
  }

  /** Ends all watches. What could not be watched may be tried again after that. */
  stop(): Promise<void> {
    this.unwatchable.clear()
    return this.keep([])
  }

  async ping(): Promise<void> {
    await Promise.all([...this.watches.values()].map(async ({ session }) => session?.ping?.()))
  }

  private begin(path: string): void {
    const stop = new AbortController()
    const watch: SideWatch = {
      stop,
      session: null,
      isWatching: false,
      // The first step is taken in a later turn, when the watch is in the map.
      over: Promise.resolve().then(() => this.run(path, watch)),
    }
    this.watches.set(path, watch)
  }

  private async run(path: string, watch: SideWatch): Promise<void> {
    const { clock, random } = this.options
    const { signal } = watch.stop
    for (let failures = 1; !signal.aborted; failures += 1) {
      const end = await this.once(path, watch)
      if (end === 'watched') failures = 0
      if (end === 'over' || signal.aborted) break
      await clock.sleep(retryDelayMs({ failures, chance: random.next() }), signal)
    }
    this.watches.delete(path)
  }

  /** `failed`: another try may go better; `over`: none would. */
  private async once(path: string, watch: SideWatch): Promise<'watched' | 'failed' | 'over'> {
    const { connect, onChange, onNews } = this.options
    const { signal } = watch.stop
    let hasWatched = false
    try {
      const session = await connect(signal)
      watch.session = session
      const onWatching = (): void => {
        hasWatched = true
        if (watch.isWatching) return
        watch.isWatching = true
        onChange()
      }
      await this.options.watch({ path, session, signal, onNews, onWatching })
      if (session.ended !== null) return hasWatched ? 'watched' : 'failed'
      if (!signal.aborted) this.unwatchable.add(path)
      return 'over'
    } catch (error) {
      if (signal.aborted) return 'over'
      if (!(error instanceof SyncError)) return this.giveUp(path)
      if (!REFUSALS.includes(error.code)) return 'failed'
      this.lower(error)
      return 'over'
    } finally {
      const { session } = watch
      watch.session = null
      await session?.close()
      if (watch.isWatching) {
        watch.isWatching = false
        onChange()
      }
    }
  }

  private giveUp(path: string): 'over' {
    this.unwatchable.add(path)
    this.options.log({
      level: 'error',
      event: 'watch.failed',
      sentence: `Watching ${path} failed in a way that nobody expected.`,
    })
    return 'over'
  }

  /** A server that takes no further connection is not asked for one again: it might shut us out. */
  private lower({ message }: SyncError): void {
    this.countMax = [...this.watches.values()].filter(({ session }) => session !== null).length
    const sentence = `The server takes no further connection: ${this.countMax + 1} are used from now on. ${message}`
    this.options.log({ level: 'info', event: 'watch.connections-limited', sentence })
  }
}
