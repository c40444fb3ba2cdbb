/** Bounds the silence of the server while it owes an answer (I-NET-1, H-6). */

import type { Clock } from '@tidemail/core'

export interface SilenceGuardOptions {
  readonly clock: Clock
  readonly silenceMsMax: number
  /** Whether the server owes an answer now. */
  readonly isOwed: () => boolean
  readonly onSilent: () => void
}

export class SilenceGuard {
  readonly #options: SilenceGuardOptions
  #lastSignMs: number
  #watch: AbortController | null = null

  constructor(options: SilenceGuardOptions) {
    this.#options = options
    this.#lastSignMs = options.clock.now()
  }

  /** An octet came, or one of ours was taken; or the server's time begins anew. */
  sign(): void {
    this.#lastSignMs = this.#options.clock.now()
  }

  /** To be called when what is owed may have changed. */
  check(): void {
    const isOwed = this.#options.isOwed()
    if (!isOwed) this.#watch?.abort()
    else if (this.#watch === null) {
      const watch = new AbortController()
      this.#watch = watch
      void this.#sleep(watch.signal).finally(() => {
        this.#watch = null
        if (watch.signal.aborted) this.check()
      })
    }
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { clock, silenceMsMax, onSilent } = this.#options
    while (!signal.aborted) {
      const leftMs = this.#lastSignMs + silenceMsMax - clock.now()
      if (leftMs > 0) {
        await clock.sleep(leftMs, signal)
        continue
      }
      // After a suspension the answer may lie in the socket already: let it be read first.
      const signMs = this.#lastSignMs
      await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted || this.#lastSignMs !== signMs) continue
      onSilent()
      return
    }
  }
}
