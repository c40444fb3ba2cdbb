/** Decodes the text of a message that is held: transfer-encoding, charset, HTML as plain text, and messages within the message. */

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

/** The bytes of one part as its sender had them. */
export async function decodeBytes({ encoding }: MimePart, bytes: Uint8Array): Promise<Uint8Array> {
  if (encoding === 'base64') return Buffer.from(Buffer.from(bytes).toString('latin1'), 'base64')
  if (encoding !== 'quoted-printable') return bytes
  const header = 'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
  const [attached] = (await PostalMime.parse(Buffer.concat([Buffer.from(header), bytes]))).attachments
  return attached === undefined ? bytes : contentOf(attached.content)
}

function contentOf(content: ArrayBuffer | Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content)
}

/** The text of a whole message, as its sender wrote it, and of the messages attached to it. */
export async function decodeMessage(bytes: Uint8Array): Promise<string> {
  const { attachments } = await PostalMime.parse(bytes)
  const texts = [await textOf(bytes)]
  // Only those that are no attachments are in the text already.
  for (const { mimeType, filename, content } of attachments) {
    if (!isAttachedMessage({ type: mimeType }) || typeof content === 'string') continue
    texts.push(`${attachedHeading(filename ?? null)}\n${await decodeAttached(new Uint8Array(content), '8bit')}`)
  }
  return texts.filter((text) => text !== '').join('\n\n')
}

/** Whether the part is a message itself (RFC 2046 §5.2.1, RFC 6532 §3.7). */
export function isAttachedMessage({ type }: Pick<MimePart, 'type'>): boolean {
  return type === 'message/rfc822' || type === 'message/global'
}

/** Stands before the headers and the text of an attached message. */
export function attachedHeading(fileName: string | null): string {
  return `[Attached message${fileName === null ? '' : ` ${fileName}`}:]`
}

/** The headers and the text of an attached message, and of those within it. */
export async function decodeAttached(bytes: Uint8Array, encoding: string): Promise<string> {
  const header = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: ${token(encoding, '8bit')}\r\n\r\n`
  return textOf(Buffer.concat([Buffer.from(header), bytes]))
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
