/** Makes the entry of a new operation, inside the transaction that accepts it (I-LOG-1). */

import {
  type AcceptContext,
  type AcceptedEntry,
  type AccountId,
  type EntrySeq,
  type LocalMessage,
  localId,
  normaliseFlags,
  SyncError,
  type Targets,
  type UidPairRange,
  UidPairs,
  UidSet,
} from '@tidemail/core'
import { encodeEntry } from './codec.ts'
import type { Entry, Progress } from './entry.ts'
import type { AppendOperation, CopyOperation, ExpungeOperation, FlagOperation, MoveOperation, Operation } from './operation.ts'
import { withProgress } from './progress-groups.ts'
import { numbersOf, splitTargets } from './target-groups.ts'

/** What is asked for, without the targets (they come resolved, from the store) and without numbers that only the store can give. */
export type OperationRequest =
  | Omit<FlagOperation, 'targets'>
  | Omit<MoveOperation, 'targets'>
  | Omit<CopyOperation, 'targets'>
  | Omit<ExpungeOperation, 'targets'>
  | (Omit<AppendOperation, 'message'> & { readonly message: Omit<LocalMessage, 'local'> })

export interface AcceptTerms {
  readonly accountId: AccountId
  /** Milliseconds since 1970. */
  readonly now: number
  /** The group as the app named it, before forwards were followed. Needed only where they led to several mailboxes. */
  readonly asked?: Targets
}

/** What `Acceptance.build` returns, with the entry itself. */
export interface AcceptedOperation extends AcceptedEntry {
  readonly entry: Entry
}

/**
 * The entry of an operation on exactly one group of targets (none for an append): a selection over several mailboxes is accepted as one
 * entry a group, see `splitTargets`. Where forwards led the one group to several mailboxes, `terms.asked` is kept as the operation's targets, and the
 * entry starts with several groups of progress.
 * @throws SyncError `input.unknown-message` when all targets are gone; `engine.bug` for several groups without `asked`, and for targets of an append
 */
export function acceptOperation(request: OperationRequest, context: AcceptContext, terms: AcceptTerms): AcceptedOperation {
  return request.kind === 'append' ? acceptAppend(request, context, terms) : acceptOnTargets(request, context, terms)
}

function acceptAppend(
  request: Extract<OperationRequest, { kind: 'append' }>,
  { seq, firstLocal, targets }: AcceptContext,
  { accountId, now }: AcceptTerms,
): AcceptedOperation {
  if (targets.length > 0) throw new SyncError('engine.bug', 'An append has no targets.')
  const message: LocalMessage = { ...request.message, local: firstLocal, flags: normaliseFlags(request.message.flags) }
  const operation: Operation = { kind: 'append', to: request.to, message, digest: request.digest }
  const group: Targets = { kind: 'local', mailboxId: request.to, locals: UidSet.of(firstLocal) }
  return accepted(withProgress(emptyEntry(seq, accountId, now, operation), [queued(group, UidPairs.EMPTY)]), 1)
}

function acceptOnTargets(
  request: Exclude<OperationRequest, { kind: 'append' }>,
  { seq, firstLocal, targets }: AcceptContext,
  { accountId, now, asked }: AcceptTerms,
): AcceptedOperation {
  const groups = splitTargets(targets)
  const [only] = groups
  if (only === undefined) throw new SyncError('input.unknown-message', 'The messages are gone from the mailbox.')
  const kept = groups.length === 1 ? only : asked
  if (kept === undefined) throw new SyncError('engine.bug', 'An operation is accepted for one mailbox at a time.')
  let next: number = firstLocal
  const progress = groups.map((group) => {
    if (request.kind !== 'move' && request.kind !== 'copy') return queued(group, UidPairs.EMPTY)
    const placed = allocate(numbersOf(group), next)
    next += numbersOf(group).size
    return queued(group, placed)
  })
  if (next > firstLocal) localId(next - 1)
  return accepted(withProgress(emptyEntry(seq, accountId, now, withTargets(request, kept)), progress), next - firstLocal)
}

function accepted(entry: Entry, localsUsed: number): AcceptedOperation {
  const { bytes, effects } = encodeEntry(entry)
  return { entry, bytes, effects, localsUsed }
}

function withTargets(request: Exclude<OperationRequest, { kind: 'append' }>, targets: Targets): Operation {
  if (request.kind !== 'flag') return { ...request, targets }
  const remove = normaliseFlags(request.remove)
  return { kind: 'flag', targets, add: normaliseFlags(request.add), remove }
}

/** One local for each number, ascending, in ranges. */
function allocate(numbers: UidSet, firstLocal: number): UidPairs {
  const ranges: UidPairRange[] = []
  let to = firstLocal
  for (const { first, last } of numbers.ranges) {
    const length = last - first + 1
    ranges.push({ from: first, to, length })
    to += length
  }
  return new UidPairs(ranges)
}

function emptyEntry(seq: EntrySeq, accountId: AccountId, acceptedAt: number, operation: Operation): Entry {
  const none = { placed: UidPairs.EMPTY, progress: [], settled: [] }
  return { seq, accountId, revision: 1, acceptedAt, operation, ...none, rejections: 0, notBefore: 0 }
}

function queued(targets: Targets, placed: UidPairs): Progress {
  return { state: 'queued', targets, claimId: null, parkedFor: null, placed }
}
