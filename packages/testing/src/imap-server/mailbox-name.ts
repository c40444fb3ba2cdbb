/** Writes and reads mailbox names in modified UTF-7 (RFC 3501 §5.1.3). */

import { BadCommand } from './bad-command.ts'

export function encodeMailboxName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-'
    const utf16 = Buffer.from(run, 'utf16le').swap16()
    return `&${utf16.toString('base64').replace(/=+$/, '').replace(/\//g, ',')}-`
  })
}

/** @throws BadCommand for what is no modified UTF-7. */
export function decodeMailboxName(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) throw new BadCommand('Mailbox name is not valid mUTF-7')
  return text.replace(/&([^-]*)(-?)/g, (_, code: string, end: string) => {
    if (end === '' || /[^A-Za-z0-9+,]/.test(code)) throw new BadCommand('Mailbox name is not valid mUTF-7')
    if (code === '') return '&'
    const utf16 = Buffer.from(code.replace(/,/g, '/'), 'base64')
    if (utf16.length % 2 === 1) throw new BadCommand('Mailbox name is not valid mUTF-7')
    return utf16.swap16().toString('utf16le')
  })
}
