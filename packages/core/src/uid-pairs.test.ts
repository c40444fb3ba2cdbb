/** Verifies: DC-4315-3a, DC-4549-4.2.2a */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UidPairs } from './uid-pairs.ts'
import { UidSet } from './uid-set.ts'

/** Different UIDs in the order a server might write them, some joined to ranges, some of these backwards. */
const written = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }).chain((uids) =>
  fc.array(fc.boolean(), { minLength: uids.length, maxLength: uids.length }).map((flips) => {
    const pieces: { first: number; last: number }[] = []
    for (const uid of uids) {
      const open = pieces.at(-1)
      if (open !== undefined && open.last + 1 === uid) open.last = uid
      else pieces.push({ first: uid, last: uid })
    }
    const text = pieces.map(({ first, last }, i) =>
      first === last ? String(first) : flips[i] ? `${last}:${first}` : `${first}:${last}`,
    )
    return { uids, text: text.join(',') }
  }),
)

const bySource = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 99 })), {
    selector: ([from]) => from,
    maxLength: 12,
  })
  .map((entries) => new Map(entries))

function pairsOf(map: ReadonlyMap<number, number>): UidPairs {
  return new UidPairs([...map].map(([from, to]) => ({ from, to, length: 1 })))
}

describe('UidPairs', () => {
  it('pairs the sets of COPYUID member by member, in the order written', () => {
    fc.assert(
      fc.property(written, written, (source, destination) => {
        const pair = (): UidPairs => UidPairs.fromCopyUid(source.text, destination.text)
        if (source.uids.length !== destination.uids.length) {
          expect(pair).toThrow(expect.objectContaining({ code: 'remote.protocol' }))
          return
        }
        expect(source.uids.map((uid) => pair().get(uid))).toEqual(destination.uids)
        expect(pair().sources.equals(UidSet.from(source.uids))).toBe(true)
        expect(pair().destinations.equals(UidSet.from(destination.uids))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes 12:10 as 10, 11, 12, on either side', () => {
    expect(UidPairs.fromCopyUid('12:10', '20:22').ranges).toEqual([{ from: 10, to: 20, length: 3 }])
    expect(UidPairs.fromCopyUid('10:12', '22:20').ranges).toEqual([{ from: 10, to: 20, length: 3 }])
  })

  it('pairs as many UIDs as there can be as one range', () => {
    expect(UidPairs.fromCopyUid('1:4294967295', '4294967295:1').ranges).toHaveLength(1)
    expect(() => UidPairs.fromCopyUid('1:4294967295', '1:2')).toThrow(expect.objectContaining({ code: 'remote.protocol' }))
  })

  it.each([
    ['', ''],
    ['1', ''],
    ['1:*', '1:2'],
    ['0', '1'],
  ])('refuses %j with %j', (source, destination) => {
    expect(() => UidPairs.fromCopyUid(source, destination)).toThrow(expect.objectContaining({ code: 'input.bad-uid-set' }))
  })

  it('restricts to sources, and unites, as a Map does', () => {
    fc.assert(
      fc.property(bySource, fc.array(fc.integer({ min: 1, max: 30 })), (map, wanted) => {
        const pairs = pairsOf(map)
        const inside = pairs.restrict(UidSet.from(wanted))
        const outside = pairs.restrict(pairs.sources.difference(UidSet.from(wanted)))
        for (let from = 1; from <= 30; from += 1) {
          expect(inside.get(from)).toBe(wanted.includes(from) ? map.get(from) : undefined)
          expect(inside.union(outside).get(from)).toBe(map.get(from))
        }
      }),
    )
  })

  it('cuts a long range where the sources end', () => {
    const pairs = new UidPairs([{ from: 1, to: 1_001, length: 4_000_000_000 }])
    expect(pairs.restrict(UidSet.parse('5:7,4000000001')).ranges).toEqual([{ from: 5, to: 1_005, length: 3 }])
  })

  it('is kept by ascending source', () => {
    fc.assert(
      fc.property(bySource, (map) => {
        const froms = pairsOf(map).ranges.map(({ from }) => from)
        expect(froms).toEqual([...froms].sort((a, b) => a - b))
      }),
    )
  })
})
