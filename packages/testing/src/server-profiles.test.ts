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
    ['icloud', '* VANISHED 4,7', /^\* VANISHED {2}1:7$/],
    ['icloud', '* VANISHED (EARLIER) 3:5', /^\* VANISHED \(EARLIER\) {2}1:5$/],
    ['microsoft365', AFTER_LOGIN, / ENABLE .*\bIMAP4rev2\b/],
    ['microsoft365', '7 BAD Error in IMAP command X-REFUSED: Unknown command', /^7 BAD Command Argument Error\. 11$/],
    ['yahoo', '7 BAD Error in IMAP command X-REFUSED: Unknown command', /^7 NO \[SERVERBUG\] UID SEARCH /],
    ['proton-bridge', '7 BAD Error in IMAP command X-REFUSED: Unknown command', /^7 BAD expected an atom$/],
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
    ['gmail', '7 UID FETCH 1:* (UID FLAGS X-GM-MSGID)', '7 UID FETCH 1:* (UID FLAGS X-GUID)'],
    ['gmail', '7 CREATE "X-GM-MSGID"', '7 CREATE "X-GM-MSGID"'],
    ['gmail', '7 UID STORE 2,5 +FLAGS (\\Deleted)', 'auto-7 UID STORE 2,5 +FLAGS (\\Deleted)\r\n7 UID EXPUNGE 2,5'],
    ['gmail', '7 UID STORE 2 -FLAGS (\\Deleted)', '7 UID STORE 2 -FLAGS (\\Deleted)'],
    ['microsoft365', '7 UID SEARCH KEYWORD $Later', '7 X-REFUSED'],
    ['microsoft365', '7 UID SEARCH ALL', '7 UID SEARCH ALL'],
    ['yahoo', '7 UID SEARCH UID 1:9 DELETED', '7 X-REFUSED'],
    ['yahoo', '7 UID SEARCH ALL', '7 UID SEARCH ALL'],
    ['yahoo', `7 UID FETCH ${'1,'.repeat(500)}1 (UID)`, '7 X-REFUSED'],
    ['yahoo', '7 UID FETCH 1:* (UID)', '7 UID FETCH 1:* (UID)'],
    ['proton-bridge', '7 LIST (SPECIAL-USE) "" "*"', '7 X-REFUSED'],
    ['proton-bridge', '7 LIST "" "*"', '7 LIST "" "*"'],
  ] as const)('of %s sends %s as %s', (name, asked, sent) => {
    expect(SERVER_PROFILES[name].rewriteCommand?.(asked)).toBe(sent)
  })

  it('of Gmail tells nothing of what it expunges by itself', () => {
    expect(said('gmail', 'auto-7 OK Store completed.')).toBeNull()
  })

  it.each([
    ['* OK [UIDVALIDITY 55] UIDs valid', '* OK [UIDVALIDITY 56] UIDs valid'],
    ['* STATUS Work (MESSAGES 2 UIDVALIDITY 55)', '* STATUS Work (MESSAGES 2 UIDVALIDITY 56)'],
    ['7 OK [COPYUID 55 1 2] Done', '7 OK [COPYUID 56 1 2] Done'],
  ])('of Proton says %s as %s once it was updated', (line, told) => {
    expect(SERVER_PROFILES['proton-bridge'].onceUpdated?.(line)).toBe(told)
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
