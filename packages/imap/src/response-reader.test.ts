/** Verifies that responses are cut the same however the octets arrive, and within their limits. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolViolation } from './protocol-violation.ts'
import { parseResponse } from './response.ts'
import { type RawResponse, RESPONSE_LIMITS, ResponseReader } from './response-reader.ts'

interface Plain {
  readonly text: string
  readonly literals: readonly string[]
}

function read(chunks: readonly Buffer[], limits = RESPONSE_LIMITS): readonly Plain[] {
  const taken: Plain[] = []
  const reader = new ResponseReader(({ text, literals }: RawResponse) => {
    taken.push({ text, literals: literals.map((literal) => Buffer.from(literal).toString('latin1')) })
  }, limits)
  for (const chunk of chunks) reader.push(chunk)
  return taken
}

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 })

describe('cutting responses', () => {
  it('gives the same responses whatever the packets', () => {
    const response = fc.array(octets, { maxLength: 3 }).map((literals) => ({
      literals,
      wire: `* 1 FETCH (${literals.map((literal) => `X {${literal.length}}\r\n${literal}`).join(' ')})\r\n`,
    }))
    const stream = fc.array(response, { maxLength: 5 })
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (responses, sizes) => {
        const wire = Buffer.from(responses.map((one) => one.wire).join(''), 'latin1')
        const chunks: Buffer[] = []
        for (let at = 0, i = 0; at < wire.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1
          chunks.push(wire.subarray(at, at + size))
          at += size
        }
        expect(read(chunks)).toEqual(read([wire]))
        expect(read([wire]).map(({ literals }) => literals)).toEqual(responses.map(({ literals }) => literals))
      }),
    )
  })

  it('takes a brace at the end of a text for text', () => {
    expect(read([Buffer.from('* OK see {3}\r\nT1 NO {4}\r\n')]).map(({ text }) => text)).toEqual(['* OK see {3}', 'T1 NO {4}'])
  })

  it('ends with lines, literals and responses that are too large, before they have come', () => {
    const limits = { lineOctetsMax: 20, literalOctetsMax: 10, responseOctetsMax: 30 }
    for (const wire of [
      `* ${'x'.repeat(30)}`,
      '* 1 X {11}\r\n',
      '* 1 X {10}\r\n0123456789 X {10}\r\n',
      '* 1 X {99999999999999999999}\r\n',
    ]) {
      expect(() => read([Buffer.from(wire)], limits), wire).toThrow(ProtocolViolation)
    }
  })
})

describe('telling what a response is', () => {
  it('reads or refuses any line, and never fails otherwise', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '* ',
        '1 ',
        'FETCH ',
        '(',
        ')',
        'UID ',
        'FLAGS ',
        '"',
        '\\Seen',
        'BODY[',
        ']',
        'NIL ',
        '{3}',
        'VANISHED ',
        '(EARLIER) ',
        '1:5 ',
        'ENVELOPE ',
      ),
      fc.constantFrom(
        'MODSEQ ',
        'BODYSTRUCTURE ',
        'LIST ',
        'STATUS ',
        'ESEARCH ',
        'SEARCH ',
        'OK ',
        '[COPYUID ',
        'T1 ',
        '+ ',
        '9999999999 ',
        '*',
        ',',
        ':',
      ),
      octets,
    )
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 15 }),
        fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 2 }),
        (words, literals) => {
          try {
            parseResponse({ text: `* ${words.join('')}`, literals })
            parseResponse({ text: words.join(''), literals })
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolViolation)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('survives a structure nested without end', () => {
    const text = `* 1 FETCH (UID 5 BODYSTRUCTURE ${'('.repeat(100_000)}${')'.repeat(100_000)} FLAGS (\\Seen))`
    const response = parseResponse({ text, literals: [] })
    expect(response).toMatchObject({ kind: 'fetch', row: { uid: 5, flags: ['\\Seen'] } })
  })

  it('keeps a VANISHED of every UID as one range', () => {
    const response = parseResponse({ text: '* VANISHED (EARLIER) 1:4294967295', literals: [] })
    expect(response).toMatchObject({ kind: 'vanished', isEarlier: true, uids: { ranges: [{ first: 1, last: 4_294_967_295 }] } })
  })

  it('reads codes with lists that hold a bracket', () => {
    expect(parseResponse({ text: '* OK [PERMANENTFLAGS (a]b \\*)] kept', literals: [] })).toMatchObject({
      code: { name: 'PERMANENTFLAGS', args: '(a]b \\*)' },
      text: 'kept',
    })
  })

  it('refuses a UID that is out of range, and takes such a mod-sequence for none', () => {
    expect(() => parseResponse({ text: '* 1 FETCH (UID 4294967296)', literals: [] })).toThrow(ProtocolViolation)
    const response = parseResponse({ text: '* 1 FETCH (UID 4 MODSEQ (9223372036854775808) FLAGS ())', literals: [] })
    expect(response).toMatchObject({ kind: 'fetch', row: { uid: 4, modSeq: null, flags: [] } })
  })
})
