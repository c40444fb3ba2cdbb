/** Makes the claims and steps of drafts that take the place of the version before in one REPLACE (RFC 8508). */

import { type MailboxRecord, type Step, UidSet, uid } from '@tidemail/core'
import type { Claim, Entry } from '@tidemail/replay-log'
import { outgoing, uploadFence } from './append-batch.ts'
import { identityOf } from './fence.ts'
import { type ReadyReplace, readyReplace } from './ready-uploads.ts'
import { type BatchContext, CLAIM_LIFE_MS, isDue, REPLAY_BATCH_CLAIMS_MAX, type ReplayState } from './replay-state.ts'
import { mailboxesWithOpenClaims } from './resting-mailboxes.ts'

/** Those whose version before is in this mailbox, which is open. `taken` are claims that the batch has already. */
export function planReplaces(
  mailbox: MailboxRecord,
  state: ReplayState,
  context: BatchContext,
  taken: number,
): { readonly claims: readonly Claim[]; readonly steps: readonly Step[] } {
  const resting = mailboxesWithOpenClaims(state)
  const claims: Claim[] = []
  const digests = new Set<string>()
  let replaced = UidSet.EMPTY
  for (const entry of state.entries) {
    if (taken + claims.length >= REPLAY_BATCH_CLAIMS_MAX) break
    const replace = isDue(entry, state.now) ? readyReplace(entry, state) : null
    if (replace === null || replace.source.id !== mailbox.id || resting.has(replace.target.id)) continue
    // H-10: equal messages are never in flight together; and one message is replaced once.
    if (digests.has(replace.operation.digest) || !replaced.intersect(replace.old.uids).isEmpty) continue
    digests.add(replace.operation.digest)
    replaced = replaced.union(replace.old.uids)
    claims.push(replaceClaim(entry, replace, state, context))
  }
  return { claims, steps: claims.flatMap(({ steps }) => steps) }
}

function replaceClaim(
  { seq }: Entry,
  { operation, old, source, target }: ReadyReplace,
  state: ReplayState,
  context: BatchContext,
): Claim {
  const { message } = operation
  return {
    id: context.claimId(),
    accountId: state.accountId,
    claimedAt: state.now,
    lostAt: null,
    answer: 'none',
    members: [
      { seq, targets: { kind: 'local', mailboxId: target.id, locals: UidSet.of(message.local) } },
      { seq, targets: old },
    ],
    steps: [
      {
        kind: 'replace',
        id: context.name('replace'),
        mailbox: identityOf(source),
        // There is one: see `readyReplace`.
        uid: uid(old.uids.min ?? 0),
        target: target.path,
        message: outgoing(message),
        notAfter: state.now + CLAIM_LIFE_MS,
        reason: 'put the draft in place of the version before',
      },
    ],
    fence: uploadFence(target, [operation]),
  }
}
