/** Folds flag changes, in the user's order, into few stores: the last intent per flag per message (RFC 4549 §5.3). */

import { type Flag, flagKey, UidSet } from '@tidemail/core'
import type { FlagOperation } from '@tidemail/replay-log'

export interface FlagChange {
  readonly uids: UidSet
  readonly operation: FlagOperation
}

export interface FoldedStore {
  readonly direction: 'add' | 'remove'
  readonly flags: readonly Flag[]
  readonly uids: UidSet
}

/** Stores that leave the same flags as the changes sent one by one. Flags that go to the same messages in the same direction share one. */
export function foldFlags(changes: readonly FlagChange[]): FoldedStore[] {
  const intents = new Map<string, { flag: Flag; add: UidSet; remove: UidSet }>()
  for (const { uids, operation } of changes) {
    for (const [flags, direction] of [
      [operation.add, 'add'],
      [operation.remove, 'remove'],
    ] as const) {
      for (const flag of flags) {
        const intent = intents.get(flagKey(flag)) ?? { flag, add: UidSet.EMPTY, remove: UidSet.EMPTY }
        const opposite = direction === 'add' ? 'remove' : 'add'
        intents.set(flagKey(flag), {
          ...intent,
          [direction]: intent[direction].union(uids),
          [opposite]: intent[opposite].difference(uids),
        })
      }
    }
  }
  const stores = new Map<string, { direction: 'add' | 'remove'; flags: Flag[]; uids: UidSet }>()
  for (const { flag, add, remove } of intents.values()) {
    for (const [direction, uids] of [
      ['add', add],
      ['remove', remove],
    ] as const) {
      if (uids.isEmpty) continue
      const key = `${direction} ${uids}`
      const store = stores.get(key) ?? { direction, flags: [], uids }
      store.flags.push(flag)
      stores.set(key, store)
    }
  }
  return [...stores.values()]
}
