/** Decodes the text of a message that is held: transfer-encoding, charset, and HTML as plain text. */

import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { MimePart } from '@tidemail/core'
import PostalMime from 'postal-mime'

/** The text of one part, from its bytes as transferred. */
export async function decodePart(part: MimePart, bytes: Uint8Array): Promise<string> {
  const header = [
    `Content-Type: ${token(part.type, 'text/plain')}; charset=${charsetOf(part, bytes)}`,
    `Content-Transfer-Encoding: ${token(part.encoding, '7bit')}`,
  ]
  if (part.type !== 'text/html') return textOf(Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`), bytes]))
  // Beside a text part the library turns HTML into text; alone it would leave it as it is.
  const boundary = randomUUID()
  const open = [
    `Content-Type: multipart/mixed; boundary=${boundary}`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain',
    '',
    '',
    `--${boundary}`,
  ]
  const before = Buffer.from(`${[...open, ...header].join('\r\n')}\r\n\r\n`)
  return textOf(Buffer.concat([before, bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]))
}

/** The text of a whole message, as its sender wrote it. */
export async function decodeMessage(bytes: Uint8Array): Promise<string> {
  return textOf(bytes)
}

async function textOf(bytes: Uint8Array): Promise<string> {
  const { text, html } = await PostalMime.parse(bytes)
  if (text !== undefined) return text.replace(/^(?:[ \t]*\r?\n)+/, '').trimEnd()
  if (html === undefined) return ''
  const part = { section: '1', type: 'text/html', charset: 'utf-8', encoding: '8bit' } as const
  return decodePart({ ...part, sizeBytes: 0, disposition: null, fileName: null, contentId: null }, Buffer.from(html))
}

/** What no charset is told of, or only ASCII, is UTF-8 more often than not: Courier leaves the charset out where other headers are 8-bit. */
function charsetOf({ charset, encoding }: MimePart, bytes: Uint8Array): string {
  const isTold = charset !== null && charset.toLowerCase() !== 'us-ascii'
  const isEncoded = ['base64', 'quoted-printable'].includes(encoding.toLowerCase())
  return !isTold && !isEncoded && isUtf8(bytes) ? 'utf-8' : token(charset, 'us-ascii')
}

/** What a server says of a part stands in a header that we write: nothing but a plain word gets there. */
function token(text: string | null, otherwise: string): string {
  return text !== null && /^[\w.+:/-]{1,80}$/.test(text) ? text : otherwise
}
