/** Writes the bodies of sample mail: plain text, text with HTML, and attachments, of very different sizes. */

import type { Chance } from './sample-mail.ts'

export interface SampleBody {
  /** The MIME fields of the header. */
  readonly header: readonly string[]
  /** Lines without their ends, one character an octet. */
  readonly lines: readonly string[]
}

const WORDS = [
  'tide',
  'harbour',
  'käse',
  'naïve',
  'lantern',
  'über',
  'survey',
  'señal',
  'moor',
  'ebb',
  '海',
  'deck',
  'buoy',
  'rope',
] as const
const BASE64_LINE_CHARACTERS = 76

export function plainBody(chance: Chance): SampleBody {
  const lines = paragraphs(chance, 8 + Math.floor(chance.next() * 20))
  if (chance.next() < 0.5) {
    const ascii = lines.map((line) => line.replace(/[^\x20-\x7e]/g, 'e'))
    return { header: ['Content-Type: text/plain; charset=us-ascii', 'Content-Transfer-Encoding: 7bit'], lines: ascii }
  }
  return {
    header: ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable'],
    lines: lines.flatMap(quotedPrintable),
  }
}

/** multipart/alternative: the same in text and in HTML. */
export function twoFacedBody(chance: Chance): SampleBody {
  const boundary = `alt-${Math.floor(chance.next() * 1e9)}`
  const lines = paragraphs(chance, 3 + Math.floor(chance.next() * 30))
  return {
    header: [`Content-Type: multipart/alternative; boundary="${boundary}"`],
    lines: [
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      ...lines.flatMap(quotedPrintable),
      `--${boundary}`,
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      ...base64(utf8(`<html><body>${lines.map((line) => `<p>${line}</p>`).join('')}</body></html>`)),
      `--${boundary}--`,
    ],
  }
}

/** multipart/mixed: text, and one or two files, up to 40 kB as transferred; now and then a forwarded message. */
export function attachmentBody(chance: Chance): SampleBody {
  const boundary = `mix-${Math.floor(chance.next() * 1e9)}`
  const files = Array.from({ length: 1 + Math.floor(chance.next() * 2) }, (_, i) => attachedFile(chance, i + 1))
  const forwarded = chance.next() < 0.3 ? [forwardedMessage(chance)] : []
  return {
    header: [`Content-Type: multipart/mixed; boundary="${boundary}"`],
    lines: [
      'This is a message in several parts.',
      ...[textPart(chance), ...files, ...forwarded].flatMap((part) => [`--${boundary}`, ...part]),
      `--${boundary}--`,
    ],
  }
}

/** Text of a header: as it is when ASCII, else in encoded words, folded (RFC 2047). */
export function encodedWord(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  const words: string[] = []
  let current = ''
  for (const character of text) {
    if (utf8(current + character).length > 45) {
      words.push(current)
      current = ''
    }
    current += character
  }
  return [...words, current].map((word) => `=?utf-8?B?${btoa(utf8(word))}?=`).join('\r\n ')
}

function textPart(chance: Chance): string[] {
  const lines = paragraphs(chance, 3).flatMap(quotedPrintable)
  return ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '', ...lines]
}

function attachedFile(chance: Chance, number: number): string[] {
  const octets = 400 + Math.floor(chance.next() ** 3 * 18_000)
  const content = Array.from({ length: octets }, () => String.fromCharCode(Math.floor(chance.next() * 256))).join('')
  return [
    `Content-Type: application/octet-stream; name="chart-${number}.bin"`,
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="chart-${number}.bin"`,
    '',
    ...base64(content),
  ]
}

function forwardedMessage(chance: Chance): string[] {
  return [
    'Content-Type: message/rfc822',
    '',
    'From: "Emi Tanaka" <emi.tanaka@sample.example>',
    'Subject: a forwarded note',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    ...paragraphs(chance, 2).map((line) => line.replace(/[^\x20-\x7e]/g, 'e')),
  ]
}

/** Lines of up to about 70 characters. */
function paragraphs(chance: Chance, count: number): string[] {
  return Array.from({ length: count }, () => {
    const words = Array.from({ length: 4 + Math.floor(chance.next() * 7) }, () => chance.pick(WORDS))
    return `${words.join(' ')}.`
  })
}

/** The octets of the text in UTF-8, one character each. */
function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}

function base64(octets: string): string[] {
  return btoa(octets).match(new RegExp(`.{1,${BASE64_LINE_CHARACTERS}}`, 'g')) ?? []
}

/** A line in quoted-printable, with soft breaks where it grows too long (RFC 2045 §6.7). */
function quotedPrintable(line: string): string[] {
  const encoded = utf8(line).replace(
    /[^\x20-\x3c\x3e-\x7e]/g,
    (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
  const pieces = encoded.match(/(?:=[0-9A-F]{2}|.){1,24}/g) ?? ['']
  return pieces.map((piece, i) => (i < pieces.length - 1 ? `${piece}=` : piece))
}
