/** Tells what a response is. Anything unknown is `other` and means nothing; what is no IMAP at all throws. */

import { parseRanges, UidSet } from '@tidemail/core'
import { type FetchRow, readFetchRow } from './fetch-row.ts'
import { type NamespaceResponse, readNamespaces } from './namespace-row.ts'
import { ProtocolViolation } from './protocol-violation.ts'
import type { RawResponse } from './response-reader.ts'
import { decodeUtf8, Scanner, type Value } from './scanner.ts'

/** `[COPYUID 1 2 3]` is `{name: 'COPYUID', args: '1 2 3'}`. */
export interface ResponseCode {
  readonly name: string
  readonly args: string
}

export type Status = 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH'

/** The end of a command. */
export interface TaggedResponse {
  readonly kind: 'tagged'
  readonly tag: string
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE'
  readonly code: ResponseCode | null
  readonly text: string
}

export interface StatusResponse {
  readonly kind: 'condition'
  readonly status: Status
  readonly code: ResponseCode | null
  readonly text: string
}

export interface ListResponse {
  readonly kind: 'list'
  readonly command: 'LIST' | 'LSUB'
  /** In lower case. */
  readonly attributes: readonly string[]
  readonly delimiter: string | null
  /** As on the wire, one character per octet. */
  readonly name: string
}

export interface StatusRowResponse {
  readonly kind: 'status'
  readonly name: string
  readonly items: ReadonlyMap<string, Value>
}

export type Untagged =
  | StatusResponse
  | ListResponse
  | StatusRowResponse
  | NamespaceResponse
  | { readonly kind: 'exists'; readonly count: number }
  | { readonly kind: 'expunged' }
  | { readonly kind: 'fetch'; readonly row: FetchRow }
  | { readonly kind: 'vanished'; readonly uids: UidSet; readonly isEarlier: boolean }
  | { readonly kind: 'search'; readonly uids: UidSet; readonly tag: string | null }
  | { readonly kind: 'flags'; readonly flags: readonly string[] }
  | { readonly kind: 'enabled'; readonly names: readonly string[] }
  | { readonly kind: 'other' }

export type Response = TaggedResponse | Untagged | { readonly kind: 'continuation' }

const OTHER: Untagged = { kind: 'other' }
const TAGGED = /^([A-Za-z0-9._-]{1,64}) (OK|NO|BAD|BYE)(?: |$)/i
const CONDITIONS: ReadonlySet<string> = new Set(['OK', 'NO', 'BAD', 'BYE', 'PREAUTH'])

