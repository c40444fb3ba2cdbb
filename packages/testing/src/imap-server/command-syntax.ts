/** Turns the text and literals of a command into tokens, and reads arguments from them (RFC 9051 §9). */

import { BadCommand } from './bad-command.ts'
import { decodeMailboxName } from './mailbox-name.ts'

export type Token =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'literal'; readonly octets: Uint8Array }
  | { readonly kind: 'list'; readonly items: readonly Token[] }

const NESTING_MAX = 50

/** Reads a whole command: pieces of text, and between them the literals. */
export function tokenize(pieces: readonly (string | Uint8Array)[]): Token[] {
  const root: Token[] = []
  const open: Token[][] = [root]
  const top = (): Token[] => open.at(-1) as Token[]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      top().push({ kind: 'literal', octets: piece })
      continue
    }
    for (let at = 0; at < piece.length; ) {
      const character = piece[at] as string
      if (character === ' ') at += 1
      else if (character === '(') {
        const items: Token[] = []
        top().push({ kind: 'list', items })
        if (open.push(items) > NESTING_MAX) throw new BadCommand('Too many parentheses')
        at += 1
      } else if (character === ')') {
        if (open.length === 1) throw new BadCommand('Unexpected )')
        open.pop()
        at += 1
      } else if (character === '"') at = readQuoted(piece, at, top())
      else at = readAtom(piece, at, top())
    }
  }
  if (open.length > 1) throw new BadCommand('Missing )')
  return root
}

function readQuoted(text: string, start: number, into: Token[]): number {
  const match = /"((?:\\["\\]|[^"\\\r\n])*)"/y
  match.lastIndex = start
  const found = match.exec(text)
  if (found === null) throw new BadCommand('Missing "')
  into.push({ kind: 'quoted', text: (found[1] as string).replace(/\\(.)/g, '$1') })
  return match.lastIndex
}

/** An atom; `BODY[HEADER.FIELDS (A B)]<0.9>` counts as one. */
function readAtom(text: string, start: number, into: Token[]): number {
  let at = start
  while (at < text.length && !' ()"'.includes(text[at] as string)) {
    if (text[at] === '[') {
      const close = text.indexOf(']', at)
      if (close === -1) throw new BadCommand('Missing ]')
      at = close
    }
    at += 1
  }
  into.push({ kind: 'atom', text: text.slice(start, at) })
  return at
}

/** Takes the arguments of a command one by one; what does not fit is a {@link BadCommand}. */
export class Arguments {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isEmpty(): boolean {
    return this.#next >= this.#tokens.length
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  take(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new BadCommand('Missing arguments')
    this.#next += 1
    return token
  }

  atom(): string {
    const token = this.take()
    if (token.kind !== 'atom') throw new BadCommand('Invalid arguments')
    return token.text
  }

  /** An atom or a string, one character an octet. */
  text(): string {
    return textOf(this.take())
  }

  mailbox(): string {
    return decodeMailboxName(this.text())
  }

  list(): readonly Token[] {
    const token = this.take()
    if (token.kind !== 'list') throw new BadCommand('Invalid arguments')
    return token.items
  }

  /** The list, when the next argument is one. */
  optionalList(): readonly Token[] | null {
    return this.peek()?.kind === 'list' ? this.list() : null
  }

  /** Whether the next argument is this atom; takes it then. */
  accept(word: string): boolean {
    const token = this.peek()
    if (token?.kind !== 'atom' || token.text.toUpperCase() !== word) return false
    this.#next += 1
    return true
  }

  rest(): readonly Token[] {
    const rest = this.#tokens.slice(this.#next)
    this.#next = this.#tokens.length
    return rest
  }

  end(): void {
    if (!this.isEmpty) throw new BadCommand('Too many arguments')
  }
}

export function textOf(token: Token): string {
  if (token.kind === 'list') throw new BadCommand('Invalid arguments')
  return token.kind === 'literal' ? Buffer.from(token.octets).toString('latin1') : token.text
}

/** The words of a list of atoms, in upper case. */
export function wordsOf(tokens: readonly Token[]): string[] {
  return tokens.map((token) => textOf(token).toUpperCase())
}

export function numberOf(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new BadCommand('Invalid number')
  return Number(text)
}

/** A mod-sequence as the client writes it: 0 is allowed in UNCHANGEDSINCE (RFC 7162 §7). */
export function modSeqOf(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new BadCommand('Invalid modseq')
  return BigInt(text)
}
