/** Reads the grammar of one response from left to right: atoms, strings, literals and lists (RFC 9051 §9). */

import { ProtocolViolation } from './protocol-violation.ts'
import type { RawResponse } from './response-reader.ts'

/** A parsed value: text holds one character per octet, see {@link decodeUtf8}. */
export type Value = string | null | readonly Value[]

const SPACE = 0x20
const QUOTE = 0x22
const OPEN = 0x28
const CLOSE = 0x29
const BACKSLASH = 0x5c
const OPENING_BRACKET = 0x5b
const BRACE = 0x7b
const TILDE = 0x7e
/** A section, with or without its end. */
const SECTION = /\[(?:[^\][{"() ]| ?\([^)]*\))*\]?/y
/** Deeper lists are read over, not built: a MIME structure may be nested by whoever wrote the message. */
const NESTING_DEPTH_MAX = 64

export class Scanner {
  readonly text: string
  at: number
  readonly #literals: readonly Uint8Array[]
  #literal = 0

  constructor(raw: RawResponse, at = 0) {
    this.text = raw.text
    this.#literals = raw.literals
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  get next(): number {
    return this.text.charCodeAt(this.at)
  }

  get isAtOpen(): boolean {
    return this.next === OPEN
  }

  get isAtClose(): boolean {
    return this.next === CLOSE
  }

  skipSpaces(): void {
    while (this.next === SPACE) this.at += 1
  }

  open(): void {
    this.#expect(OPEN, 'an opening parenthesis')
  }

  close(): void {
    this.#expect(CLOSE, 'a closing parenthesis')
  }

  /** Everything up to a space, a parenthesis or the end. */
  atom(): string {
    const from = this.at
    let at = from
    for (; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at)
      if (code === SPACE || code === OPEN || code === CLOSE) break
    }
    if (at === from) throw new ProtocolViolation('The server left out a word where one must be.')
    this.at = at
    return this.text.slice(from, at)
  }

  number(): number {
    const word = this.atom()
    const value = Number(word)
    if (!/^\d{1,15}$/.test(word)) throw new ProtocolViolation('The server left out a number where one must be.')
    return value
  }

  /**
   * The name of a FETCH item, whose section may hold a list: `BODY[HEADER.FIELDS (DATE)]<0>`. Cyrus cuts a long one, and the bracket
   * with it: then the name ends where the value begins.
   */
  itemName(): string {
    const from = this.at
    let at = from
    for (; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at)
      if (code === SPACE || code === OPEN || code === CLOSE) break
      if (code !== OPENING_BRACKET) continue
      SECTION.lastIndex = at
      const section = SECTION.exec(this.text)?.[0] ?? '['
      at += section.length
      if (!section.endsWith(']')) break
      at -= 1
    }
    if (at === from) throw new ProtocolViolation('The server left out the name of a FETCH item.')
    this.at = at
    return this.text.slice(from, at)
  }

  /** A string, a literal, an atom, or NIL. */
  nstring(): string | null {
    const code = this.next
    if (code === QUOTE) return this.#quoted()
    if (this.#isAtLiteral(code)) return latin1(this.#takeLiteral())
    const word = this.atom()
    return word.length === 3 && word.toUpperCase() === 'NIL' ? null : word
  }

  /** A string that may not be NIL: a mailbox named `NIL` is written as an atom by some. */
  astring(): string {
    const code = this.next
    if (code === QUOTE) return this.#quoted()
    return this.#isAtLiteral(code) ? latin1(this.#takeLiteral()) : this.atom()
  }

  /** The octets of a string or literal, a copy of their own; null for NIL. */
  nbytes(): Uint8Array | null {
    if (this.#isAtLiteral(this.next)) return this.#takeLiteral()
    const text = this.nstring()
    return text === null ? null : Uint8Array.from(text, (character) => character.charCodeAt(0))
  }

  /** Any value. A list nested deeper than the bound becomes null. */
  value(depth = 0): Value {
    if (!this.isAtOpen) return this.nstring()
    if (depth >= NESTING_DEPTH_MAX) {
      this.skipValue()
      return null
    }
    const values: Value[] = []
    this.at += 1
    for (;;) {
      this.skipSpaces()
      if (this.isAtClose) {
        this.at += 1
        return values
      }
      if (this.isAtEnd) throw new ProtocolViolation('The server did not close a parenthesis.')
      values.push(this.value(depth + 1))
    }
  }

  /** Reads over a value, however deep. */
  skipValue(): void {
    let depth = 0
    do {
      this.skipSpaces()
      if (this.isAtEnd) throw new ProtocolViolation('The server did not close a parenthesis.')
      if (this.isAtOpen) {
        depth += 1
        this.at += 1
      } else if (this.isAtClose) {
        if (depth === 0) throw new ProtocolViolation('The server closed a parenthesis that was not open.')
        depth -= 1
        this.at += 1
      } else this.nstring()
    } while (depth > 0)
  }

  #expect(code: number, what: string): void {
    if (this.next !== code) throw new ProtocolViolation(`The server left out ${what}.`)
    this.at += 1
  }

  #quoted(): string {
    const from = this.at + 1
    let end = this.text.indexOf('"', from)
    if (end === -1) throw new ProtocolViolation('The server did not close a quoted string.')
    const plain = this.text.slice(from, end)
    if (!plain.includes('\\')) {
      this.at = end + 1
      return plain
    }
    let unquoted = ''
    for (end = from; end < this.text.length; end += 1) {
      const code = this.text.charCodeAt(end)
      if (code === QUOTE) {
        this.at = end + 1
        return unquoted
      }
      if (code === BACKSLASH) end += 1
      unquoted += this.text.charAt(end)
    }
    throw new ProtocolViolation('The server did not close a quoted string.')
  }

  #isAtLiteral(code: number): boolean {
    return code === BRACE || (code === TILDE && this.text.charCodeAt(this.at + 1) === BRACE)
  }

  #takeLiteral(): Uint8Array {
    const end = this.text.indexOf('}', this.at)
    const literal = this.#literals[this.#literal]
    if (end === -1 || literal === undefined) throw new ProtocolViolation('The server announced a literal inside a line.')
    this.#literal += 1
    this.at = end + 1
    return literal
  }
}

/** Text of one character per octet as UTF-8; octets that are no UTF-8 are read as Latin-1, so that nothing is lost. */
export function decodeUtf8(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what tells ASCII from the rest.
  if (!/[^\x00-\x7f]/.test(text)) return text
  const decoded = Buffer.from(text, 'latin1').toString('utf8')
  return decoded.includes('\ufffd') ? text : decoded
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
