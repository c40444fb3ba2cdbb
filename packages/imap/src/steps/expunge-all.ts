/** EXPUNGE: everything marked \Deleted (RFC 9051 §6.4.3); part of the protective sequence of RFC 4549 §4.2.4, and of nothing else. */

import type { StepExchanges } from './exchange.ts'

/** Also where UIDPLUS is advertised: UID EXPUNGE may have been refused all the same (FIELD-5), and who plans has learnt it. */
export function expungeAllExchanges(): StepExchanges {
  return [{ parts: ['EXPUNGE'] }]
}
