/** Cuts the bytes of a server into responses: a line, with the literals it announces taken out (RFC 9051 §4.3). */

import { ProtocolViolation } from './protocol-violation.ts'

/** One response. `text` holds one character per octet; each literal left its `{n}` in the text. */
export interface RawResponse {
  readonly text: string
  readonly literals: readonly Uint8Array[]
}

export interface ResponseLimits {
  readonly lineOctetsMax: number
  readonly literalOctetsMax: number
  readonly responseOctetsMax: number
}

/** A SEARCH of a million messages is one line of 8 MB; a message is one literal. */
export const RESPONSE_LIMITS: ResponseLimits = {
  lineOctetsMax: 16 * 1024 * 1024,
  literalOctetsMax: 96 * 1024 * 1024,
  responseOctetsMax: 128 * 1024 * 1024,
}

const LF = 0x0a
const CR = 0x0d
const CLOSING_BRACE = 0x7d
const LITERAL_MARKER = /\{(\d{1,20})\+?\}$/
/** The text of a status response never holds a literal, whatever it ends in. */
const STATUS_LINE = /^\S+ (?:OK|NO|BAD|BYE|PREAUTH)(?: |$)/i

/** Takes chunks of any size and gives whole responses, in order. */
export class ResponseReader {
  readonly #limits: ResponseLimits
  readonly #take: (response: RawResponse) => void
  #line = ''
  #text = ''
  #literals: Uint8Array[] = []
  #literal: Uint8Array | null = null
  #filled = 0
  #octets = 0

  constructor(take: (response: RawResponse) => void, limits: ResponseLimits = RESPONSE_LIMITS) {
    this.#take = take
    this.#limits = limits
  }

  /** @throws ProtocolViolation when a line, a literal or a response is larger than its limit. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length)
      at = this.#literal === null ? this.#readLine(chunk, at) : this.#readLiteral(this.#literal, chunk, at)
  }

  /** How much came of the response that has not ended, without the literals of it that are whole. */
  get unfinishedOctets(): number {
    return this.#text.length + this.#line.length + (this.#literal === null ? 0 : this.#filled)
  }

  #readLiteral(literal: Uint8Array, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + literal.length - this.#filled)
    literal.set(chunk.subarray(at, end), this.#filled)
    this.#filled += end - at
    if (this.#filled === literal.length) this.#closeLiteral(literal)
    return end
  }

  #closeLiteral(literal: Uint8Array): void {
    this.#literals.push(literal)
    this.#literal = null
  }

  #readLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at)
    if (end === -1) {
      this.#line += chunk.toString('latin1', at, chunk.length)
      this.#checkLine(this.#line.length)
      return chunk.length
    }
    let line = chunk.toString('latin1', at, end)
    if (this.#line !== '') {
      line = this.#line + line
      this.#line = ''
    }
    this.#checkLine(line.length)
    const last = line.length - 1
    this.#endLine(line.charCodeAt(last) === CR ? line.slice(0, last) : line)
    return end + 1
  }

  #endLine(line: string): void {
    const size = line.charCodeAt(line.length - 1) === CLOSING_BRACE ? this.#announced(line) : null
    this.#octets += line.length + (size ?? 0)
    if (this.#octets > this.#limits.responseOctetsMax) {
      throw new ProtocolViolation(`The server sent a response of more than ${this.#limits.responseOctetsMax} octets.`)
    }
    const text = this.#text === '' ? line : this.#text + line
    if (size !== null) {
      this.#text = text
      this.#filled = 0
      this.#literal = new Uint8Array(size)
      if (size === 0) this.#closeLiteral(this.#literal)
      return
    }
    const literals = this.#literals
    this.#text = ''
    this.#octets = 0
    if (literals.length > 0) this.#literals = []
    if (text !== '') this.#take({ text, literals })
  }

  /** How many octets of literal follow this line, or null for none. */
  #announced(line: string): number | null {
    const digits = LITERAL_MARKER.exec(line.slice(-24))?.[1]
    if (digits === undefined || (this.#text === '' && STATUS_LINE.test(line))) return null
    const size = Number(digits)
    if (size > this.#limits.literalOctetsMax) {
      throw new ProtocolViolation(
        `The server announced a literal of ${digits} octets; at most ${this.#limits.literalOctetsMax} are taken.`,
      )
    }
    return size
  }

  #checkLine(octets: number): void {
    if (octets > this.#limits.lineOctetsMax) {
      throw new ProtocolViolation(`The server sent a line of more than ${this.#limits.lineOctetsMax} octets.`)
    }
  }
}
