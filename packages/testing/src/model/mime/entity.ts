/** Reads the MIME structure of a message from its bytes: parts by their boundaries, and messages within messages (RFC 2045, 2046). */

import { type ByteRange, endOfLine, type Header, headerValue, octetText, readHeader } from './header.ts'
import { type ParameterizedValue, parseParameterized } from './parameters.ts'

/** A message or one of its parts. */
export interface MimeEntity {
  readonly header: Header
  readonly body: ByteRange
  /** Lower case, `text` and `plain`. */
  readonly type: string
  readonly subtype: string
  readonly parameters: ParameterizedValue['parameters']
  /** Lower case. */
  readonly encoding: string
  readonly disposition: ParameterizedValue | null
  /** The parts of a multipart; the message in a message/rfc822; else empty. */
  readonly children: readonly MimeEntity[]
  /** Lines of the body. */
  readonly lines: number
}

/** Deeper parts are left unread: no mail nests so deep, and a hostile one must not exhaust the stack. */
const NESTING_MAX = 50

export function readEntity(bytes: Uint8Array): MimeEntity {
  return readAt(bytes, { start: 0, end: bytes.length }, { depth: 0, fallbackType: 'text/plain' })
}

export function isMultipart(entity: MimeEntity): boolean {
  return entity.type === 'multipart' && entity.children.length > 0
}

export function isEmbeddedMessage(entity: MimeEntity): boolean {
  return entity.type === 'message' && entity.subtype === 'rfc822' && entity.children.length > 0
}

function readAt(
  bytes: Uint8Array,
  range: ByteRange,
  { depth, fallbackType }: { depth: number; fallbackType: string },
): MimeEntity {
  const header = readHeader(bytes, range)
  const body = { start: header.range.end, end: range.end }
  const content = contentType(header, fallbackType)
  const [type = 'text', subtype = 'plain'] = content.value.split('/')
  const dispositionText = headerValue(header, 'Content-Disposition')
  const entity = {
    header,
    body,
    type,
    subtype,
    parameters: content.parameters,
    encoding: headerValue(header, 'Content-Transfer-Encoding')?.trim().toLowerCase() ?? '7bit',
    disposition: dispositionText === null ? null : parseParameterized(dispositionText),
    lines: countLines(bytes, body),
  }
  if (depth >= NESTING_MAX) return { ...entity, children: [] }
  if (type === 'message' && subtype === 'rfc822') {
    return { ...entity, children: [readAt(bytes, body, { depth: depth + 1, fallbackType: 'text/plain' })] }
  }
  const boundary = content.parameters.find(({ name }) => name === 'boundary')?.value
  if (type !== 'multipart' || boundary === undefined) return { ...entity, children: [] }
  const below = { depth: depth + 1, fallbackType: subtype === 'digest' ? 'message/rfc822' : 'text/plain' }
  return { ...entity, children: splitParts(bytes, body, boundary).map((part) => readAt(bytes, part, below)) }
}

function contentType(header: Header, fallbackType: string): ParameterizedValue {
  const text = headerValue(header, 'Content-Type')
  const parsed = text === null ? null : parseParameterized(text)
  if (parsed !== null && /^[^/\s]+\/[^/\s]+$/.test(parsed.value)) return parsed
  const isText = fallbackType === 'text/plain'
  return { value: fallbackType, parameters: isText ? [{ name: 'charset', value: 'us-ascii' }] : [] }
}

/** The parts between the delimiter lines; the line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1). */
function splitParts(bytes: Uint8Array, body: ByteRange, boundary: string): ByteRange[] {
  const parts: ByteRange[] = []
  let partStart: number | null = null
  for (let at = body.start; at < body.end; ) {
    const lineEnd = endOfLine(bytes, at, body.end)
    const delimiter = delimiterKind(bytes, { start: at, end: lineEnd }, boundary)
    if (delimiter !== 'none') {
      if (partStart !== null) parts.push({ start: partStart, end: Math.max(partStart, beforeLineEnd(bytes, at)) })
      partStart = delimiter === 'close' ? null : lineEnd
      if (delimiter === 'close') break
    }
    at = lineEnd
  }
  if (partStart !== null) parts.push({ start: partStart, end: body.end })
  return parts
}

function delimiterKind(bytes: Uint8Array, line: ByteRange, boundary: string): 'open' | 'close' | 'none' {
  if (bytes[line.start] !== 45 || bytes[line.start + 1] !== 45 || line.end - line.start > boundary.length + 80) return 'none'
  const text = octetText(bytes, line).trimEnd()
  if (text === `--${boundary}`) return 'open'
  return text === `--${boundary}--` ? 'close' : 'none'
}

function beforeLineEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at - 1] !== 10) return at
  return bytes[at - 2] === 13 ? at - 2 : at - 1
}

function countLines(bytes: Uint8Array, { start, end }: ByteRange): number {
  let lines = 0
  for (let at = start; at < end; at += 1) if (bytes[at] === 10) lines += 1
  return lines
}
