import { describe, expect, it } from 'vitest'
import { parseAddresses } from './addresses.ts'
import { readEntity } from './entity.ts'
import { sectionBytes } from './section.ts'
import { decodeMessage, decodeText } from './summary.ts'

const bytesOf = (...lines: string[]): Uint8Array => Uint8Array.from(Buffer.from(lines.join('\r\n'), 'latin1'))
const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('latin1'))

const nested = bytesOf(
  'From: "Moor, Ada" <ada@sample.example>, =?utf-8?Q?Bj=C3=B6rn?= <bjorn@sample.example>',
  'Subject: =?utf-8?B?w4Q=?=',
  ' =?utf-8?B?w5Y=?= and more',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000 (UTC)',
  'Message-ID: <1@sample.example>',
  'Content-Type: multipart/mixed; boundary="b1"',
  '',
  'preamble',
  '--b1',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'one',
  '--b1',
  'Content-Type: message/rfc822',
  "Content-Disposition: attachment; filename*=utf-8''%C3%BC.eml",
  '',
  'Subject: inner',
  'Content-Type: multipart/alternative; boundary=b2',
  '',
  '--b2',
  '',
  'inner plain',
  '--b2',
  'Content-Type: text/html',
  '',
  '<p>inner</p>',
  '--b2--',
  '--b1--',
  'epilogue',
  '',
)

describe('MIME of the model', () => {
  it('decodes envelope and leaves; an attached message is one leaf', () => {
    const { envelope, parts } = decodeMessage(nested)
    expect(envelope).toMatchObject({ subject: 'ÄÖ and more', messageId: '<1@sample.example>', date: Date.UTC(2026, 0, 1) })
    expect(envelope.from).toEqual([
      { name: 'Moor, Ada', address: 'ada@sample.example' },
      { name: 'Björn', address: 'bjorn@sample.example' },
    ])
    expect(envelope.replyTo).toEqual(envelope.from)
    expect(parts.map(({ section, type, fileName, disposition }) => [section, type, fileName, disposition])).toEqual([
      ['1', 'text/plain', null, null],
      ['2', 'message/rfc822', 'ü.eml', 'attachment'],
    ])
    expect(parts[0]?.sizeBytes).toBe(3)
  })

  it('finds sections, within attached messages too', () => {
    expect(textOf(sectionBytes(nested, '1'))).toBe('one')
    expect(textOf(sectionBytes(nested, '1.MIME'))).toBe('Content-Type: text/plain; charset=utf-8\r\n\r\n')
    expect(textOf(sectionBytes(nested, '2.1'))).toBe('inner plain')
    expect(textOf(sectionBytes(nested, '2.2'))).toBe('<p>inner</p>')
    expect(textOf(sectionBytes(nested, '2.HEADER'))).toMatch(/^Subject: inner\r\n/)
    expect(textOf(sectionBytes(nested, '2.HEADER.FIELDS (SUBJECT)'))).toBe('Subject: inner\r\n\r\n')
    expect(textOf(sectionBytes(nested, 'HEADER.FIELDS.NOT (FROM SUBJECT CONTENT-TYPE DATE)'))).toBe(
      'Message-ID: <1@sample.example>\r\n\r\n',
    )
    expect(textOf(sectionBytes(nested, 'TEXT'))).toMatch(/^preamble/)
    expect(sectionBytes(nested, '')).toEqual(nested)
    for (const missing of ['3', '1.1', '1.HEADER', '2.3', 'MIME']) expect(sectionBytes(nested, missing), missing).toBeNull()
  })

  it('reads a message without structure as one text part', () => {
    const plain = bytesOf('no header at all', '')
    expect(readEntity(plain)).toMatchObject({ type: 'text', subtype: 'plain' })
    const { envelope, parts } = decodeMessage(bytesOf('', 'body', ''))
    expect(envelope).toMatchObject({ subject: null, date: null, from: [], messageId: null })
    expect(parts).toMatchObject([{ section: '1', type: 'text/plain', sizeBytes: 6 }])
  })

  it('reads a multipart whose end is missing up to the end', () => {
    const cut = bytesOf('Content-Type: multipart/mixed; boundary=x', '', '--x', '', 'a', '--x', '', 'b')
    expect(textOf(sectionBytes(cut, '2'))).toBe('b')
  })

  it('reads groups, comments and quoted pairs in addresses', () => {
    expect(parseAddresses('friends: a@x.example, "B \\"b\\"" <b@x.example>;, c@x.example (Carol)')).toEqual([
      { name: null, mailbox: 'friends', host: null },
      { name: null, mailbox: 'a', host: 'x.example' },
      { name: 'B "b"', mailbox: 'b', host: 'x.example' },
      { name: null, mailbox: null, host: null },
      { name: 'Carol', mailbox: 'c', host: 'x.example' },
    ])
    expect(parseAddresses('')).toEqual([])
  })

  it('decodes encoded words of any charset, and leaves what it cannot decode', () => {
    expect(decodeText('=?iso-8859-1?Q?caf=E9_au_lait?=')).toBe('café au lait')
    expect(decodeText('=?no-such-charset?Q?a=E9?=')).toBe('aé')
    expect(decodeText('plain =?utf-8?B?!!?= text')).toContain('plain')
    expect(decodeText('caf\xc3\xa9')).toBe('café')
    expect(decodeText('caf\xe9')).toBe('café')
  })
})
