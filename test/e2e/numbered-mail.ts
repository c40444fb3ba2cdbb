/** Messages that can be told apart wherever they go, by the number in their Message-ID. */

import type { Flag } from '@tidemail/core'
import type { ReadAccount } from '@tidemail/testing'
import type { SeedMessage } from './real-account.ts'

const FIRST_DATE_MS = Date.UTC(2026, 0, 5, 10)
const MINUTE_MS = 60_000

export interface NumberedOptions {
  readonly flags?: readonly Flag[]
  /** About how long the message is. */
  readonly sizeBytes?: number
}

/** Message `number`, of a date of its own. */
export function numbered(number: number, { flags = [], sizeBytes = 300 }: NumberedOptions = {}): SeedMessage {
  const header = [
    'From: Ada <ada@example.org>',
    'To: Bob <bob@example.org>',
    `Subject: Message ${number}`,
    `Message-ID: <${number}@numbered.example>`,
    'Date: Mon, 05 Jan 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `This is message ${number}.`,
  ].join('\r\n')
  const line = `${'tide and harbour '.repeat(4).trim()}\r\n`
  const body = line.repeat(Math.max(0, Math.ceil((sizeBytes - header.length) / line.length)))
  return { bytes: Buffer.from(`${header}\r\n${body}`), flags, internalDate: FIRST_DATE_MS + number * MINUTE_MS }
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
