/** Writes values as IMAP responses carry them: strings, flags, dates, sets (RFC 9051 §9). */

import type { Flag } from '@tidemail/core'
import { encodeMailboxName } from './mailbox-name.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** A string as quoted, or as a literal where it cannot be quoted; the text holds one character an octet. */
export function imapString(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && text.length < 1000) return `"${text.replace(/["\\]/g, '\\$&')}"`
  return `{${text.length}}\r\n${text}`
}

export function nstring(text: string | null): string {
  return text === null ? 'NIL' : imapString(text)
}

export function mailboxName(path: string): string {
  const name = encodeMailboxName(path)
  return /^[A-Za-z0-9_./&,+-]+$/.test(name) && name.toUpperCase() !== 'NIL' ? name : imapString(name)
}

export function flagList(flags: readonly Flag[]): string {
  return `(${flags.join(' ')})`
}

/** `"01-Feb-2026 10:00:00 +0000"`. */
export function internalDate(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${String(date.getUTCFullYear()).padStart(4, '0')}`
  return `"${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000"`
}

/** Reads a date-time as APPEND writes it, or null. */
export function parseDateTime(text: string): number | null {
  const match = /^\s?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text)
  if (match === null) return null
  const [day, month, year, hour, minute, second] = [match[1], monthOf(match[2]), match[3], match[4], match[5], match[6]].map(
    Number,
  )
  if (month === undefined || month < 0) return null
  const zoneMinutes = (Number(match[8]) * 60 + Number(match[9])) * (match[7] === '-' ? -1 : 1)
  return Date.UTC(Number(year), month, day, hour, minute, second) - zoneMinutes * 60_000
}

/** Reads `1-Feb-2026` as SEARCH writes it: the start of that day in UTC, or null. */
export function parseDate(text: string): number | null {
  const match = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text)
  const month = monthOf(match?.[2])
  return match === null || month < 0 ? null : Date.UTC(Number(match[3]), month, Number(match[1]))
}

function monthOf(name: string | undefined): number {
  return MONTHS.findIndex((month) => month.toLowerCase() === name?.toLowerCase())
}
