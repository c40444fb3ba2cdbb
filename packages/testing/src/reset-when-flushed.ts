/** Resets a TCP connection without losing what was written to it before. */

import type { Socket } from 'node:net'

/** A reset must not overtake what was written just before it; a peer that does not read is not waited for longer. */
const FLUSH_MS_MAX = 1_000
/** The peer reads first what came before: Node, for one, takes data and reset arriving together for an orderly end. */
const RESET_AFTER_MS = 5

export function resetWhenFlushed(socket: Socket): void {
  const reset = (): void => {
    clearTimeout(timer)
    // Behind the timer one more round of the event loop, for a peer that lives in this process.
    setTimeout(() => setImmediate(() => socket.resetAndDestroy()), RESET_AFTER_MS)
  }
  const timer = setTimeout(reset, FLUSH_MS_MAX)
  if (socket.writable) socket.write('', reset)
  else reset()
}
