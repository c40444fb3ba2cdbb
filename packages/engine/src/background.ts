/** Keeps an account synchronised: a pass at the start, after operations, on news of INBOX and by a timer, with back-off on failure. */

import { type Clock, type Random, SyncError } from '@tidemail/core'
import type { EngineStatus } from './api.ts'
import type { LiveValue } from './live-value.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { Synchroniser } from './synchroniser.ts'

/** Without news a pass is made this often. */
export const POLL_INTERVAL_MS = 300_000

export interface BackgroundOptions {
  readonly synchroniser: Synchroniser
  readonly clock: Clock
  readonly random: Random
  readonly status: LiveValue<EngineStatus>
}

export class Background {
  private readonly options: BackgroundOptions
  private stopping: AbortController | null = null
  private loop: Promise<void> = Promise.resolve()
  private waking = new AbortController()
  private hasWork = false

  constructor(options: BackgroundOptions) {
    this.options = options
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
    this.hasWork = true
    this.waking.abort()
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      this.hasWork = false
      const ending = await this.pass(signal)
      failures = ending === 'done' ? 0 : failures + 1
      if (signal.aborted) return
      this.waking = new AbortController()
      const wakeOrStop = AbortSignal.any([signal, this.waking.signal])
      // What was accepted during the pass may have come too late for it, done or not.
      if (this.hasWork) continue
      if (ending === 'needs-user') {
        this.stopping = null
        return
      }
      if (ending === 'failed') await this.rest(failures, wakeOrStop)
      else await this.watch(wakeOrStop, ending === 'done' ? await this.pollIntervalMs() : this.retryDelayMs(failures))
    }
  }

  /** `needs-user`: trying again without the user would change nothing, as with a refused password. */
  private async pass(signal: AbortSignal): Promise<'done' | 'incomplete' | 'failed' | 'needs-user'> {
    try {
      const report = await this.options.synchroniser.syncOnce({ signal })
      return report.outcome
    } catch (error) {
      // The status says what happened; the loop decides when to try again.
      return error instanceof SyncError && error.recovery === 'ask-user' ? 'needs-user' : 'failed'
    }
  }

  /** Waits for news of INBOX, for an operation, or for the timer. A server that ends each watch at once is asked by the timer only. */
  private async watch(signal: AbortSignal, timerMs: number): Promise<void> {
    const { clock, status, synchroniser } = this.options
    const ended = new AbortController()
    const either = AbortSignal.any([signal, ended.signal])
    status.set({ ...status.getSnapshot(), phase: 'watching' })
    const timer = clock.sleep(timerMs, either).then(() => ended.abort())
    try {
      if ((await synchroniser.watchInbox(either)) === 'ended') await timer
    } catch {
      // A connection that ends while watching is made again by the next pass.
      await this.rest(0, either)
    } finally {
      ended.abort()
      await timer
    }
  }

  private async pollIntervalMs(): Promise<number> {
    return Math.min(POLL_INTERVAL_MS, await this.options.synchroniser.watchMsMax())
  }

  private async rest(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, status } = this.options
    status.set({ ...status.getSnapshot(), phase: 'waiting' })
    await clock.sleep(this.retryDelayMs(failures), signal)
  }

  private retryDelayMs(failures: number): number {
    return retryDelayMs({ failures, chance: this.options.random.next() })
  }
}
