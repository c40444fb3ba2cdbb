/** Profiles of servers that cannot be run here: what a capable server behind the proxy hides, claims, refuses and says wrongly to stand in for each. */

import type { RewriteCommandLine, RewriteServerLine, ServerMask } from './fault-proxy-mask.ts'
import { gmailIdsAsked, gmailIdsTold } from './gmail-ids.ts'
import {
  expungingUntold,
  expungingWhatIsDeleted,
  otherUidValidities,
  refusalsToldAs,
  refusing,
  vanishedTooWide,
} from './server-defects.ts'
import { SERVER_MASKS } from './server-masks.ts'

export type ServerProfileName =
  | 'gmail'
  | 'microsoft365'
  | 'yahoo'
  | 'icloud'
  | 'fastmail'
  | 'domino'
  | 'uw-imap'
  | 'zimbra'
  | 'proton-bridge'
  | 'hmailserver'
  | 'bare'

/** The settings of a proxy that stands in for a server. */
export interface StandIn {
  readonly mask: ServerMask
  readonly rewriteLine?: RewriteServerLine
  readonly rewriteCommand?: RewriteCommandLine
  readonly refuse?: readonly string[]
  /** What is told otherwise, on top of the rest, once the server was updated. */
  readonly onceUpdated?: RewriteServerLine
}

/** How the server resynchronises a mailbox: by the least of what it has. */
export type MaskedTier = 'qresync' | 'condstore' | 'plain'

const BOTH =
  'SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT MULTIAPPEND CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED ESEARCH'.split(
    ' ',
  )
const WITHOUT_MOD_SEQUENCES = [
  ...BOTH,
  ...'ESORT SEARCHRES WITHIN LIST-STATUS BINARY MOVE PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE CREATE-SPECIAL-USE OBJECTID QUOTA'.split(
    ' ',
  ),
]

/** Everything but what makes a tier better than this one; null where nothing is hidden. */
export const TIER_MASKS: Readonly<Record<MaskedTier, ServerMask | null>> = {
  qresync: null,
  condstore: { capabilities: [...WITHOUT_MOD_SEQUENCES, 'CONDSTORE'] },
  plain: { capabilities: WITHOUT_MOD_SEQUENCES, strip: ['HIGHESTMODSEQ', 'NOMODSEQ', 'MODSEQ', 'MODIFIED'] },
}

