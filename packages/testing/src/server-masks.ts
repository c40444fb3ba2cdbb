/** Masks that make a capable server look like one that cannot be run here, after the capabilities those servers were seen to send. */

import type { ServerMask } from './fault-proxy-mask.ts'

export type ServerMaskName = 'bare' | 'gmail' | 'exchange' | 'yahoo' | 'icloud' | 'hmailserver' | 'domino'

/** What a server without CONDSTORE never says. */
const MOD_SEQUENCES = ['HIGHESTMODSEQ', 'NOMODSEQ', 'MODSEQ', 'MODIFIED']
const UID_ANSWERS = ['APPENDUID', 'COPYUID']

/** Only capabilities that the server behind really has are advertised, so that what is advertised also works. */
export const SERVER_MASKS: Readonly<Record<ServerMaskName, ServerMask>> = {
  /** RFC 3501 and nothing else. */
  bare: { capabilities: [], strip: [...MOD_SEQUENCES, ...UID_ANSWERS, 'SPECIAL-USE'] },
  /** CONDSTORE without QRESYNC. */
  gmail: {
    capabilities:
      'UNSELECT IDLE NAMESPACE QUOTA ID CHILDREN UIDPLUS ENABLE MOVE CONDSTORE ESEARCH LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE'.split(
        ' ',
      ),
  },
  /** UIDPLUS and MOVE without CONDSTORE, ENABLE or ESEARCH; no keywords of one's own; special uses are listed without the capability. */
  exchange: {
    capabilities: 'SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+'.split(' '),
    claims: ['CLIENTACCESSRULES', 'CLIENTNETWORKPRESENCELOCATION', 'BACKENDAUTHENTICATE'],
    strip: [...MOD_SEQUENCES, 'CUSTOM-KEYWORDS'],
  },
  /** No IDLE and no CONDSTORE, though it sends HIGHESTMODSEQ. */
  yahoo: {
    capabilities: 'ID MOVE NAMESPACE UIDPLUS LITERAL+ CHILDREN UNSELECT OBJECTID'.split(' '),
    claims: ['XYMHIGHESTMODSEQ', 'X-MSG-EXT'],
    strip: ['MODSEQ', 'SPECIAL-USE'],
  },
  /** QRESYNC whose ENABLE is never confirmed; no MOVE and no SPECIAL-USE. */
  icloud: {
    capabilities:
      'CONDSTORE ENABLE QRESYNC QUOTA NAMESPACE UIDPLUS CHILDREN BINARY UNSELECT SORT CATENATE ESEARCH ESORT CONTEXT=SEARCH WITHIN SASL-IR SEARCHRES IDLE LIST-STATUS'.split(
        ' ',
      ),
    claims: ['XAPPLEPUSHSERVICE', 'XAPPLELITERAL'],
    strip: ['ENABLED', 'SPECIAL-USE'],
  },
  /** No UIDPLUS, MOVE or LITERAL+. */
  hmailserver: {
    capabilities: 'CHILDREN IDLE QUOTA SORT ACL NAMESPACE SPECIAL-USE CREATE-SPECIAL-USE'.split(' '),
    strip: [...MOD_SEQUENCES, ...UID_ANSWERS],
  },
  /** No IDLE, UNSELECT, MOVE or CHILDREN. */
  domino: { capabilities: 'LITERAL+ NAMESPACE QUOTA UIDPLUS'.split(' '), strip: [...MOD_SEQUENCES, 'SPECIAL-USE'] },
}
