/** A clock that moves only when somebody waits, and chance that repeats itself from a seed. */

import type { Clock, Random } from '@tidemail/core'

/** Sleeping moves the time, and is over at once. */
export class VirtualClock implements Clock {
  /** Called before the time moves, with where it moves to. */
  beforeMove: (to: number) => void = () => {}
  #now: number
  #alarms: { readonly at: number; readonly ring: () => void }[] = []

  constructor(startMs: number = Date.UTC(2026, 0, 5)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted !== true) this.advance(delayMs)
  }

  /** Calls `ring` when the time comes. */
  setAlarm(delayMs: number, ring: () => void): void {
    this.#alarms.push({ at: this.#now + delayMs, ring })
    this.#alarms.sort((a, b) => a.at - b.at)
  }

  advance(delayMs: number): void {
    const to = this.#now + delayMs
    this.beforeMove(to)
    for (let next = this.#alarms[0]; next !== undefined && next.at <= to; next = this.#alarms[0]) {
      this.#alarms.shift()
      this.#now = Math.max(this.#now, next.at)
      next.ring()
    }
    this.#now = Math.max(this.#now, to)
  }

  /** As when somebody sets the clock of the machine back: what was to ring then rings when that time comes again. */
  setBack(byMs: number): void {
    this.#now -= byMs
  }
}

/** Mulberry32: small, and the same everywhere. */
export class SeededRandom implements Random {
  #state: number
  #ids = 0
  readonly seed: number

  constructor(seed: number) {
    this.seed = seed
    this.#state = seed >>> 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  id(): string {
    this.#ids += 1
    return `id-${this.seed}-${this.#ids}`
  }

  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  chance(of: number): boolean {
    return this.next() < of
  }

  /** A seed for something that draws by itself. */
  seedOfOwn(): number {
    return this.below(1_000_000)
  }
}
