/** One direction of a proxied connection: hands bytes on in order, after a flight time, at a rate, and breaks where told. */

import type { Socket } from 'node:net'

export interface PipePace {
  /** How long every byte is under way. Bytes sent together arrive together, however many chunks they came in. */
  readonly delayMs: number
  /** Bytes per second, or 0 for no limit. */
  readonly bytesPerSecond: number
}

export interface PipeEvents {
  /** Says how many of these bytes may still pass (all of them, as a rule) and whether the line breaks behind them. */
  readonly allowance: (count: number) => Allowance
  readonly onWritten: (count: number) => void
  readonly onBreak: () => void
}

export interface Allowance {
  readonly bytes: number
  readonly breaks: boolean
}

type Parcel =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly dueMs: number }
  | { readonly kind: 'call'; readonly call: () => void; readonly dueMs: number }
  | { readonly kind: 'hold'; readonly until: () => Promise<void>; readonly dueMs: number }

/** More than this in flight, and the sender is held back. */
export const PIPE_IN_FLIGHT_BYTES_MAX: number = 64 * 1024 * 1024
/** A throttled line hands on slices of about this duration. */
const SLICE_MS = 10
/** Timers count whole milliseconds. */
const EARLY_MS_MAX = 0.5

export class FaultProxyPipe {
  readonly #source: Socket
  readonly #target: Socket
  readonly #pace: () => PipePace
  readonly #events: PipeEvents
  #batch: Buffer[] = []
  #parcels: Parcel[] = []
  #inFlightBytes = 0
  #sendingEndsMs = 0
  #timer: NodeJS.Timeout | undefined
  #isDelivering = false
  #isDraining = false
  #isHeld = false
  #isClosed = false

  constructor(source: Socket, target: Socket, pace: () => PipePace, events: PipeEvents) {
    this.#source = source
    this.#target = target
    this.#pace = pace
    this.#events = events
  }

  /** Takes bytes in; `flush` sends them on their way, so that the lines of one chunk stay one write. */
  send(bytes: Buffer): void {
    if (bytes.length > 0) this.#batch.push(bytes)
  }

  flush(): void {
    const [first, ...others] = this.#batch
    this.#batch = []
    if (first !== undefined && !this.#isClosed) this.#dispatch(others.length === 0 ? first : Buffer.concat([first, ...others]))
  }

  /** Calls back when everything sent so far has been handed on. */
  afterAll(call: () => void): void {
    this.flush()
    if (this.#isClosed) return
    this.#parcels.push({ kind: 'call', call, dueMs: this.#dueMs(0) })
    this.#deliver()
  }

  /** Calls when everything sent so far has been handed on, and hands on nothing more until the promise is settled. */
  hold(until: () => Promise<void>): void {
    this.flush()
    if (this.#isClosed) return
    this.#parcels.push({ kind: 'hold', until, dueMs: this.#dueMs(0) })
    this.#deliver()
  }

  /** Drops what is under way; nothing more is handed on. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#parcels = []
    // What still comes is read and dropped, so that the end of the connection is seen.
    this.#source.resume()
  }

  #dispatch(bytes: Buffer): void {
    const { bytesPerSecond } = this.#pace()
    const sliceBytes = bytesPerSecond > 0 ? Math.max(1, Math.ceil((bytesPerSecond * SLICE_MS) / 1000)) : bytes.length
    for (let from = 0; from < bytes.length; from += sliceBytes) {
      const slice = bytes.subarray(from, from + sliceBytes)
      this.#inFlightBytes += slice.length
      this.#parcels.push({ kind: 'bytes', bytes: slice, dueMs: this.#dueMs(slice.length) })
    }
    if (this.#inFlightBytes > PIPE_IN_FLIGHT_BYTES_MAX) this.#source.pause()
    this.#deliver()
  }

  #dueMs(count: number): number {
    const { delayMs, bytesPerSecond } = this.#pace()
    const now = performance.now()
    // By due time, not by sleeping per chunk: timers that fire late must not add up.
    if (bytesPerSecond > 0) this.#sendingEndsMs = Math.max(this.#sendingEndsMs, now) + (count * 1000) / bytesPerSecond
    return (bytesPerSecond > 0 ? this.#sendingEndsMs : now) + delayMs
  }

  #deliver(): void {
    // A call in the queue may send more: that is left to the loop already running.
    if (this.#isDelivering) return
    this.#isDelivering = true
    clearTimeout(this.#timer)
    let done = 0
    while (!this.#isClosed && !this.#isDraining && !this.#isHeld) {
      const parcel = this.#parcels[done]
      if (parcel === undefined) break
      const waitMs = parcel.dueMs - performance.now()
      if (waitMs > EARLY_MS_MAX) {
        this.#timer = setTimeout(() => this.#deliver(), waitMs)
        break
      }
      done += 1
      if (parcel.kind === 'call') parcel.call()
      else if (parcel.kind === 'hold') this.#holdUntil(parcel.until())
      else this.#write(parcel.bytes)
    }
    this.#parcels.splice(0, done)
    this.#isDelivering = false
    if (this.#inFlightBytes <= PIPE_IN_FLIGHT_BYTES_MAX / 2 && this.#source.isPaused() && !this.#isClosed) this.#source.resume()
  }

  #holdUntil(settled: Promise<void>): void {
    this.#isHeld = true
    const release = (): void => {
      this.#isHeld = false
      this.#deliver()
    }
    settled.then(release, release)
  }

  #write(bytes: Buffer): void {
    this.#inFlightBytes -= bytes.length
    const allowance = this.#events.allowance(bytes.length)
    if (allowance.bytes > 0 && this.#target.writable) {
      this.#events.onWritten(allowance.bytes)
      const hasRoom = this.#target.write(bytes.subarray(0, allowance.bytes))
      if (!hasRoom) this.#awaitDrain()
    }
    if (allowance.breaks) this.#events.onBreak()
  }

  #awaitDrain(): void {
    this.#isDraining = true
    this.#target.once('drain', () => {
      this.#isDraining = false
      this.#deliver()
    })
  }
}
