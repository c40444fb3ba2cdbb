/** Keeps an account synchronised: a pass at the start, after operations, on news and by a timer, with back-off on failure. */

import { type Clock, type Random, SyncError } from '@tidemail/core'
import { AccountWatch } from './account-watch.ts'
import type { EngineStatus } from './api.ts'
import type { LiveValue } from './live-value.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { Synchroniser } from './synchroniser.ts'
import { ToDo } from './to-do.ts'

/** Without news a pass is made this often, and more rarely where the server tells of all mailboxes: it is looked after all the same. */
export const POLL_INTERVAL_MS = 300_000
export const NOTIFY_POLL_INTERVAL_MS = 900_000
/** News that come faster than this are taken in together. */
export const NEWS_GAP_MS_MIN = 1_000
/** While waiting, the clock is looked at this often. */
export const WAKE_CHECK_MS = 30_000
/** What took so much longer than was asked for was a sleep of the machine; browsers delay the timers of a hidden page by a minute. */
export const MACHINE_SLEEP_MS_MIN = 90_000

export interface BackgroundOptions {
  readonly synchroniser: Synchroniser
  readonly clock: Clock
  readonly random: Random
  readonly status: LiveValue<EngineStatus>
}

export class Background {
  private readonly options: BackgroundOptions
  private readonly watch: AccountWatch
  private readonly toDo = new ToDo()
  private stopping: AbortController | null = null
  private loop: Promise<void> = Promise.resolve()
  private waking = new AbortController()
  private newsTakenAt = Number.NEGATIVE_INFINITY
  /** When the next pass over all mailboxes is due at the latest is counted from the end of the last. */
  private passedAt = 0
  /** The server has asked not to be spoken to before, in milliseconds since 1970. */
  private notBefore = 0

  constructor(options: BackgroundOptions) {
    this.options = options
    const onNews = (path: string | null): void => {
      this.toDo.add(path === null ? 'all' : [path])
      // News of another connection: the one that passes use has to be free for them.
      this.waking.abort()
    }
    this.watch = new AccountWatch({ synchroniser: options.synchroniser, status: options.status, onNews })
  }

  start(): void {
    if (this.stopping !== null) {
      this.wake()
      return
    }
    this.stopping = new AbortController()
    this.loop = this.run(this.stopping.signal)
  }

  async pause(): Promise<void> {
    this.stopping?.abort()
    this.stopping = null
    this.waking.abort()
    await this.loop
    const { status } = this.options
    const now = status.getSnapshot()
    if (now.phase === 'watching' || now.phase === 'waiting') status.set({ ...now, phase: 'idle' })
  }

  /** There is something to do. */
  wake(): void {
    this.toDo.add('all')
    this.waking.abort()
  }

  /** The connections may be dead: they are asked, and everything is looked at anew. */
  networkChanged(): void {
    if (this.stopping === null) return
    void this.watch.ping()
    this.wake()
  }

  private async run(signal: AbortSignal): Promise<void> {
    this.toDo.add('all')
    for (let failures = 0; !signal.aborted; ) {
      const mailboxes = this.toDo.take()
      const ending = await this.pass(mailboxes, signal)
      if (ending !== 'done') failures += 1
      // What is left of all mailboxes a pass over some of them did not see.
      else if (mailboxes === 'all') failures = 0
      if (mailboxes === 'all') this.passedAt = this.options.clock.now()
      if (signal.aborted) break
      if (ending === 'needs-user' && !this.toDo.hasAll) {
        this.stopping = null
        break
      }
      this.waking = new AbortController()
      const wakeOrStop = AbortSignal.any([signal, this.waking.signal])
      // What was accepted during the pass may have come too late for it, done or not.
      if (this.toDo.hasAll) continue
      if (ending === 'failed') await this.rest(failures, wakeOrStop)
      else if (!this.toDo.hasAny) await this.waitForNews(failures, wakeOrStop)
      await this.letNewsGather(signal)
    }
    await this.watch.stop()
  }

