/** Makes the claims and steps of a batch of uploads to one mailbox. */

import { can, type MailboxRecord, UidSet } from '@tidemail/core'
import type { Claim, Entry } from '@tidemail/replay-log'
import { fenceOf } from './fence.ts'
import { type Batch, type BatchContext, CLAIM_LIFE_MS, isDue, REPLAY_BATCH_CLAIMS_MAX, type ReplayState } from './replay-state.ts'

/** Messages and octets of one MULTIAPPEND. */
export const MULTIAPPEND_MESSAGES_MAX = 32
export const MULTIAPPEND_BYTES_MAX = 1_048_576

/** Uploads: one APPEND each, or MULTIAPPEND for several; an entry that was refused before goes alone. */
export function planAppends(mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Batch {
  const groups: Entry[][] = []
  const digests = new Set<string>()
  let octets = 0
  for (const entry of state.entries) {
    const { operation } = entry
    if (operation.kind !== 'append' || operation.to !== mailbox.id || !isDue(entry, state.now)) continue
    if (!entry.progress.some((group) => group.state === 'queued')) continue
    const isTwin = digests.has(operation.digest)
    const last = groups.at(-1)
    const size = operation.message.sizeBytes
    const joins =
      can(state.server, 'MULTIAPPEND') &&
      last !== undefined &&
      last.length < MULTIAPPEND_MESSAGES_MAX &&
      octets + size <= MULTIAPPEND_BYTES_MAX &&
      entry.rejections === 0 &&
      last[0]?.rejections === 0
    // H-10: equal messages are never in flight together, except inside one atomic command, where matches can be counted.
    if (
      isTwin &&
      !(joins && last.some((other) => other.operation.kind === 'append' && other.operation.digest === operation.digest))
    )
      continue
    if (!joins && groups.length === REPLAY_BATCH_CLAIMS_MAX) break
    digests.add(operation.digest)
    octets = joins ? octets + size : size
    if (joins) last.push(entry)
    else groups.push([entry])
  }
  const claims = groups.map((entries) => appendClaim(entries, mailbox, state, context))
  return { claims, steps: claims.flatMap((claim) => claim.steps), moot: [] }
}

function appendClaim(entries: readonly Entry[], mailbox: MailboxRecord, state: ReplayState, context: BatchContext): Claim {
  const operations = entries.flatMap(({ operation }) => (operation.kind === 'append' ? [operation] : []))
  return {
    id: context.claimId(),
    accountId: state.accountId,
    claimedAt: state.now,
    lostAt: null,
    answer: 'none',
    members: entries.map((entry, i) => ({
      seq: entry.seq,
      targets: { kind: 'local', mailboxId: mailbox.id, locals: UidSet.of(operations[i]?.message.local ?? 0) },
    })),
    steps: [
      {
        kind: 'append',
        id: context.name('append'),
        target: mailbox.path,
        messages: operations.map(({ message: { bodyId, sizeBytes, flags, internalDate } }) => ({
          bodyId,
          sizeBytes,
          flags,
          internalDate,
        })),
        notAfter: state.now + CLAIM_LIFE_MS,
        reason: operations.length === 1 ? 'upload a message' : `upload ${operations.length} messages`,
      },
    ],
    fence: fenceOf(
      mailbox,
      operations.map(({ message, digest }) => ({
        of: message.local,
        messageId: message.envelope.messageId,
        sizeBytes: message.sizeBytes,
        internalDate: message.internalDate,
        emailId: null,
        digest,
      })),
    ),
  }
}
