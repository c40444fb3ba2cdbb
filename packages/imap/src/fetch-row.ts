/** Reads the items of a FETCH response (RFC 9051 §7.5.2), without building what is not used. */

import { type Envelope, type Flag, type MimePart, MOD_SEQ_MAX, normaliseFlags, UID_MAX } from '@tidemail/core'
import { mimeParts } from './body-structure.ts'
import { readEnvelope } from './envelope.ts'
import { readObjectId } from './object-id.ts'
import { ProtocolViolation } from './protocol-violation.ts'
import type { Scanner } from './scanner.ts'

/** What was there; null is what was not. */
export interface FetchRow {
  uid: number | null
  flags: readonly Flag[] | null
  modSeq: bigint | null
  internalDate: number | null
  sizeBytes: number | null
  envelope: Envelope | null
  parts: readonly MimePart[] | null
  emailId: string | null
  /** `origin` is where in the section the bytes begin, as `BODY[1]<1024>` says it; null where nothing is said. */
  readonly sections: { readonly section: string; readonly origin: number | null; readonly bytes: Uint8Array | null }[]
}

/** Domino wraps items in parentheses of their own, `(UID 1 (ENVELOPE ...))`: between items, parentheses mean nothing. */
export function readFetchRow(scanner: Scanner): FetchRow {
  const row: FetchRow = {
    uid: null,
    flags: null,
    modSeq: null,
    internalDate: null,
    sizeBytes: null,
    envelope: null,
    parts: null,
    emailId: null,
    sections: [],
  }
  scanner.open()
  for (let depth = 1; depth > 0; ) {
    scanner.skipSpaces()
    if (scanner.isAtOpen) {
      scanner.open()
      depth += 1
    } else if (scanner.isAtClose) {
      scanner.close()
      depth -= 1
    } else readItem(scanner, row)
  }
  return row
}

function readItem(scanner: Scanner, row: FetchRow): void {
  const written = scanner.itemName()
  const name = written.toUpperCase()
  scanner.skipSpaces()
  switch (name) {
    case 'UID':
      row.uid = readUid(scanner)
      return
    case 'FLAGS':
      row.flags = readFlags(scanner)
      return
    case 'MODSEQ':
      row.modSeq = readModSeq(scanner)
      return
    case 'INTERNALDATE':
      row.internalDate = parseInternalDate(scanner.nstring())
      return
    case 'RFC822.SIZE':
      row.sizeBytes = scanner.number()
      return
    case 'ENVELOPE':
      row.envelope = readEnvelope(scanner)
      return
    case 'BODYSTRUCTURE':
      row.parts = mimeParts(scanner.value())
      return
    case 'EMAILID':
      row.emailId = readObjectId(scanner.value())
      return
    case 'X-GM-MSGID':
      row.emailId ??= readGmailId(scanner)
      return
  }
  const [, section, origin] = /^BODY\[([^\]]*)\](?:<(\d{1,10})>)?$/.exec(name) ?? []
  if (section !== undefined)
    row.sections.push({ section, origin: origin === undefined ? null : Number(origin), bytes: scanner.nbytes() })
  else if (!isCutBeforeNil(name) && !scanner.isAtClose) scanner.skipValue()
}

/** `BODY[1.1.1NIL`: the value stands in the name that was cut. Whose it is nobody knows. */
function isCutBeforeNil(name: string): boolean {
  return name.includes('[') && !name.includes(']') && name.endsWith('NIL')
}

/** Zero is what some write for a message that has no UID yet. */
function readUid(scanner: Scanner): number | null {
  const uid = scanner.number()
  if (uid > UID_MAX) throw new ProtocolViolation('The server sent a UID of more than 32 bits.')
  return uid === 0 ? null : uid
}

const flagLists = new Map<string, readonly Flag[]>()
const FLAG_LISTS_MAX = 4096

/** Few lists of flags occur, many times: each is read once. */
function readFlags(scanner: Scanner): readonly Flag[] {
  const from = scanner.at
  const end = scanner.text.indexOf(')', from)
  const written = scanner.text.slice(from, end + 1)
  const known = flagLists.get(written)
  if (known !== undefined) {
    scanner.at = end + 1
    return known
  }
  scanner.open()
  const flags: string[] = []
  for (;;) {
    scanner.skipSpaces()
    if (scanner.isAtClose) break
    flags.push(scanner.atom())
  }
  scanner.close()
  const list = Object.freeze(normaliseFlags(flags))
  if (flagLists.size >= FLAG_LISTS_MAX) flagLists.clear()
  flagLists.set(written, list)
  return list
}

/** `(123)`. Zero means that the message has no mod-sequence (seen from Zoho), and more than 63 bits mean nothing (RFC 7162 §3.1). */
function readModSeq(scanner: Scanner): bigint | null {
  const value = scanner.value()
  const digits = Array.isArray(value) ? value[0] : value
  if (typeof digits !== 'string' || !/^\d{1,19}$/.test(digits)) return null
  const exact = BigInt(digits)
  return exact === 0n || exact > MOD_SEQ_MAX ? null : exact
}

/** A number of 64 bits, kept apart from any EMAILID there may come to be. */
function readGmailId(scanner: Scanner): string | null {
  const value = scanner.value()
  return typeof value === 'string' && /^[1-9]\d{0,19}$/.test(value) ? `gm:${value}` : null
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DATE_TIME = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

/** `"17-Jul-1996 02:44:25 -0700"`; the day may be padded with a space. */
export function parseInternalDate(text: string | null): number | null {
  const match = DATE_TIME.exec(text ?? '')
  if (match === null) return null
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const monthIndex = MONTHS.indexOf((month as string).toLowerCase())
  if (monthIndex === -1) return null
  const utc = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second))
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000
  return sign === '-' ? utc + offsetMs : utc - offsetMs
}

/** As APPEND takes it: in UTC, with whole seconds. */
export function formatInternalDate(milliseconds: number): string {
  return `"${formatDate(milliseconds)} ${new Date(milliseconds).toISOString().slice(11, 19)} +0000"`
}

/** As SEARCH takes it: the day in UTC, `05-Jan-2026` (RFC 9051 §9, date-text). */
export function formatDate(milliseconds: number): string {
  const date = new Date(milliseconds)
  const month = MONTHS[date.getUTCMonth()] as string
  const day = String(date.getUTCDate()).padStart(2, '0')
  return `${day}-${month.charAt(0).toUpperCase()}${month.slice(1)}-${String(date.getUTCFullYear()).padStart(4, '0')}`
}
