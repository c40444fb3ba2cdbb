/** Carries observations from the wire to whoever reads them, and says when it is too full. */

import type { Observation } from '@tidemail/core'

const QUEUED_OBSERVATIONS_MAX = 2_000
const QUEUED_OCTETS_MAX = 8 * 1024 * 1024
/** Behind a mutating step reading goes on, whatever is queued; but not for ever. */
const UNREAD_OBSERVATIONS_MAX = 1_000_000

export class ObservationQueue {
  #queued: Observation[] = []
  #octets = 0
  #isClosed = false
  #wake: (() => void) | null = null
  readonly #onRoom: () => void

  constructor(onRoom: () => void) {
    this.#onRoom = onRoom
  }

  get isFull(): boolean {
    return this.#queued.length >= QUEUED_OBSERVATIONS_MAX || this.#octets >= QUEUED_OCTETS_MAX
  }

  get isOverfull(): boolean {
    return this.#queued.length > UNREAD_OBSERVATIONS_MAX
  }

  push(observation: Observation): void {
    if (this.#isClosed) return
    this.#queued.push(observation)
    this.#octets += octetsOf(observation)
    this.#wake?.()
  }

  /** Nothing more comes. What is queued can still be read, unless it is not wanted. */
  close(options: { readonly discard: boolean } = { discard: false }): void {
    this.#isClosed = true
    if (options.discard) this.#queued = []
    this.#wake?.()
  }

  /** Gives everything until the queue is closed. */
  async *read(): AsyncGenerator<Observation, void, undefined> {
    for (;;) {
      const batch = this.#queued
      this.#queued = []
      if (batch.length === 0) {
        if (this.#isClosed) return
        await this.#more()
        continue
      }
      for (const observation of batch) yield observation
      this.#octets = this.#queued.reduce((sum, observation) => sum + octetsOf(observation), 0)
      this.#onRoom()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null
        resolve()
      }
    })
  }
}

function octetsOf(observation: Observation): number {
  return observation.kind === 'body' ? (observation.bytes?.length ?? 0) : 0
}
