import type { MimePart } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { decodeAttached, decodeMessage, decodePart } from './decode-text.ts'

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

describe('attached messages', () => {
  const INNER = 'From: Bob <bob@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nfrom inside\r\n'

  it('are shown with their headers and text', async () => {
    const text = await decodeAttached(latin1(INNER), '7bit')
    expect(text).toMatch(/From: +Bob <bob@example.org>\nSubject: +Grüße\n[\s\S]*\nfrom inside$/)
    expect(await decodeAttached(latin1(Buffer.from(INNER).toString('base64')), 'base64')).toContain('from inside')
  })

  it.each(['', 'Content-Disposition: attachment; filename=fwd.eml\r\n'])(
    'are shown when the message is held as a whole: "%s"',
    async (disposition) => {
      const bytes = latin1(
        `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nouter\r\n--b\r\nContent-Type: message/rfc822\r\n${disposition}\r\n${INNER}\r\n--b--\r\n`,
      )
      const text = await decodeMessage(bytes)
      expect(text).toMatch(/^outer\n[\s\S]*Subject: +Grüße[\s\S]*from inside$/)
      expect(text.match(/from inside/g)).toHaveLength(1)
      expect(text.includes('[Attached message fwd.eml:]')).toBe(disposition !== '')
    },
  )

  it('end at some depth, whoever wrote them', async () => {
    const deep = `${'Content-Type: message/rfc822\r\n\r\n'.repeat(5_000)}${INNER}`
    expect(typeof (await decodeAttached(latin1(deep), '7bit'))).toBe('string')
  })
})
