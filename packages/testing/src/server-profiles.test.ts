/** The profiles say what the servers they stand in for were seen to say. */

import { describe, expect, it } from 'vitest'
import { refusalOf, serverLineMask } from './fault-proxy-mask.ts'
import { SERVER_PROFILES, type ServerProfileName, TIER_MASKS } from './server-profiles.ts'

const AFTER_LOGIN =
  '1 OK [CAPABILITY IMAP4rev1 IDLE ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-STATUS LIST-EXTENDED SPECIAL-USE LITERAL+] Logged in'
const GUID = '0123456789abcdef9876543210000127'
const ROW = '* 3 FETCH (UID 7 FLAGS () RFC822.SIZE 300 ENVELOPE (NIL NIL) BODYSTRUCTURE ("text" "plain"))'

describe('a profile', () => {
  it.each([
    ['gmail', AFTER_LOGIN, /^\* CAPABILITY IMAP4rev1 .*CONDSTORE(?!.*QRESYNC).*\r\n1 OK Logged in$/],
    ['gmail', AFTER_LOGIN, /^\* CAPABILITY .* X-GM-EXT-1\r\n/],
    ['gmail', '* OK [HIGHESTMODSEQ 12] Highest', /^\* OK \[HIGHESTMODSEQ 12\]$/],
    ['gmail', `* 1 FETCH (UID 1 X-GUID ${GUID} FLAGS ())`, /^\* 1 FETCH \(UID 1 X-GM-MSGID 11048756320171445448 FLAGS \(\)\)$/],
    ['gmail', ` NIL) X-GUID ${GUID})`, /^ NIL\) X-GM-MSGID 11048756320171445448\)$/],
    ['gmail', `* 1 FETCH (ENVELOPE (NIL "an \\"X-GUID ${GUID}"))`, /X-GUID/],
    ['microsoft365', ROW, /^\* 3 FETCH \(RFC822\.SIZE 417 UID 7 FLAGS \(\) ENVELOPE /],
    ['microsoft365', '* OK [COPYUID 55 31 6] Moved UIDs.', /^\* \[COPYUID 55 31 6\]$/],
    ['microsoft365', '* OK [PERMANENTFLAGS (\\Seen \\*)] Flags', /PERMANENTFLAGS \(\\Seen\)/],
    ['yahoo', '* LIST () "/" INBOX', /^\* LIST \(\) "\/" Inbox$/],
    ['yahoo', '* OK [HIGHESTMODSEQ 12] Highest', /HIGHESTMODSEQ 12/],
    ['icloud', AFTER_LOGIN, /^1 OK Logged in$/],
    ['fastmail', '* LIST (\\HasNoChildren \\Sent) "/" Sent', /\(\\HasNoChildren \\sent\)/],
    [
      'domino',
      ROW,
      /^\* 3 FETCH \(\(FLAGS \(\) RFC822\.SIZE 300 ENVELOPE \(NIL NIL\) BODYSTRUCTURE \("text" "plain"\)\) UID 7\)$/,
    ],
    ['uw-imap', AFTER_LOGIN, /IMAP4REV1(?!.*CONDSTORE)/],
    ['proton-bridge', '1 OK [APPENDUID 5 9] Done', /^1 OK Done$/],
    ['hmailserver', '* 1 FETCH (UID 1 RFC822.SIZE 300)', /RFC822\.SIZE 417/],
  ] as const)('%s rewrites %s', (name, line, expected) => {
    expect(said(name, line)).toMatch(expected)
  })

  it.each([
    ['7 UID FETCH 1:* (UID FLAGS X-GM-MSGID)', '7 UID FETCH 1:* (UID FLAGS X-GUID)'],
    ['7 CREATE "X-GM-MSGID"', '7 CREATE "X-GM-MSGID"'],
  ])('of Gmail sends %s as %s', (asked, sent) => {
    expect(SERVER_PROFILES.gmail.rewriteCommand?.(asked)).toBe(sent)
  })

  it('of iCloud never confirms ENABLE', () => {
    expect(said('icloud', '* ENABLED QRESYNC')).toBeNull()
  })

  it('of Zimbra understands QRESYNC and not MOVE', () => {
    const { mask } = SERVER_PROFILES.zimbra
    expect(refusalOf(mask, 'SELECT INBOX (QRESYNC (1 2))')).toBeNull()
    expect(refusalOf(mask, 'UID MOVE 1 Work')).not.toBeNull()
  })

  it('of a lower tier refuses what makes the higher one', () => {
    const { condstore, plain } = TIER_MASKS
    if (condstore === null || plain === null) throw new Error('These tiers hide something.')
    expect(refusalOf(condstore, 'SELECT INBOX (QRESYNC (1 2))')).not.toBeNull()
    expect(refusalOf(condstore, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)')).toBeNull()
    expect(refusalOf(plain, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)')).not.toBeNull()
    expect(refusalOf(plain, 'UID MOVE 1 Work')).toBeNull()
  })
})

function said(name: ServerProfileName, line: string): string | null {
  const { mask, rewriteLine } = SERVER_PROFILES[name]
  const masked = serverLineMask(mask)(line)
  return masked === null || rewriteLine === undefined ? masked : rewriteLine(masked)
}
