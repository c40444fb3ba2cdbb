/** Reads what the view shows of a message made here, before the server has named it. */

import {
  type Address,
  bodyId,
  type Envelope,
  type Flag,
  type LocalMessage,
  normaliseFlags,
  parseFlag,
  SyncError,
} from '@tidemail/core'
import PostalMime, { type Address as ParsedAddress } from 'postal-mime'
import type { NewMessage } from './api.ts'
import { sha256Hex } from './digest.ts'

/** The largest message that can be queued, in octets. */
export const APPEND_BYTES_MAX = 67_108_864

export interface NewLocalMessage {
  readonly bytes: Uint8Array
  readonly digest: string
  readonly message: Omit<LocalMessage, 'local'>
}

/**
 * Checks the bytes, gives them CRLF line ends, and reads their header.
 * @throws SyncError `input.bad-message`, `input.message-too-large`, `input.bad-flag`, `input.bad-date`
 */
export async function newLocalMessage(message: Omit<NewMessage, 'to'>, now: number): Promise<NewLocalMessage> {
  if (message.bytes.length > APPEND_BYTES_MAX) {
    throw new SyncError(
      'input.message-too-large',
      `The message has ${message.bytes.length} octets; at most ${APPEND_BYTES_MAX} can be queued.`,
    )
  }
  if (message.bytes.length === 0) throw new SyncError('input.bad-message', 'The message is empty.')
  if (message.bytes.includes(0))
    throw new SyncError('input.bad-message', 'The message holds a NUL octet, which IMAP cannot carry.')
  const internalDate = Math.floor((message.internalDate ?? now) / 1000) * 1000
  if (!Number.isFinite(internalDate) || internalDate < 0 || internalDate > YEAR_9999_MS) {
    throw new SyncError('input.bad-date', 'The date of the message is outside the years 1970 to 9999.')
  }
  const bytes = withCrlf(message.bytes)
  const digest = await sha256Hex(bytes)
  const flags: Flag[] = normaliseFlags((message.flags ?? []).map(parseFlag))
  return {
    bytes,
    digest,
    message: {
      bodyId: bodyId(digest),
      flags,
      internalDate,
      sizeBytes: bytes.length,
      envelope: await envelopeOf(bytes),
      parts: [],
      emailId: null,
    },
  }
}

const YEAR_9999_MS = 253_402_300_799_000
const HEADER_BYTES_MAX = 262_144
const CR = 13
const LF = 10

/** IMAP carries lines that end in CRLF; Cyrus refuses others. Nothing else of the message is altered. */
function withCrlf(bytes: Uint8Array): Uint8Array {
  let bare = 0
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i] === LF && bytes[i - 1] !== CR) bare += 1
  if (bare === 0) return bytes.slice()
  const out = new Uint8Array(bytes.length + bare)
  let at = 0
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number
    if (byte === LF && bytes[i - 1] !== CR) {
      out[at] = CR
      at += 1
    }
    out[at] = byte
    at += 1
  }
  return out
}

async function envelopeOf(bytes: Uint8Array): Promise<Envelope> {
  const header = bytes.subarray(0, Math.min(headerLength(bytes), HEADER_BYTES_MAX))
  const mail = await PostalMime.parse(header).catch((cause: unknown) => {
    throw new SyncError('input.bad-message', 'The header of the message cannot be read.', { cause })
  })
  const date = mail.date === undefined ? Number.NaN : Date.parse(mail.date)
  return {
    subject: mail.subject ?? null,
    date: Number.isNaN(date) ? null : date,
    from: addresses(mail.from === undefined ? [] : [mail.from]),
    sender: addresses(mail.sender === undefined ? [] : [mail.sender]),
    replyTo: addresses(mail.replyTo ?? []),
    to: addresses(mail.to ?? []),
    cc: addresses(mail.cc ?? []),
    bcc: addresses(mail.bcc ?? []),
    inReplyTo: mail.inReplyTo ?? null,
    messageId: mail.messageId ?? null,
  }
}

function headerLength(bytes: Uint8Array): number {
  for (let i = 3; i < bytes.length; i += 1) {
    if (bytes[i] === LF && bytes[i - 1] === CR && bytes[i - 2] === LF && bytes[i - 3] === CR) return i + 1
  }
  return bytes.length
}

function addresses(parsed: readonly ParsedAddress[]): Address[] {
  return parsed.flatMap((entry) =>
    (entry.group ?? [entry]).map(({ name, address }) => ({ name: name === '' ? null : name, address: address ?? null })),
  )
}
