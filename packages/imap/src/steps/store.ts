/** UID STORE ±FLAGS.SILENT (RFC 9051 §6.4.6): never the absolute form (RFC 4549 §4.2.3). */

import { parseFlag, type StoreStep } from '@tidemail/core'
import type { Exchange } from './exchange.ts'

/** @throws SyncError `input.bad-flag` */
export function storeExchanges(step: StoreStep): readonly Exchange[] {
  const flags = step.flags.map(parseFlag)
  if (step.uids.isEmpty || flags.length === 0) return []
  return [{ parts: [`UID STORE ${step.uids} ${step.direction === 'add' ? '+' : '-'}FLAGS.SILENT (${flags.join(' ')})`] }]
}
