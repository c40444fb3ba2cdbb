/** Reads the header of a message or part from its bytes: where it ends, and its fields, unfolded, one character an octet. */

/** A stretch of the message's bytes, `end` not included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface HeaderField {
  /** As written. */
  readonly name: string
  /** Unfolded and trimmed, one character an octet. */
  readonly value: string
  /** The whole field with its line ends. */
  readonly range: ByteRange
}

export interface Header {
  readonly fields: readonly HeaderField[]
  /** The header with the empty line that ends it. */
  readonly range: ByteRange
}

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9

export function readHeader(bytes: Uint8Array, { start, end }: ByteRange): Header {
  const fields: HeaderField[] = []
  let at = start
  let fieldStart = start
  const close = (fieldEnd: number): void => {
    const field = fieldEnd > fieldStart ? readField(bytes, { start: fieldStart, end: fieldEnd }) : null
    if (field !== null) fields.push(field)
  }
  while (at < end) {
    const lineEnd = endOfLine(bytes, at, end)
    if (isEmptyLine(bytes, at, lineEnd)) {
      close(at)
      return { fields, range: { start, end: lineEnd } }
    }
    const isFolded = bytes[at] === SPACE || bytes[at] === TAB
    if (!isFolded) {
      close(at)
      fieldStart = at
    }
    at = lineEnd
  }
  close(end)
  return { fields, range: { start, end } }
}

/** The value of the first field of that name, or null. */
export function headerValue(header: Header, name: string): string | null {
  const key = name.toLowerCase()
  return header.fields.find((field) => field.name.toLowerCase() === key)?.value ?? null
}

/** The bytes as text, one character an octet, so that nothing is lost. */
export function octetText(bytes: Uint8Array, { start, end }: ByteRange = { start: 0, end: bytes.length }): string {
  let text = ''
  for (let at = start; at < end; at += 8192) text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 8192, end)))
  return text
}

/** Where the line that begins at `start` ends, its LF included. */
export function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  const found = bytes.indexOf(LF, start)
  return found === -1 || found >= end ? end : found + 1
}

function isEmptyLine(bytes: Uint8Array, start: number, end: number): boolean {
  return (end - start === 1 && bytes[start] === LF) || (end - start === 2 && bytes[start] === CR && bytes[start + 1] === LF)
}

function readField(bytes: Uint8Array, range: ByteRange): HeaderField | null {
  const text = octetText(bytes, range)
  const colon = text.indexOf(':')
  if (colon < 1) return null
  const value = text
    .slice(colon + 1)
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim()
  return { name: text.slice(0, colon).trimEnd(), value, range }
}