  /** `needs-user`: trying again without the user would change nothing, as with a refused password. */
  private async pass(
    mailboxes: 'all' | readonly string[],
    signal: AbortSignal,
  ): Promise<'done' | 'incomplete' | 'failed' | 'needs-user'> {
    const { clock, synchroniser } = this.options
    try {
      if (mailboxes !== 'all') this.newsTakenAt = clock.now()
      const report = await synchroniser.syncOnce(mailboxes === 'all' ? { signal } : { mailboxes, signal })
      return report.outcome
    } catch (error) {
      // A mailbox that was told of has gone since: which there are, only a look at all of them tells.
      if (isCode(error, 'input.unknown-mailbox')) this.toDo.add('all')
      // The status says what happened; the loop decides when to try again.
      if (!(error instanceof SyncError)) return 'failed'
      this.notBefore = clock.now() + (error.retryAfterMs ?? 0)
      return error.recovery === 'ask-user' ? 'needs-user' : 'failed'
    }
  }

  /** Waits for news, for an operation, or for the timer. A server that ends each watch at once is asked by the timer only. */
  private async waitForNews(failures: number, signal: AbortSignal): Promise<void> {
    const { status } = this.options
    const ended = new AbortController()
    const either = AbortSignal.any([signal, ended.signal])
    status.set({ ...status.getSnapshot(), phase: 'watching' })
    const timer = this.untilDue(failures, either).then(() => ended.abort())
    try {
      if ((await this.watch.wait(either)) === 'ended') await timer
    } catch {
      // A connection that ends while watching is made again by the next pass.
      this.toDo.add('all')
      await this.rest(0, either)
    } finally {
      ended.abort()
      await timer
    }
  }

  /** Resolves when all mailboxes are to be looked at again: it is time, or the machine has slept; or when the signal aborts. */
  private async untilDue(failures: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    const delayMs = failures === 0 ? null : this.retryDelayMs(failures)
    while (!signal.aborted) {
      const before = clock.now()
      const leftMs = this.passedAt + (delayMs ?? this.pollIntervalMs()) - before
      if (leftMs <= 0) break
      const sleepMs = Math.min(leftMs, WAKE_CHECK_MS)
      await clock.sleep(sleepMs, signal)
      if (signal.aborted) return
      if (clock.now() - before < sleepMs + MACHINE_SLEEP_MS_MIN) continue
      void this.watch.ping()
      break
    }
    if (!signal.aborted) this.toDo.add('all')
  }

  /** A burst of news is one pass, or a few. */
  private async letNewsGather(signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    if (this.toDo.hasAll || !this.toDo.hasAny || signal.aborted) return
    const leftMs = this.newsTakenAt + NEWS_GAP_MS_MIN - clock.now()
    if (leftMs <= 0) return
    this.waking = new AbortController()
    await clock.sleep(leftMs, AbortSignal.any([signal, this.waking.signal]))
  }

  private pollIntervalMs(): number {
    return this.watch.way === 'notify' ? NOTIFY_POLL_INTERVAL_MS : POLL_INTERVAL_MS
  }

  private async rest(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, status } = this.options
    await this.watch.stop()
    status.set({ ...status.getSnapshot(), phase: 'waiting' })
    await clock.sleep(this.retryDelayMs(failures), signal)
    // What the server asks for, nothing that the user does cuts short.
    const leftMs = this.notBefore - clock.now()
    if (leftMs > 0 && this.stopping !== null) await clock.sleep(leftMs, this.stopping.signal)
    this.toDo.add('all')
  }

  private retryDelayMs(failures: number): number {
    return retryDelayMs({ failures, chance: this.options.random.next() })
  }
}

function isCode(error: unknown, code: SyncError['code']): boolean {
  return error instanceof SyncError && error.code === code
}