/** @throws ProtocolViolation when the line is no IMAP response. */
export function parseResponse(raw: RawResponse): Response {
  const { text } = raw
  if (text.startsWith('* ')) return parseUntagged(raw)
  if (text.startsWith('+')) return { kind: 'continuation' }
  // Exchange answers MOVE with a bare `[COPYUID 55 31 6]`, without `* OK`.
  if (/^\[COPYUID /i.test(text)) return { kind: 'condition', status: 'OK', ...splitCode(text) }
  const match = TAGGED.exec(text)
  if (match === null) throw new ProtocolViolation('The server sent a line that is no IMAP response.')
  const [whole, tag, status] = match as unknown as [string, string, string]
  return {
    kind: 'tagged',
    tag,
    status: status.toUpperCase() as TaggedResponse['status'],
    ...splitCode(text.slice(whole.length)),
  }
}

function parseUntagged(raw: RawResponse): Untagged {
  const scanner = new Scanner(raw, 2)
  scanner.skipSpaces()
  const first = wordAt(scanner)
  if (first.charCodeAt(0) >= 0x30 && first.charCodeAt(0) <= 0x39) return parseNumbered(scanner, first)
  const name = first.toUpperCase()
  if (CONDITIONS.has(name)) {
    return { kind: 'condition', status: name as Status, ...splitCode(raw.text.slice(scanner.at + 1)) }
  }
  scanner.skipSpaces()
  switch (name) {
    case 'LIST':
    case 'LSUB':
      return parseList(scanner, name)
    case 'STATUS':
      return parseStatusRow(scanner)
    case 'NAMESPACE':
      return readNamespaces(scanner) ?? OTHER
    case 'SEARCH':
      return { kind: 'search', uids: parseSearch(scanner.text.slice(scanner.at)), tag: null }
    case 'ESEARCH':
      return parseESearch(scanner)
    case 'VANISHED':
      return parseVanished(scanner)
    case 'FLAGS':
      return { kind: 'flags', flags: words(scanner.value()) }
    case 'ENABLED':
      return { kind: 'enabled', names: scanner.text.slice(scanner.at).toUpperCase().split(' ').filter(Boolean) }
    default:
      return OTHER
  }
}

function parseNumbered(scanner: Scanner, digits: string): Untagged {
  if (!/^\d{1,10}$/.test(digits)) throw new ProtocolViolation('The server sent a line that is no IMAP response.')
  scanner.skipSpaces()
  switch (wordAt(scanner).toUpperCase()) {
    case 'EXISTS':
      return { kind: 'exists', count: Number(digits) }
    case 'EXPUNGE':
      return { kind: 'expunged' }
    case 'FETCH': {
      scanner.skipSpaces()
      return { kind: 'fetch', row: readFetchRow(scanner) }
    }
    default:
      return OTHER
  }
}

function parseList(scanner: Scanner, command: 'LIST' | 'LSUB'): ListResponse {
  const attributes = words(scanner.value()).map((attribute) => attribute.toLowerCase())
  scanner.skipSpaces()
  const delimiter = scanner.nstring()
  scanner.skipSpaces()
  return { kind: 'list', command, attributes, delimiter: delimiter === '' ? null : delimiter, name: scanner.astring() }
}

function parseStatusRow(scanner: Scanner): StatusRowResponse {
  const name = scanner.astring()
  const items = new Map<string, Value>()
  scanner.skipSpaces()
  scanner.open()
  for (;;) {
    scanner.skipSpaces()
    if (scanner.isAtClose) return { kind: 'status', name, items }
    const item = scanner.atom().toUpperCase()
    scanner.skipSpaces()
    items.set(item, scanner.value())
  }
}

/** `2 84 882`, with `(MODSEQ 917162500)` at the end under CONDSTORE (RFC 7162 §3.1.5). */
function parseSearch(text: string): UidSet {
  const numbers = text.split(' ', text.length).filter((word) => word !== '')
  const end = numbers.findIndex((word) => word.startsWith('('))
  return guardSet(() => UidSet.from((end === -1 ? numbers : numbers.slice(0, end)).map(Number)))
}

/** `(TAG "A1") UID ALL 1:5,9 COUNT 6`: without ALL nothing was found (RFC 9051 §7.3.4). */
function parseESearch(scanner: Scanner): Untagged {
  const [name, tag] = scanner.isAtOpen ? words(scanner.value()) : []
  return { kind: 'search', uids: foundUids(scanner), tag: name?.toUpperCase() === 'TAG' && tag !== undefined ? tag : null }
}

function foundUids(scanner: Scanner): UidSet {
  for (scanner.skipSpaces(); !scanner.isAtEnd; scanner.skipSpaces()) {
    const name = scanner.atom().toUpperCase()
    if (name === 'UID') continue
    scanner.skipSpaces()
    if (name === 'ALL') return parseSet(scanner.atom())
    scanner.skipValue()
  }
  return UidSet.EMPTY
}

/** `(EARLIER) 300:310,405`. Some send an empty set. */
function parseVanished(scanner: Scanner): Untagged {
  const isEarlier = scanner.isAtOpen
  if (isEarlier) scanner.skipValue()
  scanner.skipSpaces()
  return { kind: 'vanished', uids: scanner.isAtEnd ? UidSet.EMPTY : parseSet(scanner.atom()), isEarlier }
}

function parseSet(text: string): UidSet {
  return guardSet(() => UidSet.fromRanges(parseRanges(text)))
}

function guardSet(read: () => UidSet): UidSet {
  try {
    return read()
  } catch {
    throw new ProtocolViolation('The server sent a set of UIDs that cannot be read.')
  }
}

/** Splits `[CODE args] text`. A `]` inside a list belongs to the list: Cyrus has keywords with it. */
function splitCode(text: string): { readonly code: ResponseCode | null; readonly text: string } {
  if (!text.startsWith('[')) return { code: null, text: decodeUtf8(text) }
  const first = text.indexOf(']')
  const list = text.indexOf('(')
  const end = list !== -1 && list < first ? text.indexOf(')]', list) + 1 || first : first
  if (end === -1) return { code: null, text: decodeUtf8(text) }
  const inner = text.slice(1, end).trim()
  const space = inner.indexOf(' ')
  const name = (space === -1 ? inner : inner.slice(0, space)).toUpperCase()
  return {
    code: name === '' ? null : { name, args: space === -1 ? '' : inner.slice(space + 1).trim() },
    text: decodeUtf8(text.slice(end + 1).trim()),
  }
}

/** A word of an unknown response may be anything, also nothing. */
function wordAt(scanner: Scanner): string {
  const end = scanner.text.indexOf(' ', scanner.at)
  const word = scanner.text.slice(scanner.at, end === -1 ? undefined : end)
  scanner.at += word.length
  return word
}

function words(value: Value): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : []
}
