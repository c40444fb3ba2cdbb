import type { MimePart } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { decodeMessage, decodePart } from './decode-text.ts'

const PLAIN: MimePart = {
  section: '1',
  type: 'text/plain',
  charset: 'utf-8',
  encoding: '7bit',
  sizeBytes: 0,
  disposition: null,
  fileName: null,
  contentId: null,
}
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('decodePart', () => {
  it('undoes base64 and the charset', async () => {
    const bytes = latin1(Buffer.from('Grüße\r\nhier', 'latin1').toString('base64'))
    expect(await decodePart({ ...PLAIN, charset: 'iso-8859-1', encoding: 'base64' }, bytes)).toBe('Grüße\r\nhier')
  })

  it('undoes quoted-printable', async () => {
    expect(await decodePart({ ...PLAIN, encoding: 'quoted-printable' }, latin1('caf=C3=A9 =\r\nau lait'))).toBe('café au lait')
  })

  it('reads UTF-8 where no charset is told, and keeps to what is told', async () => {
    const bytes = Buffer.from('Grüße, 日本')
    expect(await decodePart({ ...PLAIN, charset: null, encoding: '8bit' }, bytes)).toBe('Grüße, 日本')
    expect(await decodePart({ ...PLAIN, charset: 'US-ASCII', encoding: '7bit' }, bytes)).toBe('Grüße, 日本')
    expect(await decodePart({ ...PLAIN, charset: null, encoding: '8bit' }, latin1('Grüße'))).toBe('Grüße')
    expect(await decodePart({ ...PLAIN, charset: 'iso-8859-1', encoding: '8bit' }, Buffer.from('ü'))).toBe('Ã¼')
  })

  it('makes text of HTML, without its scripts', async () => {
    const text = await decodePart({ ...PLAIN, type: 'text/html' }, latin1('<p>One &amp; <b>two</b></p><script>alert(1)</script>'))
    expect(text).toContain('One & two')
    expect(text).not.toContain('alert')
  })

  it('does not let a part write headers of its own', async () => {
    const part = { ...PLAIN, charset: 'utf-8\r\nContent-Type: text/html', encoding: 'x\r\n\r\nfoo' }
    expect(await decodePart(part, latin1('plain <b>text</b>'))).toBe('plain <b>text</b>')
  })

  it('survives an unknown charset and broken base64', async () => {
    expect(await decodePart({ ...PLAIN, charset: 'x-none' }, latin1('text'))).toBe('text')
    expect(typeof (await decodePart({ ...PLAIN, encoding: 'base64' }, latin1('!!!')))).toBe('string')
  })
})

describe('decodeMessage', () => {
  it('gives the text of a whole message', async () => {
    expect(await decodeMessage(latin1('Subject: x\r\n\r\nHello\r\n'))).toMatch(/^Hello\s*$/)
  })

  it('gives the text of a message that is HTML only', async () => {
    expect(await decodeMessage(latin1('Content-Type: text/html\r\n\r\n<p>Hello <i>you</i></p>'))).toContain('Hello you')
  })
})
