/** Checks that nothing is attempted before what it requires is there and done, and that nothing else waits for that (I-LOG-5). */

import { isMutating, type MailboxId, type Step, type Targets, UidSet } from '@tidemail/core'
import {
  type Claim,
  decodeClaim,
  decodeEntry,
  destinationOf,
  type Entry,
  isOnMailbox,
  isOpenClaim,
  isUpload,
  ownLocals,
  type Progress,
  type TargetState,
} from '@tidemail/replay-log'
import type { MemoryState, ModelAccount } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'
import { nameOf } from './net-checks.ts'

export class DependencyChecks {
  readonly #account: ModelAccount
  /** Steps that the server carried out. */
  readonly #done = new Set<string>()

  constructor(account: ModelAccount) {
    this.#account = account
  }

  executed(step: Step): void {
    this.#done.add(keyOf(step))
  }

  /** What is about to be sent finds done what it requires: the steps before a removal, the copies that were to be made first, the mailbox (H-4). */
  check(step: Step, state: MemoryState): Finding[] {
    const missing = [...this.#stepsBefore(step, state), ...copiesBefore(step, state), ...mailboxBefore(step, state)]
    return [
      ...missing.map((what) => ({ check: 'I-LOG-5', what: `${nameOf(step)} is sent, but ${what}` })),
      ...this.#unlisted(step).map((uid) => ({ check: 'H-14', what: `${nameOf(step)} is sent, but ${uid} is not listed yet` })),
    ]
  }

  /** A server does nothing to a message that it does not list yet, and says OK. */
  #unlisted(step: Step): number[] {
    if (!isMutating(step) || !('mailbox' in step)) return []
    const named = 'uids' in step ? step.uids : 'uid' in step ? UidSet.of(step.uid) : UidSet.EMPTY
    const arrivals = this.#account.mailbox(step.mailbox.path)?.arrivals ?? []
    return arrivals.map(({ uid }) => uid).filter((uid) => named.has(uid))
  }

  #stepsBefore(step: Step, state: MemoryState): string[] {
    if (step.kind !== 'expunge' && step.kind !== 'expunge-all') return []
    const { steps = [] } = claimOf(step, state) ?? {}
    const before = steps.slice(
      0,
      steps.findIndex(({ id }) => id === step.id),
    )
    return before.filter((one) => !this.#done.has(keyOf(one))).map((one) => `${nameOf(one)} was not done`)
  }
}

/** After a synchronisation that nothing befell: what was due, and has nothing to do with what is stuck, does not wait as if nothing had been tried. */
export function checkIndependent(before: MemoryState, after: MemoryState, startedAt: number): Finding[] {
  const entries = [...after.entries.values()].map(decodeEntry)
  const resting = new Set([...restingIn(before), ...restingIn(after)])
  return entries
    .filter(({ seq }) => before.entries.get(seq) === after.entries.get(seq))
    .filter((entry) => entry.notBefore <= startedAt && isSendable(entry, after))
    .filter((entry) => [...mailboxesOf(entry)].every((id) => !resting.has(id)))
    .filter((entry) => !entries.some((other) => other.seq !== entry.seq && haveToDo(other, entry)))
    .map(({ operation, seq }) => ({
      check: 'I-LOG-5',
      what: `entry ${seq} (${operation.kind}) was not tried, though nothing holds it up`,
    }))
}

/** A message is neither moved on nor removed before it was copied as the user had asked before; one that is parked holds up the removal alone. */
function copiesBefore(step: Step, state: MemoryState): string[] {
  if (!['expunge', 'expunge-all', 'move', 'copy'].includes(step.kind)) return []
  const entries = [...state.entries.values()].map(decodeEntry)
  const members = claimOf(step, state)?.members ?? []
  return members.flatMap(({ seq, targets }) => {
    const kind = entries.find((entry) => entry.seq === seq)?.operation.kind
    if (kind !== 'expunge' && kind !== 'move') return []
    const isHeldUpBy = (group: Progress): boolean =>
      (kind === 'expunge' || group.state !== 'parked') && haveCommonMessages(group.targets, targets)
    return entries
      .filter((entry) => entry.operation.kind === 'copy' && entry.seq < seq && entry.progress.some(isHeldUpBy))
      .map((entry) => `entry ${entry.seq} is to copy it first`)
  })
}

