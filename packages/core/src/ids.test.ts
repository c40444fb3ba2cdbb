/** Verifies: DC-4549-5.1b */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localId, MOD_SEQ_MAX, modSeq, UID_MAX, uid, uidValidity } from './ids.ts'

describe.each([
  ['uid', uid],
  ['uidValidity', uidValidity],
  ['localId', localId],
] as const)('%s', (_, check) => {
  it('takes every whole number from 1 to 4294967295', () => {
    for (const value of [1, 2_147_483_647, 2_147_483_648, UID_MAX]) expect(check(value)).toBe(value)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: UID_MAX }), (value) => {
        expect(check(value)).toBe(value)
      }),
    )
  })

  it.each([0, -1, 1.5, UID_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (value) => {
    expect(() => check(value)).toThrow(
      expect.objectContaining({ code: 'input.bad-uid', scope: 'operation', recovery: 'fix-input' }),
    )
  })
})

describe('modSeq', () => {
  it('keeps 63 bits exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MOD_SEQ_MAX }), (value) => {
        expect(modSeq(value)).toBe(value)
        expect(modSeq(String(value))).toBe(value)
      }),
    )
    expect(modSeq('9007199254740993')).toBe(9_007_199_254_740_993n)
    expect(modSeq(1)).toBe(1n)
  })

  it.each([
    0n,
    -1n,
    MOD_SEQ_MAX + 1n,
    0,
    1.5,
    Number.NaN,
    '',
    ' ',
    '1x',
    '1.0',
    '0x10',
    '0b1',
    ' 7',
    '-3',
    Number.MAX_SAFE_INTEGER + 1,
  ])('refuses %s', (value) => {
    expect(() => modSeq(value)).toThrow(expect.objectContaining({ code: 'input.bad-mod-seq' }))
  })
})
