/** Makes the claims and steps of a batch of uploads to one mailbox. */

import { can, type LocalMessage, type MailboxRecord, type OutgoingMessage, UidSet } from '@tidemail/core'
import type { Claim, Entry, Fence, UploadOperation } from '@tidemail/replay-log'
import { fenceOf } from './fence.ts'
import { readyUpload } from './ready-uploads.ts'
import { type Batch, type BatchContext, CLAIM_LIFE_MS, isDue, REPLAY_BATCH_CLAIMS_MAX, type ReplayState } from './replay-state.ts'

/** Messages and octets of one MULTIAPPEND. */
export const MULTIAPPEND_MESSAGES_MAX = 32
export const MULTIAPPEND_BYTES_MAX = 1_048_576

/** What goes up together. */
interface Upload {
  readonly entry: Entry
  readonly operation: UploadOperation
}

/** Uploads: one APPEND each, or MULTIAPPEND for several; an entry that was refused before goes alone. */
export function planAppends(mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Batch {
  const groups: Upload[][] = []
  const digests = new Set<string>()
  let octets = 0
  for (const entry of state.entries) {
    const operation = isDue(entry, state.now) ? readyUpload(entry, state) : null
    if (operation === null || operation.to !== mailbox.id) continue
    const isTwin = digests.has(operation.digest)
    const last = groups.at(-1)
    const size = operation.message.sizeBytes
    const joins =
      can(state.server, 'MULTIAPPEND') &&
      last !== undefined &&
      last.length < MULTIAPPEND_MESSAGES_MAX &&
      octets + size <= MULTIAPPEND_BYTES_MAX &&
      entry.rejections === 0 &&
      last[0]?.entry.rejections === 0
    // H-10: equal messages are never in flight together, except inside one atomic command, where matches can be counted.
    if (isTwin && !(joins && last.some((other) => other.operation.digest === operation.digest))) continue
    if (!joins && groups.length === REPLAY_BATCH_CLAIMS_MAX) break
    digests.add(operation.digest)
    octets = joins ? octets + size : size
    if (joins) last.push({ entry, operation })
    else groups.push([{ entry, operation }])
  }
  const claims = groups.map((uploads) => appendClaim(uploads, mailbox, state, context))
  return { claims, steps: claims.flatMap((claim) => claim.steps), moot: [] }
}

/** A message as a step names it. */
export function outgoing({ bodyId, sizeBytes, flags, internalDate }: LocalMessage): OutgoingMessage {
  return { bodyId, sizeBytes, flags, internalDate }
}

/** What will tell the messages again, should the answer be lost. */
export function uploadFence(mailbox: MailboxRecord, operations: readonly UploadOperation[]): Fence {
  return fenceOf(
    mailbox,
    operations.map(({ message, digest }) => ({
      of: message.local,
      messageId: message.envelope.messageId,
      sizeBytes: message.sizeBytes,
      internalDate: message.internalDate,
      emailId: null,
      digest,
    })),
  )
}

function appendClaim(uploads: readonly Upload[], mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Claim {
  const operations = uploads.map(({ operation }) => operation)
  return {
    id: context.claimId(),
    accountId: state.accountId,
    claimedAt: state.now,
    lostAt: null,
    answer: 'none',
    members: uploads.map(({ entry, operation }) => ({
      seq: entry.seq,
      targets: { kind: 'local', mailboxId: mailbox.id, locals: UidSet.of(operation.message.local) },
    })),
    steps: [
      {
        kind: 'append',
        id: context.name('append'),
        target: mailbox.path,
        messages: operations.map(({ message }) => outgoing(message)),
        notAfter: state.now + CLAIM_LIFE_MS,
        reason: operations.length === 1 ? 'upload a message' : `upload ${operations.length} messages`,
      },
    ],
    fence: uploadFence(mailbox, operations),
  }
}
