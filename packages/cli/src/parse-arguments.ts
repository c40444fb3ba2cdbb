/** Reads the small languages of the arguments: lists of flags, dates, sequence numbers. */

import { type Flag, parseFlag, SyncError } from '@tidemail/core'
import { InvalidArgumentError } from 'commander'

/** RFC 3339 and its shorter relatives; without an offset a time is local and a day is UTC, as in ECMAScript. */
const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** `seen,\Flagged,$Work`. @throws SyncError `input.bad-flag` */
export function parseFlags(text: string): readonly Flag[] {
  return text.split(',').map((piece) => parseFlag(piece.trim()))
}

/** Milliseconds since 1970. @throws SyncError `input.bad-date` */
export function parseDate(text: string): number {
  const match = ISO_DATE.exec(text.trim())
  const [, year, month, day] = match ?? []
  const time = match === null ? Number.NaN : Date.parse(text.trim().replace(' ', 'T').toUpperCase())
  // A day that the month does not have would silently become one of the next month.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number.isNaN(time) || Number(day) > lastDay || Number(year) < 1) {
    throw new SyncError('input.bad-date', `"${text.slice(0, 60)}" is not a date.`)
  }
  return time
}

/** `3` or `#3`. @throws SyncError `input.unknown-operation` */
export function parseSeq(text: string): number {
  const seq = Number(/^#?(\d{1,15})$/.exec(text)?.[1])
  if (!(seq >= 1)) throw new SyncError('input.unknown-operation', `"${text.slice(0, 60)}" is no number of an operation.`)
  return seq
}

/** Reads a whole number from 1 on. */
export function wholeNumber({ max }: { readonly max: number }): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= 1 && value <= max)) throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
    return value
  }
}
