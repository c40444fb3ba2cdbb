/** What is written of entries that changed: one of which nothing remains leaves the log with its receipt. */

import type { Write } from '@tidemail/core'
import { type Entry, encodeEntry, encodeReceipt, isSettled, receiptOf } from '@tidemail/replay-log'

export function entryWrites(changed: readonly Entry[], now: number): Write[] {
  return changed.flatMap((entry): Write[] =>
    isSettled(entry)
      ? [
          { kind: 'remove-entry', seq: entry.seq },
          { kind: 'put-receipt', receipt: encodeReceipt(receiptOf(entry, now)) },
        ]
      : [{ kind: 'put-entry', entry: encodeEntry({ ...entry, revision: entry.revision + 1 }) }],
  )
}