export const SERVER_PROFILES: Readonly<Record<ServerProfileName, StandIn>> = {
  /**
   * CONDSTORE without QRESYNC; HIGHESTMODSEQ without a text behind it; capabilities untagged after login; contents are named by X-GM-MSGID; what is marked
   * as \Deleted is expunged at once.
   */
  gmail: {
    mask: { ...SERVER_MASKS.gmail, claims: ['X-GM-EXT-1'] },
    rewriteLine: inTurn(expungingUntold, capabilitiesUntagged, codesWithoutText, gmailIdsTold),
    rewriteCommand: (line) => expungingWhatIsDeleted(gmailIdsAsked(line)),
  },
  /** Wrong RFC822.SIZE, told first; response codes that no OK precedes; no keywords of one's own, and no search for them; claims IMAP4rev2. */
  microsoft365: {
    mask: { ...SERVER_MASKS.exchange, claims: [...(SERVER_MASKS.exchange.claims ?? []), 'ENABLE', 'IMAP4rev2'] },
    rewriteLine: inTurn(refusalsToldAs('BAD Command Argument Error. 11'), sizesWrong, sizeFirst, copyUidWithoutStatus),
    rewriteCommand: refusing(/^(?:UID )?SEARCH .*\b(?:UN)?KEYWORD /i),
  },
  /** HIGHESTMODSEQ without CONDSTORE, no IDLE, and `Inbox`; no search for more than UIDs works, and no line of more than 1,000 octets. */
  yahoo: {
    mask: SERVER_MASKS.yahoo,
    rewriteLine: inTurn(refusalsToldAs('NO [SERVERBUG] UID SEARCH Server error - Please try again later'), inboxInAnotherCase),
    rewriteCommand: refusing(/^(?:UID )?SEARCH (?!(?:ALL|UID \S+)$)|^.{999}/i),
  },
  /** ENABLE is never confirmed, and what can be done after login must be asked for; VANISHED names what is there. */
  icloud: { mask: SERVER_MASKS.icloud, rewriteLine: inTurn(loginWithoutCapabilities, vanishedTooWide) },
  /** A Cyrus: QRESYNC, special uses in lower case. */
  fastmail: {
    mask: {
      capabilities:
        'LITERAL+ ID ENABLE BINARY CATENATE CHILDREN CONDSTORE ESEARCH LIST-EXTENDED LIST-STATUS MOVE MULTIAPPEND NAMESPACE QRESYNC QUOTA SORT SPECIAL-USE UIDPLUS UNSELECT WITHIN IDLE SASL-IR'.split(
          ' ',
        ),
      claims: ['X-REPLICATION', 'XLIST', 'XMOVE'],
    },
    rewriteLine: specialUsesInLowerCase,
  },
  /** Neither IDLE, UNSELECT nor MOVE; lists within lists in FETCH, the UID last. */
  domino: { mask: SERVER_MASKS.domino, rewriteLine: inTurn(uidLast, itemsInAnotherList) },
  /** No CONDSTORE, MOVE or ENABLE; capabilities in upper case. */
  'uw-imap': {
    mask: {
      capabilities: 'I18NLEVEL=1 LITERAL+ IDLE UIDPLUS NAMESPACE CHILDREN BINARY UNSELECT ESEARCH WITHIN SORT MULTIAPPEND'.split(
        ' ',
      ),
      claims: ['MAILBOX-REFERRALS', 'SCAN'],
      strip: ['HIGHESTMODSEQ', 'NOMODSEQ', 'MODSEQ', 'MODIFIED', 'SPECIAL-USE'],
    },
    rewriteLine: (line) => line.replace(/\bIMAP4rev1\b/, 'IMAP4REV1'),
  },
  /** QRESYNC without MOVE and SPECIAL-USE; the names of some abilities are those of drafts. */
  zimbra: {
    mask: {
      capabilities:
        'ACL BINARY CATENATE CHILDREN CONDSTORE ENABLE ESEARCH ESORT I18NLEVEL=1 ID IDLE LIST-EXTENDED LITERAL+ MULTIAPPEND NAMESPACE QRESYNC QUOTA SASL-IR SORT UIDPLUS UNSELECT WITHIN'.split(
          ' ',
        ),
      claims: ['X-DRAFT-I05-SEARCHRES', 'XLIST'],
      strip: ['SPECIAL-USE'],
    },
  },
  /** UIDPLUS is advertised, and neither is UID EXPUNGE understood nor APPENDUID given; SPECIAL-USE, and no LIST is to ask for it; an update brings new UIDs. */
  'proton-bridge': {
    mask: {
      capabilities: 'UNSELECT SASL-IR UIDPLUS MOVE SPECIAL-USE LITERAL+ ID QUOTA IDLE'.split(' '),
      claims: ['IMPORTANT', 'APPENDLIMIT=26214400'],
      strip: ['HIGHESTMODSEQ', 'NOMODSEQ', 'MODSEQ', 'MODIFIED', 'APPENDUID'],
    },
    refuse: ['UID EXPUNGE'],
    rewriteCommand: refusing(/^LIST .*SPECIAL-USE/i),
    rewriteLine: refusalsToldAs('BAD expected an atom'),
    onceUpdated: otherUidValidities,
  },
  hmailserver: { mask: SERVER_MASKS.hmailserver, rewriteLine: sizesWrong },
  bare: { mask: SERVER_MASKS.bare },
}

function inTurn(...rewrites: readonly RewriteServerLine[]): RewriteServerLine {
  return (line) => rewrites.reduce<string | null>((text, rewrite) => (text === null ? null : rewrite(text)), line)
}

function capabilitiesUntagged(line: string): string {
  return line.replace(/^([^*+ ]\S* OK )\[(CAPABILITY [^\]]*)\] ?/, '* $2\r\n$1')
}

function loginWithoutCapabilities(line: string): string {
  return line.replace(/^([^*+ ]\S* OK )\[CAPABILITY [^\]]*\] ?/, '$1')
}

function codesWithoutText(line: string): string {
  return line.replace(/^(\* OK \[HIGHESTMODSEQ \d+\]).*$/, '$1')
}

const SIZE_ERROR = 117

function sizesWrong(line: string): string {
  return line.replace(/\bRFC822\.SIZE (\d+)/, (_all, size: string) => `RFC822.SIZE ${Number(size) + SIZE_ERROR}`)
}

function sizeFirst(line: string): string {
  return line.replace(/^(\* \d+ FETCH \()(.+?) (RFC822\.SIZE \d+)/, '$1$3 $2')
}

function copyUidWithoutStatus(line: string): string {
  return line.replace(/^\* OK (\[COPYUID [^\]]*\]).*$/, '* $1')
}

function inboxInAnotherCase(line: string): string {
  return line.replace(/^(\* (?:LIST|LSUB) .* |\* STATUS )"?INBOX"?(?=$| \()/, '$1Inbox')
}

function specialUsesInLowerCase(line: string): string {
  return /^\* LIST /.test(line)
    ? line.replace(/\\(?:Archive|Drafts|Junk|Sent|Trash)\b/g, (attribute) => attribute.toLowerCase())
    : line
}

/** Only where the response is one line. */
function uidLast(line: string): string {
  return line.replace(/^(\* \d+ FETCH \()(UID \d+) (.+)\)$/, '$1$3 $2)')
}

function itemsInAnotherList(line: string): string {
  return line.replace(/^(\* \d+ FETCH \()(.*ENVELOPE .+) (UID \d+)\)$/, '$1($2) $3)')
}
