/** Says what would take back an operation that was sent already: new operations, ordered after it (H-3). */

import {
  assertNever,
  type BoxEpoch,
  flagKey,
  intersectTargets,
  type MailboxId,
  type MailboxIdentity,
  numbersOf,
  splitTargets,
  subtractTargets,
  type Targets,
  UidSet,
  withNumbers,
} from '@tidemail/core'
import type { OperationRequest } from './accept-operation.ts'
import { replacedBy, stateOfLocal } from './draft-parts.ts'
import type { Entry, Settlement, UnalteredFlag } from './entry.ts'
import type { AppendOperation, CopyOperation, DraftOperation, FlagOperation, MoveOperation } from './operation.ts'
import { copiedOf } from './progress-groups.ts'
import type { Receipt } from './receipt.ts'

/** One operation of a compensation. */
export interface CompensatingRequest {
  readonly request: OperationRequest
  readonly targets: readonly Targets[]
}

export type Compensation =
  | { readonly kind: 'possible'; readonly requests: readonly CompensatingRequest[] }
  /**
   * `parked`: retry or discard it. `final`: what it did cannot be undone. `replaced`: the version before is gone, so that the draft must stay. `nothing`:
   * nothing of it took effect, or nobody knows where. `deleted`: so is the mailbox that the messages were in.
   */
  | { readonly kind: 'refused'; readonly reason: 'parked' | 'final' | 'replaced' | 'nothing' | 'deleted' }

export interface CompensationTerms {
  /** The mailbox with this path, in this life; null when it is gone. */
  readonly mailboxNamed: (identity: MailboxIdentity) => { readonly id: MailboxId; readonly box: BoxEpoch } | null
  /** Whether the user has deleted the mailbox, though the server may have it still. */
  readonly isDeleted: (id: MailboxId) => boolean
  /** Of the account's hierarchy; null where there is none. */
  readonly delimiter: string | null
  /** What is known of flags in claims that are out. */
  readonly unaltered?: readonly UnalteredFlag[]
}

/** `subject` is an entry nothing of which is queued any more, or the receipt of one. */
export function compensationOf(subject: Entry | Receipt, terms: CompensationTerms): Compensation {
  const { operation } = subject
  if (progressOf(subject).some(({ state }) => state === 'parked')) return { kind: 'refused', reason: 'parked' }
  switch (operation.kind) {
    case 'flag':
      return possible(backFlags(operation, subject, terms))
    case 'move':
      if (terms.isDeleted(operation.targets.mailboxId)) return { kind: 'refused', reason: 'deleted' }
      return possible(backMoves(operation, subject))
    case 'copy':
      return possible(expunges(copiesOf(operation, subject, terms)))
    case 'append':
    case 'draft':
      return backUpload(operation, subject)
    case 'rename-mailbox': {
      const { mailboxId, from, path } = operation
      // No mailbox can be moved into itself.
      if (terms.delimiter !== null && from.startsWith(path + terms.delimiter)) return { kind: 'refused', reason: 'final' }
      return ifApplied(subject, { kind: 'rename-mailbox', mailboxId, from: path, path: from })
    }
    case 'subscribe-mailbox': {
      const { mailboxId, path, isSubscribed } = operation
      return ifApplied(subject, { kind: 'subscribe-mailbox', mailboxId, path, isSubscribed: !isSubscribed })
    }
    case 'expunge':
    case 'submit':
    case 'create-mailbox':
    case 'delete-mailbox':
      return { kind: 'refused', reason: 'final' }
    default:
      return assertNever(operation)
  }
}

function possible(requests: readonly CompensatingRequest[]): Compensation {
  return requests.length === 0 ? { kind: 'refused', reason: 'nothing' } : { kind: 'possible', requests }
}

function ifApplied(subject: Entry | Receipt, request: OperationRequest): Compensation {
  const isDone = appliedOf(subject).length > 0 || progressOf(subject).length > 0
  return possible(isDone ? [{ request, targets: [] }] : [])
}

function progressOf(subject: Entry | Receipt): Entry['progress'] {
  return 'progress' in subject ? subject.progress : []
}

function appliedOf(subject: Entry | Receipt): readonly Settlement[] {
  return settledOf(subject).filter(({ outcome }) => outcome === 'applied')
}

function settledOf(subject: Entry | Receipt): readonly Settlement[] {
  return 'progress' in subject ? subject.settled : subject.outcomes
}

/** Flag by flag, for each has messages of its own that it does not change. */
function backFlags(
  { add, remove }: FlagOperation,
  subject: Entry | Receipt,
  { unaltered: claimed = [] }: CompensationTerms,
): CompensatingRequest[] {
  const parts = [
    ...appliedOf(subject).map(({ targets, unaltered = [] }) => ({ targets, unaltered })),
    ...progressOf(subject).map(({ mayBeDone = claimed, targets }) => ({ targets, unaltered: mayBeDone })),
  ]
  const changes = [...add.map((flag) => ({ flag, wasAdded: true })), ...remove.map((flag) => ({ flag, wasAdded: false }))]
  return joined(
    changes.flatMap(({ flag, wasAdded }) => {
      const targets = parts.map(({ targets: all, unaltered }) => {
        const same = unaltered.filter((one) => flagKey(one.flag) === flagKey(flag))
        const uids = same.reduce((sum, one) => sum.union(one.uids), UidSet.EMPTY)
        return withNumbers(all, numbersOf(all).difference(uids))
      })
      const request = { kind: 'flag' as const, add: wasAdded ? [] : [flag], remove: wasAdded ? [flag] : [] }
      return splitTargets(targets).map((group) => ({ request, group }))
    }),
  )
}

