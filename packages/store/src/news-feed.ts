/** Tells listeners what changed in the store, at most every `NEWS_INTERVAL_MS`, with everything since the last time. */

import { type Clock, mergeNews, type StoreNews } from '@tidemail/core'

const NEWS_INTERVAL_MS = 50

type Listener = (news: StoreNews) => void

export interface NewsFeedOptions {
  readonly clock: Pick<Clock, 'sleep'>
  /** Names the channel on which other tabs hear of the news, and tell theirs. */
  readonly channel?: string
}

export class NewsFeed {
  readonly #clock: Pick<Clock, 'sleep'>
  readonly #listeners: Set<{ readonly listener: Listener }> = new Set()
  readonly #closing = new AbortController()
  readonly #channel: BroadcastChannel | null
  #pending: StoreNews | null = null
  #isDelivering = false

  constructor({ clock, channel }: NewsFeedOptions) {
    this.#clock = clock
    this.#channel = channel === undefined || typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(channel)
    if (this.#channel === null) return
    this.#channel.onmessage = ({ data }: MessageEvent<StoreNews>) => this.#add(data)
    // In Node an open channel would keep the process alive.
    ;(this.#channel as { unref?: () => void }).unref?.()
  }

  subscribe(listener: Listener): () => void {
    const subscription = { listener }
    this.#listeners.add(subscription)
    return () => this.#listeners.delete(subscription)
  }

  publish(news: StoreNews): void {
    if (this.#closing.signal.aborted) return
    this.#channel?.postMessage(news)
    this.#add(news)
  }

  close(): void {
    this.#listeners.clear()
    this.#pending = null
    this.#closing.abort()
    this.#channel?.close()
  }

  #add(news: StoreNews): void {
    if (this.#listeners.size === 0 || this.#closing.signal.aborted) return
    this.#pending = this.#pending === null ? news : mergeNews(this.#pending, news)
    if (!this.#isDelivering) void this.#deliver()
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
