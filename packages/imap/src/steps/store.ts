/** UID STORE ±FLAGS.SILENT (RFC 9051 §6.4.6): never the absolute form (RFC 4549 §4.2.3); conditional where asked (RFC 7162 §3.1.3). */

import { parseFlag, type StoreStep, UidSet } from '@tidemail/core'
import type { ResponseCode } from '../response.ts'
import type { Exchange, Tell } from './exchange.ts'

/** @throws SyncError `input.bad-flag` */
export function storeExchanges(step: StoreStep): readonly Exchange[] {
  const flags = step.flags.map(parseFlag)
  if (step.uids.isEmpty || flags.length === 0) return []
  const change = `${step.direction === 'add' ? '+' : '-'}FLAGS.SILENT (${flags.join(' ')})`
  if (step.unchangedSince === undefined) return [{ parts: [`UID STORE ${step.uids} ${change}`] }]
  return [
    {
      parts: [`UID STORE ${step.uids} (UNCHANGEDSINCE ${step.unchangedSince}) ${change}`],
      finish: ({ code }, tell) => {
        tellModified(step, code, tell)
        return undefined
      },
    },
  ]
}

/** MODIFIED names UIDs in answer to a UID command. What cannot be read names everything: nothing is taken for changed by us. */
function tellModified(step: StoreStep, code: ResponseCode | null, tell: Tell): void {
  if (code?.name !== 'MODIFIED') return
  const { id, mailbox } = step
  tell({ kind: 'modified', id, mailbox, uids: readSet(code.args)?.intersect(step.uids) ?? step.uids })
}

function readSet(text: string): UidSet | null {
  try {
    return UidSet.parse(text)
  } catch {
    return null
  }
}
