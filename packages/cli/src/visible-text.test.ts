import { UidSet } from '@tidemail/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visibleJson, visibleLine, visibleLines } from './visible-text.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out.
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe('text of a message on a terminal', () => {
  it('shows escapes, bells, line breaks and overrides instead of obeying them', () => {
    expect(visibleLine('\u001b[2J\u0007a\r\nb\tc\u009b1m\u202ed\u007f')).toBe('␛[2J␇a␍␊b␉c\\u009b1m\\u202ed␡')
  })

  it('keeps the lines and tabs of a text, and letters of every script', () => {
    expect(visibleLines('á\tb\r\n日本 😀\n\u001bc\r')).toEqual(['á\tb', '日本 😀', '␛c', ''])
  })

  it('never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visibleLine(text)).not.toMatch(HARMFUL)
        expect(visibleLines(text).join('\n')).not.toMatch(HARMFUL)
        expect(visibleJson({ text })).not.toMatch(HARMFUL)
      }),
    )
  })

  it('leaves JSON what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(visibleJson({ text }))).toEqual({ text })
      }),
    )
  })

  it('writes UID sets and mod-sequences, which JSON has no form for', () => {
    expect(visibleJson({ uids: UidSet.parse('1:3,7'), modSeq: 9_223_372_036_854_775_807n })).toBe(
      '{"uids":"1:3,7","modSeq":"9223372036854775807"}',
    )
  })
})
