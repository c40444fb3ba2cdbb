/** Verifies modified UTF-7 both ways (RFC 3501 §5.1.3). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath, decodeMailboxName, encodeMailboxName, quoteName } from './mailbox-name.ts'

describe('mailbox names', () => {
  it('are written as RFC 3501 shows', () => {
    expect(encodeMailboxName('~peter/mail/台北/日本語')).toBe('~peter/mail/&U,BTFw-/&ZeVnLIqe-')
    expect(encodeMailboxName('A & B')).toBe('A &- B')
    expect(decodeMailboxName('&Jjo-!')).toBe('☺!')
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (path) => {
        const name = encodeMailboxName(path)
        expect(name).toMatch(/^[\x20-\x7e]*$/)
        expect(decodeMailboxName(name)).toBe(path)
      }),
    )
  })

  it('are kept as they stand where they are no modified UTF-7', () => {
    for (const name of ['R&D', '&', '&AA-x', 'a&b-', '&====-']) expect(decodeMailboxName(name)).toBe(name)
  })

  it('know INBOX in any case', () => {
    expect(['inbox', 'Inbox', 'INBOX', 'inbox/a', 'inboxes'].map(canonicalPath)).toEqual([
      'INBOX',
      'INBOX',
      'INBOX',
      'inbox/a',
      'inboxes',
    ])
  })

  it('are quoted, and refused where they would be another command', () => {
    expect(quoteName('a"b\\c', 'a"b\\c')).toBe('"a\\"b\\\\c"')
    for (const path of ['a\r\nb', 'a\0', '\n']) expect(() => quoteName(path, encodeMailboxName(path))).toThrow(/line break/)
  })
})
