/** Makes the decoded summary of a message, as a client would understand its ENVELOPE and BODYSTRUCTURE. */

import type { Address, Envelope, MimePart } from '@tidemail/core'
import { type EnvelopeAddress, parseAddresses } from './addresses.ts'
import { isMultipart, type MimeEntity, readEntity } from './entity.ts'
import { headerValue } from './header.ts'
import { decodedParameter } from './parameters.ts'

export interface DecodedMessage {
  readonly envelope: Envelope
  readonly parts: readonly MimePart[]
}

export function decodeMessage(bytes: Uint8Array): DecodedMessage {
  const entity = readEntity(bytes)
  return { envelope: decodeEnvelope(entity), parts: leavesOf(entity, '') }
}

/** Undoes RFC 2047; octets outside encoded words are read as UTF-8, else as Latin-1. */
export function decodeText(text: string): string {
  const joined = text.replace(/(=\?[^?\s]+\?[bq]\?[^?]*\?=)\s+(?==\?[^?\s]+\?[bq]\?[^?]*\?=)/gi, '$1')
  return joined
    .split(/(=\?[^?\s]+\?[bq]\?[^?]*\?=)/i)
    .map((piece, i) => (i % 2 === 1 ? decodeWord(piece) : decodeOctets(piece, 'utf-8')))
    .join('')
}

function decodeEnvelope({ header }: MimeEntity): Envelope {
  const text = (name: string): string | null => {
    const value = headerValue(header, name)
    return value === null ? null : decodeText(value)
  }
  const addresses = (name: string): Address[] => parseAddresses(headerValue(header, name) ?? '').flatMap(decodeAddress)
  const from = addresses('From')
  const orFrom = (list: Address[]): Address[] => (list.length === 0 ? from : list)
  const date = Date.parse(headerValue(header, 'Date')?.replace(/\([^()]*\)/g, '') ?? '')
  return {
    subject: text('Subject'),
    date: Number.isNaN(date) ? null : date,
    from,
    sender: orFrom(addresses('Sender')),
    replyTo: orFrom(addresses('Reply-To')),
    to: addresses('To'),
    cc: addresses('Cc'),
    bcc: addresses('Bcc'),
    inReplyTo: headerValue(header, 'In-Reply-To'),
    messageId: headerValue(header, 'Message-ID'),
  }
}

/** The start of a group becomes a name without an address; its end becomes nothing. */
function decodeAddress({ name, mailbox, host }: EnvelopeAddress): Address[] {
  if (mailbox === null && host === null) return []
  if (host === null || host === '') return [{ name: decodeText(name ?? mailbox ?? ''), address: null }]
  return [{ name: name === null ? null : decodeText(name), address: `${mailbox}@${host}` }]
}

function leavesOf(entity: MimeEntity, section: string): MimePart[] {
  if (!isMultipart(entity)) return [leaf(entity, section === '' ? '1' : section)]
  return entity.children.flatMap((child, i) => leavesOf(child, section === '' ? String(i + 1) : `${section}.${i + 1}`))
}

function leaf(entity: MimeEntity, section: string): MimePart {
  const disposition = entity.disposition?.value
  const fileName = (entity.disposition && decodedParameter(entity.disposition, 'filename')) ?? decodedParameter(entity, 'name')
  return {
    section,
    type: `${entity.type}/${entity.subtype}`,
    charset: entity.parameters.find(({ name }) => name === 'charset')?.value ?? null,
    encoding: entity.encoding,
    sizeBytes: entity.body.end - entity.body.start,
    // An unknown disposition is to be treated as an attachment (RFC 2183 §2.8).
    disposition: disposition === undefined || disposition === '' ? null : disposition === 'inline' ? 'inline' : 'attachment',
    fileName: fileName === null ? null : decodeText(fileName),
    contentId: headerValue(entity.header, 'Content-ID'),
  }
}

function decodeWord(word: string): string {
  const [, charset = '', encoding = '', text = ''] = /^=\?([^?*]+)[^?]*\?([bq])\?([^?]*)\?=$/i.exec(word) ?? []
  return decodeOctets(encoding.toLowerCase() === 'b' ? decodeBase64(text) : decodeQ(text), charset)
}

function decodeBase64(text: string): string {
  try {
    return atob(text)
  } catch {
    return text
  }
}

function decodeQ(text: string): string {
  return text.replace(/_/g, ' ').replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function decodeOctets(octets: string, charset: string): string {
  if (/^[\x20-\x7e\t]*$/.test(octets) && /^(utf-8|us-ascii|iso-8859|windows)/i.test(charset)) return octets
  try {
    // A character above 255 means that the text was decoded before.
    return new TextDecoder(charset, { fatal: true }).decode(
      Uint8Array.from(octets, (character) => character.charCodeAt(0) & 0xff),
    )
  } catch {
    return octets
  }
}
