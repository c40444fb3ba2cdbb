/** Which file carries out which write. */

import { assertNever, type BodyId, type Write } from '@tidemail/core'
import { applyLandLocal } from './apply-landing.ts'
import { putClaim, putEntry, putReceipt, removeClaim, removeEntry } from './apply-log.ts'
import { putAccount, putMailbox, removeMailbox } from './apply-mailbox.ts'
import {
  carryFormerParts,
  carryMessages,
  evictMessages,
  inferFlags,
  putFlags,
  putMessages,
  removeMessages,
} from './apply-messages.ts'
import { putPart, putPartPiece, releaseParts } from './apply-parts.ts'
import { endForward, putForward } from './forwards.ts'
import { linkParts } from './link-parts.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** Carries out one write inside the transaction. `digests` names the bytes of parts, computed before it. */
export async function applyWrite(unit: UnitOfWork, write: Write, digests: ReadonlyMap<Uint8Array, BodyId>): Promise<void> {
  switch (write.kind) {
    case 'put-account':
      return putAccount(unit, write)
    case 'put-mailbox':
      return putMailbox(unit, write.mailbox)
    case 'remove-mailbox':
      return removeMailbox(unit, write.mailboxId)
    case 'put-messages':
      return putMessages(unit, write)
    case 'put-flags':
      return putFlags(unit, write)
    case 'infer-flags':
      return inferFlags(unit, write)
    case 'remove-messages':
      return removeMessages(unit, write)
    case 'evict-messages':
      return evictMessages(unit, write)
    case 'carry-messages':
      return carryMessages(unit, write)
    case 'carry-parts':
      return carryFormerParts(unit, write)
    case 'land-local':
      return applyLandLocal(unit, write)
    case 'put-part':
      return putPart(unit, write, digests.get(write.bytes) as BodyId)
    case 'put-part-piece':
      return putPartPiece(unit, write, digests.get(write.bytes) as BodyId)
    case 'link-parts':
      return linkParts(unit, write)
    case 'release-parts':
      return releaseParts(unit, write.accountId)
    case 'put-entry':
      return putEntry(unit, write.entry)
    case 'remove-entry':
      return removeEntry(unit, write.seq)
    case 'put-claim':
      return putClaim(unit, write.claim)
    case 'remove-claim':
      return removeClaim(unit, write.id)
    case 'put-receipt':
      return putReceipt(unit, write.receipt)
    case 'forward':
      return putForward(unit, write)
    case 'end-forward':
      return endForward(unit, write)
    default:
      return assertNever(write)
  }
}
