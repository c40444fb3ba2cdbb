/** The real clock and the real chance, for whoever passes none. */

import type { Clock, Random } from '@tidemail/core'

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, delayMs)
      signal?.addEventListener('abort', wake, { once: true })
    }),
}

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => crypto.randomUUID(),
}
