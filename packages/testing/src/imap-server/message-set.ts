/** Reads sets of UIDs and of sequence numbers as clients write them, `*` included (RFC 9051 §9, sequence-set). */

import { UID_MAX, type UidRange, UidSet } from '@tidemail/core'
import { BadCommand } from './bad-command.ts'

/** The set, where `*` is `last`; in an empty mailbox `*` names nothing. */
export function parseMessageSet(text: string, last: number | undefined): UidSet {
  const ranges: UidRange[] = []
  for (const piece of text.split(',')) {
    const match = /^(\d{1,10}|\*)(?::(\d{1,10}|\*))?$/.exec(piece)
    if (match === null) throw new BadCommand('Invalid messageset')
    const first = numberIn(match[1] as string, last)
    const end = match[2] === undefined ? first : numberIn(match[2], last)
    if (first !== undefined && end !== undefined) ranges.push({ first, last: end })
  }
  return UidSet.fromRanges(ranges)
}

function numberIn(text: string, last: number | undefined): number | undefined {
  if (text === '*') return last
  const number = Number(text)
  if (number < 1 || number > UID_MAX) throw new BadCommand('Invalid messageset')
  return number
}
