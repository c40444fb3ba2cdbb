/** Plans how messages are removed for good: by their UIDs where the server can, else so that nothing goes that others marked (RFC 4549 §4.2.4). */

import {
  can,
  type MailboxIdentity,
  type MutatingStep,
  type ServerProfile,
  type Step,
  type StepId,
  type StoreStep,
  UidSet,
} from '@tidemail/core'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

export interface RemovalRequest {
  readonly uids: UidSet
  readonly mailbox: MailboxIdentity
  readonly server: ServerProfile
  /** What is marked \Deleted in the mailbox, as just asked; null when it is not known. */
  readonly marked: UidSet | null
  readonly name: StepNamer
  readonly notAfter: number
  readonly after: { readonly after?: readonly StepId[] }
  readonly reason: string
}

export interface RemovalPlan {
  readonly steps: readonly MutatingStep[]
  /** Reads that tell what is left, where no VANISHED does. */
  readonly look: readonly Step[]
  /** What others marked: their mark is taken off for the while, and put back. */
  readonly shielded: UidSet
}

/** Null when nothing can be removed without endangering what others marked. */
export function removalSteps(request: RemovalRequest): RemovalPlan | null {
  const plan = can(request.server, 'UIDPLUS') ? byUid(request) : protectively(request)
  if (plan === null) return null
  if (request.server.enabled.includes('QRESYNC')) return { ...plan, look: [] }
  const last = plan.steps.at(-1)?.id ?? ''
  const { mailbox, name, uids } = request
  const reason = 'without VANISHED, look at what is left'
  return { ...plan, look: [{ kind: 'search', id: name('search'), mailbox, uids, requires: [last], reason }] }
}

/** The removal waits for the mark (H-4): Dovecot, asked for both and a MOVE in one turn, may expunge nothing and say OK. */
function byUid(request: RemovalRequest): Omit<RemovalPlan, 'look'> {
  const { mailbox, name, notAfter, reason, uids } = request
  const mark = { ...storeDeleted(request, uids, 'add'), ...request.after }
  const expunge = { kind: 'expunge' as const, id: name('expunge'), mailbox, uids, requires: [mark.id], notAfter, reason }
  return { steps: [mark, expunge], shielded: UidSet.EMPTY }
}

/** Everything marked goes: so only ours may be marked. Each step needs the one before; the marks of others are put back in any case. */
function protectively(request: RemovalRequest): Omit<RemovalPlan, 'look'> | null {
  const { mailbox, marked, name, notAfter, uids } = request
  if (marked === null) return null
  const shielded = marked.difference(uids)
  const steps: MutatingStep[] = []
  const add = (step: MutatingStep): void => {
    const before = steps.at(-1)
    steps.push(before === undefined ? { ...step, ...request.after } : { ...step, requires: [before.id] })
  }
  for (const set of shielded.chunksOfOctets(UID_SET_OCTETS_MAX)) add(storeDeleted(request, set, 'remove'))
  add(storeDeleted(request, uids, 'add'))
  add({
    kind: 'expunge-all',
    id: name('expunge'),
    mailbox,
    notAfter,
    reason: 'the server has no UID EXPUNGE: only what is to go is marked now',
  })
  for (const set of shielded.chunksOfOctets(UID_SET_OCTETS_MAX)) add(storeDeleted(request, set, 'add'))
  return { steps, shielded }
}

function storeDeleted(
  { mailbox, name, notAfter, reason, uids }: RemovalRequest,
  set: UidSet,
  direction: 'add' | 'remove',
): StoreStep {
  const why = set === uids ? reason : 'others marked these for deletion: spare them'
  return { kind: 'store', id: name('store'), mailbox, uids: set, direction, flags: ['\\Deleted'], notAfter, reason: why }
}
