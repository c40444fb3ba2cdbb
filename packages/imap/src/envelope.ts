/** Reads an ENVELOPE (RFC 9051 §7.5.2). */

import type { Address, Envelope } from '@tidemail/core'
import { decodeHeaderText } from './imapflow-internals.ts'
import { decodeUtf8, type Scanner } from './scanner.ts'

/** Fields that are left out at the end are as those that are NIL; so is an envelope that is NIL itself. */
export function readEnvelope(scanner: Scanner): Envelope {
  if (!scanner.isAtOpen) {
    scanner.nstring()
    return EMPTY_ENVELOPE
  }
  scanner.open()
  const date = readText(scanner)
  const subject = readText(scanner)
  const from = readAddresses(scanner)
  const sender = readAddresses(scanner)
  const replyTo = readAddresses(scanner)
  const to = readAddresses(scanner)
  const cc = readAddresses(scanner)
  const bcc = readAddresses(scanner)
  const inReplyTo = readText(scanner)
  const messageId = readText(scanner)
  closeBehind(scanner)
  return {
    subject: subject === null ? null : decodeHeaderText(decodeUtf8(subject)),
    date: parseDate(date),
    from,
    sender,
    replyTo,
    to,
    cc,
    bcc,
    inReplyTo: trimmed(inReplyTo),
    messageId: trimmed(messageId),
  }
}

const NO_ADDRESSES: readonly Address[] = []

const EMPTY_ENVELOPE: Envelope = {
  subject: null,
  date: null,
  from: NO_ADDRESSES,
  sender: NO_ADDRESSES,
  replyTo: NO_ADDRESSES,
  to: NO_ADDRESSES,
  cc: NO_ADDRESSES,
  bcc: NO_ADDRESSES,
  inReplyTo: null,
  messageId: null,
}

function readAddresses(scanner: Scanner): readonly Address[] {
  scanner.skipSpaces()
  if (scanner.isAtClose) return NO_ADDRESSES
  if (!scanner.isAtOpen) {
    scanner.nstring()
    return NO_ADDRESSES
  }
  scanner.open()
  const addresses: Address[] = []
  for (;;) {
    scanner.skipSpaces()
    if (scanner.isAtClose) break
    if (!scanner.isAtOpen) {
      scanner.nstring()
      continue
    }
    const address = readAddress(scanner)
    if (address !== null) addresses.push(address)
  }
  scanner.close()
  return addresses
}

/** The start of a group becomes an address without a mailbox; its end becomes nothing. */
function readAddress(scanner: Scanner): Address | null {
  scanner.open()
  const name = readText(scanner)
  readText(scanner)
  const local = readText(scanner)
  const host = readText(scanner)
  closeBehind(scanner)
  const decoded = name === null ? null : decodeHeaderText(decodeUtf8(name))
  if (host === null || host === '') {
    const group = local === null || local === '' ? decoded : (decoded ?? decodeHeaderText(decodeUtf8(local)))
    return group === null || group === '' ? null : { name: group, address: null }
  }
  return { name: decoded, address: decodeUtf8(`${local ?? ''}@${host}`) }
}

function readText(scanner: Scanner): string | null {
  scanner.skipSpaces()
  return scanner.isAtClose ? null : scanner.nstring()
}

function closeBehind(scanner: Scanner): void {
  scanner.skipSpaces()
  while (!scanner.isAtClose) {
    scanner.skipValue()
    scanner.skipSpaces()
  }
  scanner.close()
}

function parseDate(text: string | null): number | null {
  if (text === null) return null
  const milliseconds = Date.parse(text)
  return Number.isNaN(milliseconds) ? null : milliseconds
}

function trimmed(text: string | null): string | null {
  const value = text === null ? '' : decodeUtf8(text.trim())
  return value === '' ? null : value
}
