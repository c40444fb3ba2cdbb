/** Reads what FETCH asks of each message, and writes the answer for one (RFC 9051 §6.4.5, §7.5.2). */

import { UID_MAX } from '@tidemail/core'
import { gmailIdOf, type ModelMessage } from '../model/message.ts'
import { readEntity } from '../model/mime/entity.ts'
import { sectionBytes } from '../model/mime/section.ts'
import { BadCommand } from './bad-command.ts'
import { type Token, textOf } from './command-syntax.ts'
import { bodyStructure, envelope } from './mime-responses.ts'
import { flagList, internalDate } from './response-syntax.ts'
import type { Session } from './session.ts'

export type FetchItem =
  | { readonly kind: 'simple'; readonly name: SimpleItem }
  | {
      readonly kind: 'body'
      /** As the answer names it: `BODY[1.MIME]<0>`. */
      readonly label: string
      readonly section: string
      readonly partial: { readonly offset: number; readonly length: number } | null
      readonly setsSeen: boolean
    }

const SIMPLE_ITEMS = [
  'FLAGS',
  'UID',
  'INTERNALDATE',
  'RFC822.SIZE',
  'ENVELOPE',
  'BODYSTRUCTURE',
  'BODY',
  'MODSEQ',
  'EMAILID',
  'THREADID',
  'X-GM-MSGID',
] as const
export type SimpleItem = (typeof SIMPLE_ITEMS)[number]

const MACROS: Readonly<Record<string, readonly SimpleItem[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
}

/** The three items of RFC 822's time, as BODY sections. */
const OLD_ITEMS: Readonly<Record<string, { readonly section: string; readonly setsSeen: boolean }>> = {
  RFC822: { section: '', setsSeen: true },
  'RFC822.HEADER': { section: 'HEADER', setsSeen: false },
  'RFC822.TEXT': { section: 'TEXT', setsSeen: true },
}

export function readFetchItems(session: Session, token: Token): FetchItem[] {
  if (token.kind !== 'list') {
    const macro = MACROS[textOf(token).toUpperCase()]
    return macro === undefined ? [readItem(session, textOf(token))] : macro.map((name) => ({ kind: 'simple', name }))
  }
  if (token.items.length === 0) throw new BadCommand('Empty list')
  return token.items.map((item) => readItem(session, textOf(item)))
}

function readItem(session: Session, text: string): FetchItem {
  const name = text.toUpperCase()
  const simple = SIMPLE_ITEMS.find((candidate) => candidate === name)
  if (simple !== undefined) {
    if (simple === 'MODSEQ' && !session.can('CONDSTORE')) throw new BadCommand('Unknown parameter MODSEQ')
    if ((simple === 'EMAILID' || simple === 'THREADID') && !session.can('OBJECTID'))
      throw new BadCommand(`Unknown parameter ${name}`)
    if (simple === 'X-GM-MSGID' && !session.can('X-GM-EXT-1')) throw new BadCommand(`Unknown parameter ${name}`)
    return { kind: 'simple', name: simple }
  }
  const old = OLD_ITEMS[name]
  if (old !== undefined) return { kind: 'body', label: name, ...old, partial: null }
  const match = /^BODY(\.PEEK)?\[(.*)\](?:<(\d{1,10})\.(\d{1,10})>)?$/is.exec(text)
  if (match === null || !isSection(match[2] ?? '')) throw new BadCommand(`Unknown parameter ${name}`)
  const section = (match[2] ?? '').toUpperCase()
  const partial = match[3] === undefined ? null : { offset: Number(match[3]), length: Math.min(Number(match[4]), UID_MAX) }
  if (partial?.length === 0) throw new BadCommand('Invalid partial')
  const label = `BODY[${section}]${partial === null ? '' : `<${partial.offset}>`}`
  return { kind: 'body', label, section, partial, setsSeen: match[1] === undefined }
}

function isSection(text: string): boolean {
  return (
    /^(?:|(?:[1-9]\d*\.)*(?:[1-9]\d*|MIME|HEADER|TEXT|HEADER\.FIELDS(?:\.NOT)? \([^()]+\)))$/is.test(text) &&
    !/^MIME$/i.test(text)
  )
}

/** The pieces of one FETCH response, without the sequence number in front. */
export function fetchedPieces(message: ModelMessage, items: readonly FetchItem[]): (string | Uint8Array)[] {
  const pieces: (string | Uint8Array)[] = []
  for (const [i, item] of items.entries()) {
    const before = i === 0 ? '' : ' '
    if (item.kind === 'simple') {
      pieces.push(`${before}${simpleItem(message, item.name)}`)
      continue
    }
    const bytes = bodyBytes(message, item)
    pieces.push(`${before}${item.label} {${bytes.length}}\r\n`, bytes)
  }
  return pieces
}

function simpleItem(message: ModelMessage, name: SimpleItem): string {
  switch (name) {
    case 'FLAGS':
      return `FLAGS ${flagList(message.flags)}`
    case 'UID':
      return `UID ${message.uid}`
    case 'INTERNALDATE':
      return `INTERNALDATE ${internalDate(message.internalDate)}`
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${message.bytes.length}`
    case 'ENVELOPE':
      return `ENVELOPE ${envelope(readEntity(message.bytes))}`
    case 'BODYSTRUCTURE':
      return `BODYSTRUCTURE ${bodyStructure(readEntity(message.bytes), { isExtended: true })}`
    case 'BODY':
      return `BODY ${bodyStructure(readEntity(message.bytes), { isExtended: false })}`
    case 'MODSEQ':
      return `MODSEQ (${message.modSeq})`
    case 'EMAILID':
      return `EMAILID (${message.emailId})`
    case 'THREADID':
      return 'THREADID NIL'
    case 'X-GM-MSGID':
      return `X-GM-MSGID ${gmailIdOf(message)}`
  }
}

/** A section that the message does not have is empty, as on Dovecot. */
function bodyBytes({ bytes }: ModelMessage, { section, partial }: FetchItem & { readonly kind: 'body' }): Uint8Array {
  const whole = sectionBytes(bytes, section) ?? new Uint8Array(0)
  if (partial === null) return whole
  return whole.subarray(Math.min(partial.offset, whole.length), Math.min(partial.offset + partial.length, whole.length))
}
