/** Splits one direction of an IMAP connection into lines and literals, however the bytes were cut into chunks. */

export interface LinePiece {
  readonly kind: 'line'
  /** With its CRLF (or bare LF). */
  readonly bytes: Buffer
  /** False for what follows a literal inside the same command or response. */
  readonly isFirst: boolean
  /** Announced at the end of the line; its bytes come next. */
  readonly literal: { readonly sizeBytes: number; readonly isSynchronising: boolean } | null
}

export interface LiteralPiece {
  readonly kind: 'literal'
  /** As much of it as this chunk held. */
  readonly bytes: Buffer
}

export type Piece = LinePiece | LiteralPiece

/** A line longer than this is no IMAP that any server or client sends: 20 MiB of UIDs are 2 million messages. */
export const SPLITTER_LINE_BYTES_MAX: number = 64 * 1024 * 1024

const LITERAL_AT_END = /\{(\d{1,10})(\+?)\}$/
/** Free text may end in braces without announcing a literal (RFC 9051 §9: resp-text). */
const ENDS_IN_TEXT = /^(?:\+|\* (?:OK|NO|BAD|BYE|PREAUTH)\b|[^*+ ]+ (?:OK|NO|BAD)\b)/i
const LF = 0x0a
const CLOSING_BRACE = 0x7d

export class ImapLineSplitter {
  readonly #side: 'client' | 'server'
  #held: Buffer[] = []
  #heldBytes = 0
  #literalBytesLeft = 0
  #isFirst = true

  constructor(side: 'client' | 'server') {
    this.#side = side
  }

  /** The pieces this chunk completes, in order. Literal bytes are handed on at once, a line when its end has come. */
  push(chunk: Buffer): readonly Piece[] {
    const pieces: Piece[] = []
    let rest = chunk
    while (rest.length > 0) {
      if (this.#literalBytesLeft > 0) {
        const bytes = rest.subarray(0, this.#literalBytesLeft)
        this.#literalBytesLeft -= bytes.length
        pieces.push({ kind: 'literal', bytes })
        rest = rest.subarray(bytes.length)
        continue
      }
      const end = rest.indexOf(LF)
      if (end === -1) {
        this.#hold(rest)
        break
      }
      pieces.push(this.#line(this.#release(rest.subarray(0, end + 1))))
      rest = rest.subarray(end + 1)
    }
    return pieces
  }

  /** The server refused a synchronising literal: its bytes will never come, the next line starts a new command. */
  cancelLiteral(): void {
    this.#literalBytesLeft = 0
    this.#isFirst = true
  }

  /** Takes out what is held of an unfinished line. */
  flush(): Buffer {
    return this.#release(Buffer.alloc(0))
  }

  #line(bytes: Buffer): LinePiece {
    const isFirst = this.#isFirst
    const literal = this.#literalOf(bytes, isFirst)
    this.#literalBytesLeft = literal?.sizeBytes ?? 0
    this.#isFirst = literal === null
    return { kind: 'line', bytes, isFirst, literal }
  }

  #literalOf(bytes: Buffer, isFirst: boolean): LinePiece['literal'] {
    const end = endOfText(bytes)
    if (bytes[end - 1] !== CLOSING_BRACE) return null
    const text = bytes.toString('latin1', 0, end)
    const found = LITERAL_AT_END.exec(text)
    if (found === null || (this.#side === 'server' && isFirst && ENDS_IN_TEXT.test(text))) return null
    return { sizeBytes: Number(found[1]), isSynchronising: found[2] === '' }
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > SPLITTER_LINE_BYTES_MAX) throw new Error(`A line of more than ${SPLITTER_LINE_BYTES_MAX} bytes.`)
  }

  #release(last: Buffer): Buffer {
    if (this.#held.length === 0) return last
    const bytes = Buffer.concat([...this.#held, last])
    this.#held = []
    this.#heldBytes = 0
    return bytes
  }
}

/** Where the text of a line ends, its line end left out. */
export function endOfText(line: Buffer): number {
  if (line.at(-1) !== LF) return line.length
  return line.at(-2) === 0x0d ? line.length - 2 : line.length - 1
}
