import { describe, expect, it } from 'vitest'
import { type Conditions, DEFAULT_CONDITIONS, limitsUnder, partsKey, partsKeysAtLeast, partsWanted } from './parts-policy.ts'
import { PART_BYTES_MAX } from './plan-parts.ts'
import { DEFAULT_POLICY, type Policy } from './policy.ts'

const DAY_MS = 86_400_000
const NOW = 100 * DAY_MS
const POLICY: Policy = {
  ...DEFAULT_POLICY,
  bodies: 'all',
  partBytesMax: 1000,
  newestMessages: 5,
  metered: { bodies: 'text', partBytesMax: 100 },
  battery: { bodies: 'all', partBytesMax: 10 },
}

describe('the limits of parts', () => {
  it.each<[string, Partial<Conditions>, string]>([
    ['without a care', {}, 'all 1000'],
    ['on a metered network', { network: 'metered' }, 'text 100'],
    ['on battery', { power: 'battery' }, 'all 10'],
    ['on both, the least of each', { network: 'metered', power: 'battery' }, 'text 10'],
  ])('are, %s, those of the policy and of the conditions', (_name, conditions, expected) => {
    const { bodies, partBytesMax } = limitsUnder(POLICY, { ...DEFAULT_CONDITIONS, ...conditions })
    expect(`${bodies} ${partBytesMax}`).toBe(expected)
  })

  it('are never raised by the conditions, nor above what is taken in at all', () => {
    const generous = { bodies: 'all', partBytesMax: Number.MAX_SAFE_INTEGER } as const
    const frugal = { ...POLICY, bodies: 'none', partBytesMax: 1, metered: generous } as const
    expect(limitsUnder(frugal, { network: 'metered', power: 'mains' })).toEqual({ bodies: 'none', partBytesMax: 1 })
    expect(limitsUnder({ ...POLICY, ...generous }, DEFAULT_CONDITIONS).partBytesMax).toBe(PART_BYTES_MAX)
  })
})

describe('the parts that are wanted', () => {
  const wanted = (changes: Partial<Policy>, round: 'text' | 'all'): string => {
    const found = partsWanted({ ...POLICY, ...changes }, { round, conditions: DEFAULT_CONDITIONS, now: NOW })
    return found === null
      ? 'nothing'
      : `${found.parts} of ${found.messagesMax} up to ${found.partBytesMax} since ${found.receivedSince}`
  }

  // Verifies: DC-4549-4.3.2
  it.each<[string, Partial<Policy>, string, string]>([
    ['all', {}, 'text of 5 up to 1000 since null', 'all of 5 up to 1000 since null'],
    ['texts', { bodies: 'text' }, 'text of 5 up to 1000 since null', 'nothing'],
    ['none', { bodies: 'none' }, 'nothing', 'nothing'],
    [
      'those of ten days',
      { newestDays: 10 },
      `text of 5 up to 1000 since ${90 * DAY_MS}`,
      `all of 5 up to 1000 since ${90 * DAY_MS}`,
    ],
  ])('are, of %s, the texts first', (_name, changes, first, second) => {
    expect([wanted(changes, 'text'), wanted(changes, 'all')]).toEqual([first, second])
  })
})

describe('the name of a wish', () => {
  const nameOf = (changes: Partial<Policy>, now = NOW): string => {
    const policy = { ...POLICY, ...changes }
    const wanted = partsWanted(policy, { round: 'text', conditions: DEFAULT_CONDITIONS, now })
    return wanted === null ? '' : partsKey(policy, wanted)
  }

  it('is another one for each policy, and stays the same while time goes on', () => {
    const policies: Partial<Policy>[] = [{}, { partBytesMax: 1 }, { newestMessages: 1 }, { newestDays: 1 }, { newestDays: 2 }]
    expect(new Set(policies.map((policy) => nameOf(policy))).size).toBe(policies.length)
    expect(nameOf({ newestDays: 1 }, NOW + 1)).toBe(nameOf({ newestDays: 1 }))
  })

  it('is satisfied by all parts where texts are wished for', () => {
    const text = partsWanted(POLICY, { round: 'text', conditions: DEFAULT_CONDITIONS, now: NOW })
    const all = partsWanted(POLICY, { round: 'all', conditions: DEFAULT_CONDITIONS, now: NOW })
    if (text === null || all === null) throw new Error('Nothing is wanted.')
    expect(partsKeysAtLeast(POLICY, text)).toEqual([partsKey(POLICY, text), partsKey(POLICY, all)])
    expect(partsKeysAtLeast(POLICY, all)).not.toContain(partsKey(POLICY, text))
  })
})
