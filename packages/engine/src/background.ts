/** Keeps an account synchronised: a pass at the start, after operations, on news of INBOX and by a timer, with back-off on failure. */

import type { Clock, Random } from '@tidemail/core'
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
    if (this.stopping !== null) return
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
      const isDone = await this.pass(signal)
      failures = isDone ? 0 : failures + 1
      if (signal.aborted) return
      this.waking = new AbortController()
      const wakeOrStop = AbortSignal.any([signal, this.waking.signal])
      if (this.hasWork && isDone) continue
      if (isDone) await this.watch(wakeOrStop)
      else await this.rest(failures, wakeOrStop)
    }
  }

  private async pass(signal: AbortSignal): Promise<boolean> {
    try {
      const report = await this.options.synchroniser.syncOnce({ signal })
      return report.outcome === 'done'
    } catch {
      // The status says what happened; the loop decides when to try again.
      return false
    }
  }

  /** Waits for news of INBOX, for an operation, or for the timer. */
  private async watch(signal: AbortSignal): Promise<void> {
    const { clock, status, synchroniser } = this.options
    const ended = new AbortController()
    const either = AbortSignal.any([signal, ended.signal])
    status.set({ ...status.getSnapshot(), phase: 'watching' })
    const timer = clock.sleep(POLL_INTERVAL_MS, either).then(() => ended.abort())
    try {
      await synchroniser.watchInbox(either)
    } catch {
      // A connection that ends while watching is made again by the next pass, but not in a rush.
      status.set({ ...status.getSnapshot(), phase: 'waiting' })
      await clock.sleep(retryDelayMs({ failures: 0, chance: this.options.random.next() }), either)
    } finally {
      ended.abort()
      await timer
    }
  }

  private async rest(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random, status } = this.options
    status.set({ ...status.getSnapshot(), phase: 'waiting' })
    await clock.sleep(retryDelayMs({ failures, chance: random.next() }), signal)
  }
}
