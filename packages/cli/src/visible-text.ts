/** Makes text from elsewhere harmless for a terminal: control characters and direction overrides are shown, never obeyed. */

import { UidSet } from '@tidemail/core'

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** One line: line breaks and tabs are shown too. C0 controls become their pictures (`␛`), the others their code (`\u202e`). */
export function visibleLine(text: string): string {
  return text.replace(CONTROLS, pictureOf)
}

/** Several lines: line breaks and tabs are kept, everything else is as in {@link visibleLine}. */
export function visibleLines(text: string): string[] {
  return text.split(/\r\n|\n|\r/).map((line) => line.split('\t').map(visibleLine).join('\t'))
}

/** JSON on one line that is harmless on a terminal as well: `JSON.stringify` leaves C1 controls and overrides as they are. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value, plain).replace(UNSAFE_IN_JSON, codeOf)
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : codeOf(character)
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What JSON has no form for: mod-sequences as digits, sets as IMAP writes them. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof UidSet ? value.toString() : value
}