/** Changes of the same messages as one operation. */
function joined(
  changes: readonly {
    readonly request: { readonly kind: 'flag'; readonly add: readonly string[]; readonly remove: readonly string[] }
    readonly group: Targets
  }[],
): CompensatingRequest[] {
  const byTargets = new Map<string, (typeof changes)[number]>()
  for (const change of changes) {
    const { group, request } = change
    const key = `${group.kind} ${group.mailboxId} ${group.kind === 'stored' ? group.box : ''} ${numbersOf(group)}`
    const other = byTargets.get(key)?.request ?? { kind: 'flag', add: [], remove: [] }
    const both = { ...request, add: [...other.add, ...request.add], remove: [...other.remove, ...request.remove] }
    byTargets.set(key, { group, request: both })
  }
  return [...byTargets.values()].map(({ group, request }) => ({ request, targets: [group] }))
}

/** What has moved, or was copied to be moved, is found under its old name, which is forwarded; what is on its way is a local. */
function backMoves({ to, targets: asked }: MoveOperation, subject: Entry | Receipt): CompensatingRequest[] {
  // What was sent as one move with later ones has been moved by those.
  const moved = settledOf(subject).flatMap(({ outcome, targets }) =>
    outcome === 'applied' || outcome === 'superseded' ? [targets] : [],
  )
  const moving = progressOf(subject).flatMap(({ targets, placed }): Targets[] => [
    { kind: 'local', mailboxId: to, locals: placed.destinations },
    copiedOf(subject, { targets, placed }),
  ])
  // Where the user had them: of a chain that was sent as one move, they may never have been there on the server.
  const request = { kind: 'move' as const, to: asked.mailboxId }
  return splitTargets([...moved, ...moving]).map((group) => ({ request, targets: [group] }))
}

/** Of a copy: the UIDs that COPYUID named, or locals on their way. A probe names UIDs without saying in which life of the mailbox. */
function copiesOf({ to }: CopyOperation, subject: Entry | Receipt, { mailboxNamed }: CompensationTerms): Targets[] {
  const made = appliedOf(subject).flatMap(({ evidence, targets }): Targets[] => {
    const mailbox = evidence.kind === 'copy-uid' ? mailboxNamed(evidence.target) : null
    if (evidence.kind !== 'copy-uid' || mailbox === null || targets.kind !== 'stored') return []
    const uids = evidence.pairs.restrict(targets.uids).destinations
    return [{ kind: 'stored', mailboxId: mailbox.id, box: mailbox.box, uids }]
  })
  const making = progressOf(subject).map(({ placed }): Targets => ({ kind: 'local', mailboxId: to, locals: placed.destinations }))
  return [...made, ...making]
}

/** The message is named by its local, from which a forward leads to the UID that the server gave. */
function backUpload(operation: AppendOperation | DraftOperation, subject: Entry | Receipt): Compensation {
  const { local } = operation.message
  const own: Targets = { kind: 'local', mailboxId: operation.to, locals: UidSet.of(local) }
  const removed = appliedOf(subject).some(
    ({ targets, evidence }) => evidence.kind !== 'nothing-sent' && !numbersOf(subtractTargets(targets, own)).isEmpty,
  )
  const isBeingRemoved = 'progress' in subject && replacedBy(subject).length > 0
  // Nobody's text is lost by an undo: without the version before, this one stays.
  const isHeir = operation.kind === 'draft' && operation.isHeir === true
  if (isHeir || removed || isBeingRemoved || mayHaveReplaced(subject, own)) return { kind: 'refused', reason: 'replaced' }
  const isMade = appliedOf(subject).some(({ targets }) => !numbersOf(intersectTargets(targets, own)).isEmpty)
  const isMaking = 'progress' in subject && stateOfLocal(subject, local) !== null
  return possible(isMade || isMaking ? expunges([own]) : [])
}

/** Found by a probe, it may have come by a REPLACE, which takes the version before away: that is not proved to be there (RFC 8508 §3.4). */
function mayHaveReplaced(subject: Entry | Receipt, own: Targets): boolean {
  const isProbed = appliedOf(subject).some(
    ({ evidence, targets }) => evidence.kind === 'probe' && !numbersOf(intersectTargets(targets, own)).isEmpty,
  )
  return (
    isProbed &&
    settledOf(subject).some(({ outcome, targets }) => outcome === 'undone' && !numbersOf(subtractTargets(targets, own)).isEmpty)
  )
}

function expunges(targets: readonly Targets[]): CompensatingRequest[] {
  return splitTargets(targets).map((group) => ({ request: { kind: 'expunge' as const }, targets: [group] }))
}
