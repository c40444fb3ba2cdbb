/** Makes the entry of a new operation, inside the transaction that accepts it (I-LOG-1). */

import {
  type AcceptContext,
  type AcceptedEntry,
  type AccountId,
  type EntrySeq,
  type LocalId,
  type LocalMessage,
  localId,
  type MailboxId,
  NO_MAILBOX,
  normaliseFlags,
  numbersOf,
  SyncError,
  splitTargets,
  type Targets,
  type UidPairRange,
  UidPairs,
  type UidSet,
} from '@tidemail/core'
import { encodeEntry } from './codec.ts'
import type { Entry, Progress } from './entry.ts'
import { destinationOf, isOnMailbox, type MailboxName, type MessageOperation, type Operation, ownLocals } from './operation.ts'
import { withProgress } from './progress-groups.ts'

/** Without what only the store can give: targets come resolved, and numbers are free ones. */
type Requested<T> = T extends { readonly targets: unknown }
  ? Omit<T, 'targets' | 'names'>
  : T extends { readonly message: unknown }
    ? Omit<T, 'message' | 'deed' | 'replaces' | 'names'> & { readonly message: Omit<LocalMessage, 'local'> }
    : Omit<T, 'deed'>

/** What is asked for. The version that a draft replaces is given as its targets. */
export type OperationRequest = Requested<Operation>
type RequestOn<Kind extends Operation> = Requested<Kind>

export interface AcceptTerms {
  readonly accountId: AccountId
  /** Milliseconds since 1970. */
  readonly now: number
  /** The group as the app named it, before forwards were followed. Needed only where they led to several mailboxes. */
  readonly asked?: Targets
  /** The path of a mailbox, kept with the operation. */
  readonly pathOf?: (id: MailboxId) => string | undefined
}

/** What `Acceptance.build` returns, with the entry itself. */
export interface AcceptedOperation extends AcceptedEntry {
  readonly entry: Entry
}

/**
 * The entry of an operation on exactly one group of targets (none for what brings its own message, and for what is about a mailbox): a selection over
 * several mailboxes is accepted as one entry a group, see `splitTargets`. Where forwards led the one group to several mailboxes, `terms.asked` is kept as
 * the operation's targets, and the entry starts with several groups of progress.
 * @throws SyncError `input.unknown-message` when all targets are gone; `engine.bug` for several groups without `asked`, and for targets of what has none
 */
export function acceptOperation(request: OperationRequest, context: AcceptContext, terms: AcceptTerms): AcceptedOperation {
  switch (request.kind) {
    case 'flag':
    case 'move':
    case 'copy':
    case 'expunge':
      return acceptOnTargets(request, context, terms)
    default:
      return acceptOwn(request, context, terms)
  }
}

/** What brings its own message, or is about a mailbox: its targets are locals that it takes itself; a draft has the version before as one more. */
function acceptOwn(
  request: Exclude<OperationRequest, RequestOn<MessageOperation>>,
  { seq, firstLocal, targets }: AcceptContext,
  { accountId, now, pathOf }: AcceptTerms,
): AcceptedOperation {
  const [replaces = null, ...more] = splitTargets(targets)
  if (more.length > 0 || (replaces !== null && request.kind !== 'draft')) {
    throw new SyncError('engine.bug', `An operation of the kind ${request.kind} has no targets.`)
  }
  const operation = ownOperation(request, firstLocal, replaces)
  const own = ownLocals(operation)
  const destination = isOnMailbox(operation) ? operation.mailboxId : destinationOf(operation)
  const mine: Targets = { kind: 'local', mailboxId: destination ?? NO_MAILBOX, locals: own }
  const names = isOnMailbox(operation) || destination === null ? {} : namesOf([destination], pathOf)
  const groups = replaces === null ? [mine] : [mine, replaces]
  const progress = groups.map((group) => queued(group, UidPairs.EMPTY))
  return accepted(withProgress(emptyEntry(seq, accountId, now, { ...operation, ...names }), progress), own.size)
}

function ownOperation(
  request: Exclude<OperationRequest, RequestOn<MessageOperation>>,
  firstLocal: LocalId,
  replaces: Targets | null,
): Operation {
  const message = <T extends { readonly flags: readonly string[] }>(
    given: T,
    local: LocalId,
  ): T & { readonly local: LocalId } => ({
    ...given,
    local,
    flags: normaliseFlags(given.flags),
  })
  switch (request.kind) {
    case 'append':
      return { ...request, message: message(request.message, firstLocal) }
    case 'draft':
      return { ...request, message: message(request.message, firstLocal), replaces }
    case 'submit':
      return { ...request, deed: firstLocal, message: message(request.message, localId(firstLocal + 1)) }
    case 'create-mailbox':
    case 'rename-mailbox':
    case 'delete-mailbox':
    case 'subscribe-mailbox':
      return { ...request, deed: firstLocal }
  }
}

function acceptOnTargets(
  request: RequestOn<MessageOperation>,
  { seq, firstLocal, targets }: AcceptContext,
  { accountId, now, asked, pathOf }: AcceptTerms,
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
  const names = namesOf([kept.mailboxId, ...('to' in request ? [request.to] : [])], pathOf)
  const operation: Operation = { ...withTargets(request, kept), ...names }
  return accepted(withProgress(emptyEntry(seq, accountId, now, operation), progress), next - firstLocal)
}

function accepted(entry: Entry, localsUsed: number): AcceptedOperation {
  const { bytes, effects } = encodeEntry(entry)
  return { entry, bytes, effects, localsUsed }
}

function withTargets(request: RequestOn<MessageOperation>, targets: Targets): Operation {
  if (request.kind !== 'flag') return { ...request, targets }
  return { ...request, targets, add: normaliseFlags(request.add), remove: normaliseFlags(request.remove) }
}

/** A mailbox may go while the operation waits, and what waits must still say where it belongs. */
function namesOf(ids: readonly MailboxId[], pathOf: AcceptTerms['pathOf']): { readonly names?: readonly MailboxName[] } {
  const names = [...new Set(ids)].flatMap((id) => {
    const path = pathOf?.(id)
    return path === undefined ? [] : [{ id, path }]
  })
  return names.length === 0 ? {} : { names }
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
  return { seq, accountId, revision: 1, acceptedAt, operation, ...none, rejections: 0, notBefore: 0, conflicts: [] }
}

function queued(targets: Targets, placed: UidPairs): Progress {
  return { state: 'queued', targets, claimId: null, parkedFor: null, placed }
}
