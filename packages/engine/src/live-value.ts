/** Values that change, as user interfaces take them: a snapshot and a subscription. */

import type { MessageStore } from '@tidemail/core'
import type { Live } from './api.ts'

/** A value that is set. */
export class LiveValue<T> implements Live<T> {
  private value: T
  private readonly listeners = new Set<() => void>()

  constructor(value: T) {
    this.value = value
  }

  // Functions of their own, for user interfaces take them off the object: `useSyncExternalStore(subscribe, getSnapshot)`.
  readonly getSnapshot = (): T => this.value

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(value: T): void {
    this.value = value
    for (const listener of [...this.listeners]) listener()
  }
}

/** A value that is read from the store, and read again after each change there while somebody listens. */
export function liveRead<T>(store: MessageStore, read: () => Promise<T>, onError: (error: unknown) => void): Live<T> {
  const current = new LiveValue<T | undefined>(undefined)
  let listeners = 0
  let stop: (() => void) | null = null
  let isReading = false
  let isStale = false
  const refresh = async (): Promise<void> => {
    isStale = true
    if (isReading) return
    isReading = true
    try {
      while (isStale) {
        isStale = false
        const value = await read()
        // The store's news is coarse: what reads the same stays the same object, and nobody is called.
        if (!isSame(current.getSnapshot(), value)) current.set(value)
      }
    } catch (error) {
      onError(error)
    } finally {
      isReading = false
    }
  }
  return {
    getSnapshot: () => current.getSnapshot(),
    subscribe: (listener) => {
      const unsubscribe = current.subscribe(listener)
      listeners += 1
      if (listeners === 1) {
        stop = store.subscribe(() => void refresh())
        void refresh()
      }
      let isSubscribed = true
      return () => {
        if (!isSubscribed) return
        isSubscribed = false
        unsubscribe()
        listeners -= 1
        if (listeners === 0) stop?.()
      }
    },
  }
}

/** Whether two values that were read from the store are equal in everything: plain data and bytes. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  }
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))]
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)))
}
