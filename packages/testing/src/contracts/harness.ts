/** What a contract suite needs of a test runner, and assertions that run anywhere. */

import { type MessageStore, SyncError, UidPairs, UidSet } from '@tidemail/core'

/** Vitest is one; a page in a browser brings its own. */
export interface Harness {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

/** One thing that every store must do, and the test of it on an empty one. */
export interface Clause {
  readonly says: string
  holds(store: MessageStore): Promise<void>
}

/** @throws Error when the two differ; sets, maps, bytes and UID sets are compared by content. */
export function assertEqual(actual: unknown, expected: unknown, what = 'value'): void {
  const found = show(actual)
  const wanted = show(expected)
  if (found !== wanted) throw new Error(`${what} differs.\n  found:  ${found}\n  wanted: ${wanted}`)
}

/** @throws Error unless the promise rejects with a SyncError of this code. */
export async function assertRejects(promise: Promise<unknown>, code: SyncError['code']): Promise<void> {
  const outcome = await promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof SyncError ? error.code : `rejected with ${String(error)}`),
  )
  assertEqual(outcome, code, 'outcome')
}

/** One text for equal values, whatever the order of keys. */
function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof UidSet) return `UidSet(${value})`
  if (value instanceof UidPairs) return `UidPairs${JSON.stringify(value.ranges)}`
  if (value instanceof Uint8Array) return `bytes(${Array.from(value).join(' ')})`
  if (value instanceof Set) return `Set(${[...value].map(show).sort().join(', ')})`
  if (value instanceof Map) return `Map(${[...value].map(([key, held]) => `${show(key)}=${show(held)}`).sort()})`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (value instanceof Object) {
    const fields = Object.entries(value).filter(([, held]) => held !== undefined)
    return `{${fields
      .map(([key, held]) => `${key}: ${show(held)}`)
      .sort()
      .join(', ')}}`
  }
  return value === undefined ? 'undefined' : JSON.stringify(value)
}
