/** Tells listeners what changed in the store, at most every `NEWS_INTERVAL_MS`, with everything since the last time. */

import { type Clock, mergeNews, type StoreNews } from '@tidemail/core'

const NEWS_INTERVAL_MS = 50

type Listener = (news: StoreNews) => void

export class NewsFeed {
  readonly #clock: Pick<Clock, 'sleep'>
  readonly #listeners: Set<{ readonly listener: Listener }> = new Set()
  readonly #closing = new AbortController()
  #pending: StoreNews | null = null
  #isDelivering = false

  constructor(clock: Pick<Clock, 'sleep'> = { sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)) }) {
    this.#clock = clock
  }

  subscribe(listener: Listener): () => void {
    const subscription = { listener }
    this.#listeners.add(subscription)
    return () => this.#listeners.delete(subscription)
  }

  publish(news: StoreNews): void {
    if (this.#listeners.size === 0 || this.#closing.signal.aborted) return
    this.#pending = this.#pending === null ? news : mergeNews(this.#pending, news)
    if (!this.#isDelivering) void this.#deliver()
  }

  close(): void {
    this.#listeners.clear()
    this.#pending = null
    this.#closing.abort()
  }

  async #deliver(): Promise<void> {
    this.#isDelivering = true
    await Promise.resolve()
    while (this.#pending !== null) {
      const news = this.#pending
      this.#pending = null
      for (const { listener } of [...this.#listeners]) callSafely(listener, news)
      await this.#clock.sleep(NEWS_INTERVAL_MS, this.#closing.signal)
    }
    this.#isDelivering = false
  }
}

/** A listener that throws is the app's own trouble: it stops neither the store nor the other listeners. */
function callSafely(listener: Listener, news: StoreNews): void {
  try {
    listener(news)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
