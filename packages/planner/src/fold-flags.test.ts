import { applyFlagDelta, type Flag, UidSet } from '@tidemail/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type FlagChange, foldFlags } from './fold-flags.ts'

const UIDS = [1, 2, 3, 4]
const flags = fc.subarray(['\\Seen', '\\Flagged', '$Work'])
const change: fc.Arbitrary<FlagChange> = fc.record({
  uids: fc.subarray(UIDS, { minLength: 1 }).map((uids) => UidSet.from(uids)),
  operation: fc.record({ add: flags, remove: flags }).map(({ add, remove }) => ({
    kind: 'flag' as const,
    targets: { kind: 'local' as const, mailboxId: 1 as never, locals: UidSet.EMPTY },
    add: add.filter((flag) => !remove.includes(flag)),
    remove,
  })),
})

/** What the messages carry after stores sent one after another. */
function after(stores: readonly { uids: UidSet; add: readonly Flag[]; remove: readonly Flag[] }[]): Flag[][] {
  return UIDS.map((uid) =>
    stores.reduce<Flag[]>(
      (carried, { uids, add, remove }) => (uids.has(uid) ? applyFlagDelta(carried, { add, remove }) : carried),
      ['\\Seen'],
    ),
  )
}

it('leaves the same flags as the changes sent one by one', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      const oneByOne = changes.map(({ uids, operation: { add, remove } }) => ({ uids, add, remove }))
      const folded = foldFlags(changes).map((store) => ({
        uids: store.uids,
        add: store.direction === 'add' ? store.flags : [],
        remove: store.direction === 'remove' ? store.flags : [],
      }))
      expect(after(folded)).toEqual(after(oneByOne))
    }),
  )
})

it('needs at most two stores a flag', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      expect(foldFlags(changes).length).toBeLessThanOrEqual(6)
    }),
  )
})
