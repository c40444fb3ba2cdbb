/** Bounds how long the server may take over an answer: its silence, its talk of other things, and the whole of it (I-NET-1, H-6). */

import type { Clock } from '@tidemail/core'

/** An answer that the server owes. One object for each: another object is another answer. */
export interface OwedAnswer {
  /** Whether much may come or go before it ends: then it may take long, as long as it goes on. */
  readonly isTransfer: boolean
}

export interface AnswerBounds {
  /** Without an octet either way. */
  readonly silenceMsMax: number
  /** For a small answer, and within a transfer from one piece of it to the next. */
  readonly commandMsMax: number
  /** For a whole transfer, however it goes on. */
  readonly transferMsMax: number
}

export interface AnswerGuardOptions extends AnswerBounds {
  readonly clock: Clock
  /** The answer that the server owes now. */
  readonly owed: () => OwedAnswer | null
  /** Told once, with a sentence. */
  readonly onOverdue: (why: string) => void
}

export class AnswerGuard {
  readonly #options: AnswerGuardOptions
  #owed: OwedAnswer | null = null
  #lastSignMs: number
  #lastProgressMs: number
  #owedSinceMs: number
  #suspendedAtMs: number | null = null
  /** A shorter bound of the silence, until the next sign. */
  #hurryMs: number | null = null
  #watch: AbortController | null = null

  constructor(options: AnswerGuardOptions) {
    this.#options = options
    this.#lastSignMs = options.clock.now()
    this.#lastProgressMs = this.#lastSignMs
    this.#owedSinceMs = this.#lastSignMs
  }

  /** An octet came, whatever it was. */
  sign(): void {
    this.#lastSignMs = this.#options.clock.now()
    this.#hurryMs = null
  }

  /** The silence that is going on has begun now, and lasts no longer than this. */
  hurry(silenceMsMax: number): void {
    this.sign()
    this.#hurryMs = silenceMsMax
    // It sleeps for the bound that held before: it begins anew.
    this.#watch?.abort()
  }

  /** A piece of the answer came, or one of ours was taken. */
  progress(): void {
    this.sign()
    this.#lastProgressMs = this.#lastSignMs
  }

  /** We do not read: that time is ours. */
  suspend(): void {
    this.#suspendedAtMs ??= this.#options.clock.now()
    this.check()
  }

  resume(): void {
    if (this.#suspendedAtMs === null) return
    const oursMs = this.#options.clock.now() - this.#suspendedAtMs
    this.#suspendedAtMs = null
    this.sign()
    this.#lastProgressMs += oursMs
    this.#owedSinceMs += oursMs
    this.check()
  }

  /** To be called when what is owed may have changed. */
  check(): void {
    this.#renew()
    if (this.#owed === null || this.#suspendedAtMs !== null) this.#watch?.abort()
    else if (this.#watch === null) {
      const watch = new AbortController()
      this.#watch = watch
      void this.#sleep(watch.signal).finally(() => {
        this.#watch = null
        if (watch.signal.aborted) this.check()
      })
    }
  }

  /** The server's time begins anew with each answer that is owed. */
  #renew(): void {
    const owed = this.#options.owed()
    if (owed === this.#owed) return
    this.#owed = owed
    this.progress()
    this.#owedSinceMs = this.#lastSignMs
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { clock, commandMsMax, transferMsMax, onOverdue } = this.#options
    // Not longer than any bound, so that whatever becomes owed meanwhile is looked at in time.
    const sleepMsMax = Math.min(this.#silenceMsMax, commandMsMax, transferMsMax)
    while (!signal.aborted) {
      const leftMs = this.#dueMs() - clock.now()
      if (leftMs > 0) {
        await clock.sleep(Math.min(leftMs, sleepMsMax), signal)
        continue
      }
      // After a suspension of the machine the answer may lie in the socket already: let it be read first.
      await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted || this.#dueMs() > clock.now()) continue
      onOverdue(this.#why())
      return
    }
  }

  get #silenceMsMax(): number {
    return Math.min(this.#options.silenceMsMax, this.#hurryMs ?? Number.POSITIVE_INFINITY)
  }

  #dueMs(): number {
    const { commandMsMax, transferMsMax } = this.#options
    const spokenMs = this.#lastSignMs + this.#silenceMsMax
    if (this.#owed?.isTransfer !== true) return Math.min(spokenMs, this.#owedSinceMs + commandMsMax)
    return Math.min(spokenMs, this.#lastProgressMs + commandMsMax, this.#owedSinceMs + transferMsMax)
  }

  #why(): string {
    const { clock, commandMsMax, transferMsMax } = this.#options
    const now = clock.now()
    if (this.#lastSignMs + this.#silenceMsMax <= now) return `The server was silent for ${seconds(this.#silenceMsMax)}.`
    const isStalled = this.#owed?.isTransfer === true && this.#lastProgressMs + commandMsMax <= now
    if (isStalled) return `The server did not go on with its answer for ${seconds(commandMsMax)}.`
    return `The server did not end its answer within ${seconds(this.#owed?.isTransfer === true ? transferMsMax : commandMsMax)}.`
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} seconds`
}
