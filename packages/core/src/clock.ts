/** The ports to time and chance, so that a simulator can drive the real code. */

import './abort-signal.ts'

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `delayMs`, or at once, without rejecting, when the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number
  /** A fresh identifier, unique in practice. */
  id(): string
}
