/** How a mailbox name is written on the wire: modified UTF-7, quoted (RFC 3501 §5.1.3); and read back. */

import { SyncError } from '@tidemail/core'

/** INBOX is one mailbox however it is spelled (RFC 9051 §5.1). */
export function canonicalPath(path: string): string {
  return path.length === 5 && path.toUpperCase() === 'INBOX' ? 'INBOX' : path
}

/**
 * The name of a mailbox as an argument.
 * @throws SyncError `input.bad-name` for NUL, CR and LF, which no string can hold and which would start another command.
 */
export function quoteName(path: string, name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be sent.
  if (/[\x00\r\n]/.test(path + name)) {
    throw new SyncError('input.bad-name', 'A name holds a line break or NUL, which IMAP cannot carry.')
  }
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

/** Modified UTF-7: printable ASCII as it is, `&` as `&-`, the rest as Base64 of UTF-16 between `&` and `-`. */
export function encodeMailboxName(path: string): string {
  return path.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeShifted(run)}-`))
}

/**
 * The path of a name. Modified UTF-7 has one way to write each name: what is written in another keeps its letters, for the mailbox that they
 * would read as may exist beside it.
 */
export function readMailboxName(name: string): string {
  const path = decodeMailboxName(name)
  const isModifiedUtf7 = /^[\x20-\x7e]*$/.test(name)
  return isModifiedUtf7 && encodeMailboxName(path) !== name ? name : path
}

/** Reads modified UTF-7; what is none is kept as it stands, as some servers send UTF-8 instead. */
export function decodeMailboxName(name: string): string {
  return name.replace(/&([A-Za-z0-9+,]*)-/g, (whole, shifted: string) => {
    if (shifted === '') return '&'
    const bytes = Buffer.from(shifted.replaceAll(',', '/'), 'base64')
    return bytes.length === 0 || bytes.length % 2 === 1 ? whole : bytes.swap16().toString('utf16le')
  })
}

function encodeShifted(run: string): string {
  return Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '').replaceAll('/', ',')
}
