/** What will tell, should the answer be lost, whether a copy, move or upload took effect. */

import { type MailboxIdentity, type MailboxRecord, UidSet } from '@tidemail/core'
import type { Fence, FencedMessage } from '@tidemail/replay-log'
import { uidAfter } from './uid-after.ts'

/** Any lower bound of UIDNEXT will do (H-21): the stored one needs no question, nor what a step of ours was told, whose message is no match for another. */
export function fenceOf(target: MailboxRecord, messages: readonly FencedMessage[]): Fence {
  const { uidValidity, path } = identityOf(target)
  const { namedUpTo = 0, uidNext = 1 } = target.checkpoint ?? {}
  return {
    mailboxId: target.id,
    box: target.box,
    path,
    uidValidity,
    uidNext: uidAfter(UidSet.EMPTY, uidNext, namedUpTo + 1),
    messages,
  }
}

export function identityOf({ path, uidValidity }: MailboxRecord): MailboxIdentity {
  if (uidValidity === null) throw new RangeError(`${path} was never opened`)
  return { path, uidValidity }
}
