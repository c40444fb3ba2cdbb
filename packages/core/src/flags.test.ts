/** Verifies: DC-4549-4.2.3b (deltas, never absolute lists) */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlagIntents } from './flag-intents.ts'
import { applyFlagDelta, type FlagDelta, flagKey, hasFlag, normaliseFlags, parseFlag, SYSTEM_FLAGS, sameFlags } from './flags.ts'
import { UidSet } from './uid-set.ts'

const flag = fc.constantFrom('\\Seen', '\\seen', '\\FLAGGED', '\\Recent', '$Work', '$WORK', 'later', 'Später')
const flags = fc.array(flag, { maxLength: 6 })
const delta: fc.Arbitrary<FlagDelta> = fc.record({ add: flags, remove: flags })

function keys(list: readonly string[]): string[] {
  return [...new Set(list.map(flagKey).filter((key) => key !== '\\recent'))].sort()
}

describe('parseFlag', () => {
  it.each([
    ['seen', '\\Seen'],
    ['\\SEEN', '\\Seen'],
    ['Deleted', '\\Deleted'],
    ['$Forwarded', '$Forwarded'],
    ['NonJunk', 'NonJunk'],
    ['a-b_c.d', 'a-b_c.d'],
    ['x'.repeat(120), 'x'.repeat(120)],
  ])('reads %j as %j', (text, expected) => {
    expect(parseFlag(text)).toBe(expected)
  })

  it.each([
    '',
    '\\',
    '\\Recent',
    '\\recent',
    '\\Unknown',
    'a b',
    'a(b',
    'a)b',
    'a{b',
    'a%b',
    'a*b',
    'a"b',
    'a\\b',
    'a]b',
    'a\r\nb',
    'a\u0000',
    'ä',
    '\u007f',
    'x'.repeat(121),
  ])('refuses %j', (text) => {
    expect(() => parseFlag(text)).toThrow(expect.objectContaining({ code: 'input.bad-flag' }))
  })

  it('writes nothing that is no atom or system flag (RFC 9051 §9)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (text) => {
        try {
          const parsed = parseFlag(text)
          expect(/^[!#$&'+-[^-z|}~]+$/.test(parsed) || SYSTEM_FLAGS.some((system) => system === parsed)).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'input.bad-flag' })
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('normaliseFlags', () => {
  it('drops repeats and \\Recent, sorts by key, and is the same when done twice', () => {
    fc.assert(
      fc.property(flags, (list) => {
        const normal = normaliseFlags(list)
        expect(normal.map(flagKey)).toEqual(keys(list))
        expect(normaliseFlags(normal)).toEqual(normal)
      }),
    )
  })

  it('spells system flags in one way, and keeps the first spelling of a keyword', () => {
    expect(normaliseFlags(['$WORK', '\\SEEN', '$Work'])).toEqual(['$WORK', '\\Seen'])
  })
})

describe('flags as sets', () => {
  it('compare without regard to case, order and repeats', () => {
    fc.assert(
      fc.property(flags, flags, (a, b) => {
        expect(sameFlags(a, b)).toBe(keys(a).join(' ') === keys(b).join(' '))
        expect(hasFlag(a, '$work')).toBe(a.some((item) => flagKey(item) === '$work'))
      }),
    )
  })

  it('apply a delta as (flags | add) & ~remove', () => {
    fc.assert(
      fc.property(flags, delta, (list, { add, remove }) => {
        const expected = keys([...list, ...add]).filter((key) => !keys(remove).includes(key))
        expect(applyFlagDelta(list, { add, remove }).map(flagKey)).toEqual(expected)
      }),
    )
  })

  it('are what a delta made of them when it is applied twice', () => {
    fc.assert(
      fc.property(flags, delta, (list, change) => {
        const once = applyFlagDelta(list, change)
        expect(applyFlagDelta(once, change)).toEqual(once)
      }),
    )
  })
})

describe('FlagIntents', () => {
  it('leaves the flags that the deltas leave, applied one by one', () => {
    const change = fc.tuple(fc.subarray([1, 2, 3, 4]), delta)
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), flags, (changes, base) => {
        const intents = changes.reduce((all, [numbers, one]) => all.with(UidSet.from(numbers), one), FlagIntents.NONE)
        for (const number of [1, 2, 3, 4, 5]) {
          const expected = changes
            .filter(([numbers]) => numbers.includes(number))
            .reduce((list, [, one]) => applyFlagDelta(list, one), normaliseFlags(base))
          expect(sameFlags(intents.apply(number, base), expected)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives back the same list where nothing concerns the message', () => {
    const base = ['later']
    expect(FlagIntents.NONE.with(UidSet.of(1), { add: ['\\Seen'], remove: [] }).apply(2, base)).toBe(base)
  })
})
