/** What will tell, should the answer be lost, whether a copy, move or upload took effect. */

import type { MailboxIdentity, MailboxRecord } from '@tidemail/core'
import type { Fence, FencedMessage } from '@tidemail/replay-log'

/** Any lower bound of UIDNEXT will do (H-21): the stored one needs no question. */
export function fenceOf(target: MailboxRecord, messages: readonly FencedMessage[]): Fence {
  const { uidValidity, path } = identityOf(target)
  return { mailboxId: target.id, box: target.box, path, uidValidity, uidNext: target.checkpoint?.uidNext ?? 1, messages }
}

export function identityOf({ path, uidValidity }: MailboxRecord): MailboxIdentity {
  if (uidValidity === null) throw new RangeError(`${path} was never opened`)
  return { path, uidValidity }
}
