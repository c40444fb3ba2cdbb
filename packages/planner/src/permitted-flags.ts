/** Tells whether a mailbox keeps the flags of an operation. */

import { flagKey, type MailboxRecord } from '@tidemail/core'
import type { FlagOperation } from '@tidemail/replay-log'

/** H-14: a flag outside PERMANENTFLAGS would last for the session only. */
export function isPermitted({ add, remove }: FlagOperation, { permanentFlags }: MailboxRecord): boolean {
  const permitted = new Set(permanentFlags.map(flagKey))
  const allowsKeywords = permitted.has('\\*')
  return [...add, ...remove].every((flag) => permitted.has(flagKey(flag)) || (allowsKeywords && !flag.startsWith('\\')))
}
