/** Verifies: DC-4549-5.1b, DC-4549-4.3.1e, I-SYNC-2 (sets stay sets of ranges) */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UID_MAX } from './ids.ts'
import { parseRanges, type UidRange, UidSet } from './uid-set.ts'

const numbers = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: UID_MAX - 20, max: UID_MAX })), {
  maxLength: 25,
})
const sets = numbers.map((values) => UidSet.from(values))

function valuesOf(set: UidSet): number[] {
  return [...set.values()]
}

function ascending(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}

/** Ascending, disjoint, not adjacent: the one form in which a set is kept. */
function isNormal({ ranges }: UidSet): boolean {
  return ranges.every(({ first, last }, i) => first <= last && (i === 0 || first > (ranges[i - 1] as UidRange).last + 1))
}

/** A set of which every number asked for is counted, so that cost is seen without a clock. */
function counting(set: UidSet): { readonly set: UidSet; reads: () => number } {
  let reads = 0
  const ranges = set.ranges.map(
    (range) =>
      new Proxy(range, {
        get: (target, key) => {
          reads += 1
          return Reflect.get(target, key) as unknown
        },
      }),
  )
  const proxy = new Proxy(set, {
    get: (target, key) => (key === 'ranges' ? ranges : (Reflect.get(target, key, proxy) as unknown)),
  })
  return { set: proxy, reads: () => reads }
}

