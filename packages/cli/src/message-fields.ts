/** What is told of a message: its fields as NDJSON, its line for people. */

import type { Address, MessageReference, MessageView } from '@tidemail/core'
import type { PrintedEvent } from './printer.ts'
import { visibleLine } from './visible-text.ts'

/** How the message is named in an argument: `12`, or `local:3`. */
export function nameOf(reference: MessageReference): string {
  return reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`
}

export function messageFields(message: MessageView): PrintedEvent {
  const { envelope, reference } = message
  return {
    kind: 'message',
    id: nameOf(reference),
    uid: reference.kind === 'stored' ? reference.uid : null,
    local: reference.kind === 'local' ? reference.local : null,
    flags: message.flags,
    date: isoDate(message.internalDate),
    size: message.sizeBytes,
    messageId: envelope.messageId,
    subject: envelope.subject,
    from: envelope.from.map(addressText),
    isPending: message.isPending,
  }
}

/** Columns for people; what comes from a message has its controls shown. */
export function messageLine(message: MessageView): string {
  const { envelope } = message
  return [
    nameOf(message.reference).padStart(10),
    isoDate(message.internalDate),
    String(message.sizeBytes).padStart(9),
    message.isPending ? '*' : ' ',
    (message.flags.length === 0 ? '-' : message.flags.join(' ')).padEnd(16),
    visibleLine(envelope.messageId ?? '-'),
    visibleLine(envelope.subject ?? '(no subject)'),
  ].join('  ')
}

export const MESSAGE_HEADING: string = [
  'UID'.padStart(10),
  'DATE'.padEnd(20),
  'SIZE'.padStart(9),
  ' ',
  'FLAGS'.padEnd(16),
  'MESSAGE-ID  SUBJECT',
].join('  ')

/** Seconds are all that INTERNALDATE has. */
export function isoDate(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString().replace('.000Z', 'Z')
}

export function addressText({ name, address }: Address): string {
  if (name === null || name === '') return address ?? ''
  return address === null ? name : `${name} <${address}>`
}