/** Nothing goes into a mailbox that was not made. */
function mailboxBefore(step: Step, { mailboxes }: MemoryState): string[] {
  if (!isMutating(step) || !('target' in step)) return []
  const named = [...mailboxes.values()].filter(({ path }) => path === step.target)
  return named.length > 0 && named.every(({ isOnServer }) => !isOnServer) ? [`${step.target} was not made`] : []
}

/** Whether it waits with messages that the server is known to have, or with one of its own, in mailboxes that are there. */
function isSendable(entry: Entry, { mailboxes }: MemoryState): boolean {
  const has = (state: TargetState): boolean => entry.progress.some((group) => group.state === state)
  // The parts of an upload need one another: the copy of a submission that it was sent, the end of an old draft that the new one is there.
  if (isOnMailbox(entry.operation) || !has('queued') || (isUpload(entry.operation) && has('parked'))) return false
  const isThere = [...mailboxesOf(entry)].every((id) => {
    const { checkpoint, isOnServer, isSelectable } = mailboxes.get(id) ?? {}
    return isOnServer === true && isSelectable === true && checkpoint != null
  })
  return (
    isThere &&
    entry.progress.every(({ targets }) => {
      if (targets.kind === 'local') return targets.locals.difference(ownLocals(entry.operation)).isEmpty
      const mailbox = mailboxes.get(targets.mailboxId)
      return mailbox?.box === targets.box && targets.uids.difference(mailbox.checkpoint?.known ?? UidSet.EMPTY).isEmpty
    })
  )
}

/** Whether they are about the same message, or one of them is about a mailbox of the other. */
function haveToDo(one: Entry, other: Entry): boolean {
  const isOnOne = (a: Entry, b: Entry): boolean => isOnMailbox(a.operation) && mailboxesOf(b).has(a.operation.mailboxId)
  if (isOnOne(one, other) || isOnOne(other, one)) return true
  return one.progress.some((mine) => other.progress.some((theirs) => haveCommonMessages(mine.targets, theirs.targets)))
}

function haveCommonMessages(one: Targets, other: Targets): boolean {
  if (one.kind === 'local') return other.kind === 'local' && !one.locals.intersect(other.locals).isEmpty
  return other.kind === 'stored' && one.box === other.box && !one.uids.intersect(other.uids).isEmpty
}

function mailboxesOf({ operation, progress }: Entry): Set<MailboxId> {
  const to = destinationOf(operation)
  return new Set([...progress.map(({ targets }) => targets.mailboxId), ...(to === null ? [] : [to])])
}

/** Mailboxes of claims that are not decided: they are left alone (H-7). */
function restingIn({ claims, entries }: MemoryState): MailboxId[] {
  const open = [...claims.values()].map(decodeClaim).filter(isOpenClaim)
  const members = new Set(open.flatMap((claim) => claim.members.map(({ seq }) => seq)))
  const carried = [...entries.values()].map(decodeEntry).filter(({ seq }) => members.has(seq))
  return [...carried.flatMap((entry) => [...mailboxesOf(entry)]), ...open.flatMap(({ unmarks }) => unmarks ?? [])]
}

function claimOf(step: Step, { claims }: MemoryState): Claim | undefined {
  return [...claims.values()]
    .map(decodeClaim)
    .find((claim) => isOpenClaim(claim) && claim.lostAt === null && claim.steps.some((one) => keyOf(one) === keyOf(step)))
}

/** Names of steps come again in each pass; the times until which they may be sent do not. */
function keyOf(step: Step): string {
  return `${step.id} ${isMutating(step) ? step.notAfter : ''} ${nameOf(step)}`
}
