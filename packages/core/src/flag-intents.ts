/** The last word on each flag of each message, after any number of flag changes in order; costs in ranges, not in messages. */

import { type Flag, type FlagDelta, flagKey, normaliseFlags } from './flags.ts'
import { UidSet } from './uid-set.ts'

interface Intent {
  readonly flag: Flag
  readonly add: UidSet
  readonly remove: UidSet
}

/** Flag changes on numbered messages, immutable: a snapshot is the object itself. */
export class FlagIntents {
  static readonly NONE: FlagIntents = new FlagIntents(new Map())

  readonly #byKey: ReadonlyMap<string, Intent>

  private constructor(byKey: ReadonlyMap<string, Intent>) {
    this.#byKey = byKey
  }

  /** These changes, and then `delta` on `numbers`. Where a delta both adds and removes a flag, it is removed. */
  with(numbers: UidSet, { add, remove }: FlagDelta): FlagIntents {
    const byKey = new Map(this.#byKey)
    for (const flag of add) {
      const intent = intentOf(byKey, flag)
      byKey.set(flagKey(flag), { ...intent, add: intent.add.union(numbers), remove: intent.remove.difference(numbers) })
    }
    for (const flag of remove) {
      const intent = intentOf(byKey, flag)
      byKey.set(flagKey(flag), { ...intent, add: intent.add.difference(numbers), remove: intent.remove.union(numbers) })
    }
    return new FlagIntents(byKey)
  }

  /** The flags of one message after the changes; `flags` itself when none concerns it. */
  apply(number: number, flags: readonly Flag[]): readonly Flag[] {
    const added: Flag[] = []
    const removed = new Set<string>()
    for (const [key, { flag, add, remove }] of this.#byKey) {
      if (add.has(number)) added.push(flag)
      else if (remove.has(number)) removed.add(key)
    }
    if (added.length === 0 && removed.size === 0) return flags
    return normaliseFlags([...flags.filter((flag) => !removed.has(flagKey(flag))), ...added])
  }
}

function intentOf(byKey: ReadonlyMap<string, Intent>, flag: Flag): Intent {
  return byKey.get(flagKey(flag)) ?? { flag, add: UidSet.EMPTY, remove: UidSet.EMPTY }
}
