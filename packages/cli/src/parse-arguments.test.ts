import { describe, expect, it } from 'vitest'
import { parseDate, parseFlags, parseSeq } from './parse-arguments.ts'

describe('parseFlags', () => {
  it('takes system flags in any case, with or without the backslash, and keywords as they are', () => {
    expect(parseFlags('seen,\\FLAGGED, Draft,$Work')).toEqual(['\\Seen', '\\Flagged', '\\Draft', '$Work'])
  })

  it.each(['', 'seen,', 'two words', '\\Recent', '\\Unknown', 'a(b', 'ä', 'x]', 'a\u0000b'])('refuses "%s"', (text) => {
    expect(() => parseFlags(text)).toThrow(expect.objectContaining({ code: 'input.bad-flag' }))
  })
})

describe('parseDate', () => {
  it.each([
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2026-01-31T09:30:00Z', Date.UTC(2026, 0, 31, 9, 30)],
    ['2026-01-31T09:30:05.250+02:00', Date.UTC(2026, 0, 31, 7, 30, 5, 250)],
    ['2024-02-29t00:00z', Date.UTC(2024, 1, 29)],
    ['1969-12-31T23:59:59Z', -1_000],
  ])('reads %s', (text, time) => {
    expect(parseDate(text)).toBe(time)
  })

  it.each([
    '',
    'yesterday',
    '31.1.2026',
    '2026-1-31',
    '2026-02-29',
    '2026-13-01',
    '2026-01-32',
    '2026-01-31T25:00Z',
    '2026-00-10',
    '12',
  ])('refuses "%s"', (text) => {
    expect(() => parseDate(text)).toThrow(expect.objectContaining({ code: 'input.bad-date' }))
  })
})

describe('parseSeq', () => {
  it('takes a number as ops shows it', () => {
    expect([parseSeq('3'), parseSeq('#12')]).toEqual([3, 12])
  })

  it.each(['', '#', '0', '-1', 'x', '1.5'])('refuses "%s"', (text) => {
    expect(() => parseSeq(text)).toThrow(expect.objectContaining({ code: 'input.unknown-operation' }))
  })
})
