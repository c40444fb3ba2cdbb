/** The clock of the machine, for a remote that was given no other. */

import type { Clock } from '@tidemail/core'

/** `Date.now` goes on counting while the machine sleeps, which deadlines need (H-8). */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, delayMs)
      signal?.addEventListener('abort', finish, { once: true })
    }),
}
