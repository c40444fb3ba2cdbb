/** Decides how long to wait before the next try: doubling, with jitter, up to a bound (I-NET-1). */

export const RETRY_DELAY_MS_MIN = 2_000
export const RETRY_DELAY_MS_MAX = 300_000

/** The wait before try number `failures + 1`, in milliseconds; `chance` is from 0 up to 1. */
export function retryDelayMs({ failures, chance }: { readonly failures: number; readonly chance: number }): number {
  const ceiling = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** Math.min(failures, 20))
  return Math.round(ceiling / 2 + (ceiling / 2) * chance)
}