describe('UidSet', () => {
  it('holds what a Set of numbers holds, in normal form', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const set = UidSet.from(values)
        expect(valuesOf(set)).toEqual(ascending(values))
        expect(isNormal(set)).toBe(true)
        expect([set.size, set.isEmpty]).toEqual([new Set(values).size, values.length === 0])
        expect([set.min, set.max]).toEqual([ascending(values)[0], ascending(values).at(-1)])
      }),
    )
  })

  it('unites, intersects and subtracts as Sets of numbers do', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [left, right] = [UidSet.from(a), UidSet.from(b)]
        const [union, common, rest] = [left.union(right), left.intersect(right), left.difference(right)]
        expect(valuesOf(union)).toEqual(ascending([...a, ...b]))
        expect(valuesOf(common)).toEqual(ascending(a.filter((value) => b.includes(value))))
        expect(valuesOf(rest)).toEqual(ascending(a.filter((value) => !b.includes(value))))
        expect([union, common, rest].every(isNormal)).toBe(true)
        expect(common.union(rest).equals(left)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('knows its members', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 42 }), (values, probe) => {
        expect(UidSet.from(values).has(probe)).toBe(values.includes(probe))
      }),
    )
  })

  it('is equal to a set with the same numbers only', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(a.equals(b)).toBe(a.toString() === b.toString())
        expect(a.equals(UidSet.from(valuesOf(a).reverse()))).toBe(true)
      }),
    )
  })

  it('reads what it writes', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(UidSet.parse(set.toString()).equals(set)).toBe(true)
      }),
    )
  })

  it('reads ranges in any order, written backwards, overlapping and adjacent', () => {
    expect(UidSet.parse('20:15,3,16:18,4,21').toString()).toBe('3:4,15:21')
    expect(UidSet.range(9, 7).toString()).toBe('7:9')
    expect(UidSet.parse('')).toBe(UidSet.EMPTY)
  })

  it.each(['*', '1:*', '0', '1:0', '4294967296', '1,', ',1', '1::2', '-1', '1.5', ' 1', '1 ', 'x', '1:2:3', '٣'])(
    'refuses %j',
    (text) => {
      expect(() => UidSet.parse(text)).toThrow(expect.objectContaining({ code: 'input.bad-uid-set' }))
    },
  )

  it.each([0, -1, 1.5, Number.NaN, UID_MAX + 1, Number.POSITIVE_INFINITY])('refuses the number %d', (value) => {
    const bad = expect.objectContaining({ code: 'input.bad-uid' })
    expect(() => UidSet.of(value)).toThrow(bad)
    expect(() => UidSet.of(1, value, 2)).toThrow(bad)
    expect(() => UidSet.range(1, value)).toThrow(bad)
  })

  it('gives the highest numbers', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 30 }), (set, count) => {
        const highest = set.highest(count)
        expect(valuesOf(highest)).toEqual(count === 0 ? [] : valuesOf(set).slice(-count))
        expect(isNormal(highest)).toBe(true)
      }),
    )
  })

  it('cuts itself into pieces of a size, without loss and in order', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 9 }), (set, sizeMax) => {
        const chunks = set.chunksOfSize(sizeMax)
        expect(chunks.flatMap(valuesOf)).toEqual(valuesOf(set))
        expect(chunks.slice(0, -1).every((chunk) => chunk.size === sizeMax)).toBe(true)
        expect(chunks.every((chunk) => isNormal(chunk) && chunk.size <= sizeMax && !chunk.isEmpty)).toBe(true)
      }),
    )
  })

  it('refuses to cut itself into pieces of nothing, rather than never to end', () => {
    expect(() => UidSet.of(1).chunksOfSize(0)).toThrow(expect.objectContaining({ code: 'engine.bug' }))
  })

  it('cuts itself into pieces that fit a command line', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 22, max: 60 }), (set, octetsMax) => {
        const chunks = set.chunksOfOctets(octetsMax)
        expect(chunks.flatMap(valuesOf)).toEqual(valuesOf(set))
        expect(chunks.every((chunk) => chunk.toString().length <= octetsMax && !chunk.isEmpty)).toBe(true)
      }),
    )
  })

  it('works on every UID there can be as on one range', () => {
    const hole = UidSet.of(7, 9)
    const rest = UidSet.ALL.difference(hole)
    expect(UidSet.parse('1:4294967295').equals(UidSet.ALL)).toBe(true)
    expect(rest.toString()).toBe('1:6,8,10:4294967295')
    expect(rest.union(hole).equals(UidSet.ALL)).toBe(true)
    expect(UidSet.ALL.intersect(hole).equals(hole)).toBe(true)
    expect([UidSet.ALL.size, rest.size, UidSet.ALL.has(UID_MAX)]).toEqual([UID_MAX, UID_MAX - 2, true])
    expect(UidSet.ALL.highest(3).toString()).toBe('4294967293:4294967295')
    expect(UidSet.ALL.chunksOfSize(2_000_000_000).map(String)).toEqual([
      '1:2000000000',
      '2000000001:4000000000',
      '4000000001:4294967295',
    ])
    expect(UidSet.ALL.chunksOfOctets(22).map(String)).toEqual(['1:4294967295'])
    expect(UidSet.ALL.values().next().value).toBe(1)
  })

  it('costs in ranges, never in numbers', () => {
    const many = UidSet.fromRanges(
      Array.from({ length: 100 }, (_, i) => ({ first: i * 40_000_000 + 1, last: i * 40_000_000 + 30_000_000 })),
    )
    const other = UidSet.fromRanges(
      Array.from({ length: 100 }, (_, i) => ({ first: i * 40_000_000 + 9, last: i * 40_000_000 + 35_000_000 })),
    )
    const work: [string, (set: UidSet) => unknown][] = [
      ['union', (set) => set.union(other)],
      ['intersect', (set) => set.intersect(other)],
      ['difference', (set) => set.difference(other)],
      ['equals', (set) => set.equals(other)],
      ['size', (set) => set.size],
      ['has', (set) => set.has(3_000_000_000)],
      ['highest', (set) => set.highest(2_000_000_000)],
      ['chunks', (set) => set.chunksOfSize(1_000_000_000)],
      ['octets', (set) => set.chunksOfOctets(7_000)],
      ['text', (set) => set.toString()],
    ]
    for (const [name, run] of work) {
      const { set, reads } = counting(many)
      run(set)
      expect([name, reads() > 0, reads() < 2_500]).toEqual([name, true, true])
    }
  })

  it('is not changed by what is made of it', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const before = a.toString()
        a.union(b)
        a.difference(b)
        a.intersect(b)
        a.highest(2)
        expect(a.toString()).toBe(before)
      }),
    )
  })
})

describe('parseRanges', () => {
  it('keeps the order of ranges, and takes a range as written either way (RFC 4315 §3)', () => {
    expect(parseRanges('12:10,3,7:8')).toEqual([
      { first: 10, last: 12 },
      { first: 3, last: 3 },
      { first: 7, last: 8 },
    ])
  })
})
