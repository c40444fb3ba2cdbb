/** Messages that can be told apart wherever they go, by the number in their Message-ID. */

import type { Flag } from '@tidemail/core'
import type { ReadAccount } from '@tidemail/testing'
import type { SeedMessage } from './real-account.ts'

const FIRST_DATE_MS = Date.UTC(2026, 0, 5, 10)
const MINUTE_MS = 60_000

/**
 * `bare`: without a Message-ID; `empty`: without a body; `latin`: octets above 127 in the header; `odd`: a Message-ID that is none;
 * `html`: two text parts and an attachment.
 */
export type MessageShape = 'plain' | 'bare' | 'empty' | 'latin' | 'odd' | 'html'

export interface NumberedOptions {
  readonly flags?: readonly Flag[]
  readonly shape?: MessageShape
  /** About how long the message is. */
  readonly sizeBytes?: number
}

/** Message `number`, of a date of its own. */
export function numbered(number: number, { flags = [], sizeBytes = 300, shape = 'plain' }: NumberedOptions = {}): SeedMessage {
  const header = [
    'From: Ada <ada@example.org>',
    'To: Bob <bob@example.org>',
    `Subject: Message ${number}${shape === 'latin' ? ' \xe9t\xe9 \xff' : ''}`,
    ...(shape === 'bare' ? [] : [`Message-ID: ${shape === 'odd' ? `the (${number}) "one" <>` : `<${number}@numbered.example>`}`]),
    'Date: Mon, 05 Jan 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    shape === 'html' ? 'Content-Type: multipart/mixed; boundary=tide' : 'Content-Type: text/plain; charset=us-ascii',
    '',
    ...(shape === 'empty' ? [] : [shape === 'html' ? TWO_PARTS : `This is message ${number}.`]),
  ].join('\r\n')
  const line = `${'tide and harbour '.repeat(4).trim()}\r\n`
  const isPadded = shape !== 'empty' && shape !== 'html'
  const body = isPadded ? line.repeat(Math.max(0, Math.ceil((sizeBytes - header.length) / line.length))) : ''
  return { bytes: Buffer.from(`${header}\r\n${body}`, 'latin1'), flags, internalDate: FIRST_DATE_MS + number * MINUTE_MS }
}

const TWO_PARTS = [
  '--tide',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'High water at noon.',
  '--tide',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>High water at noon.</p>',
  '--tide',
  'Content-Type: application/octet-stream; name=chart.bin',
  'Content-Disposition: attachment; filename=chart.bin',
  'Content-Transfer-Encoding: base64',
  '',
  'AAECAwQFBgcICQoLDA0ODw==',
  '--tide--',
].join('\r\n')

/** The number of a message, by its Message-ID, or by its date where it has none of ours. */
export function numberOfAny(message: { readonly messageId: string | null; readonly internalDate: number }): number {
  return numberOf(message.messageId) ?? Math.round((message.internalDate - FIRST_DATE_MS) / MINUTE_MS)
}

/** Messages `first` to `last`. */
export function numberedRange(first: number, last: number, options: NumberedOptions = {}): readonly SeedMessage[] {
  return Array.from({ length: last - first + 1 }, (_, index) => numbered(first + index, options))
}

/** The number of a message, or null for one that is not ours. */
export function numberOf(messageId: string | null): number | null {
  const found = /^<(\d+)@numbered\.example>$/.exec(messageId ?? '')
  return found === null ? null : Number(found[1])
}

/** Where each numbered message is on the server, with its flags: `INBOX \Seen`. A message that is there twice is listed twice. */
export function placesOf(account: ReadAccount): ReadonlyMap<number, readonly string[]> {
  const places = new Map<number, string[]>()
  for (const { path, messages } of account.mailboxes) {
    for (const { messageId, flags } of messages) {
      const number = numberOf(messageId)
      if (number === null) continue
      const place = [path.replace(/^INBOX\./, ''), ...flags].join(' ')
      places.set(number, [...(places.get(number) ?? []), place].sort())
    }
  }
  return places
}
