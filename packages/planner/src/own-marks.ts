/**
 * Takes off the marks \Deleted that removals left on messages that stay: refused, given up or parked. With the mark, anybody's EXPUNGE would take them along.
 */

import { hasFlag, type MailboxId, type MailboxRecord, type MutatingStep, type Observation, UidSet } from '@tidemail/core'
import type { Claim, Operation, Progress } from '@tidemail/replay-log'
import { identityOf } from './fence.ts'
import { listedUids } from './listed-uids.ts'
import { type Batch, type BatchContext, CLAIM_LIFE_MS, type ReplayState } from './replay-state.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

export function isRemoval({ steps }: Pick<Claim, 'steps'>): boolean {
  return steps.some(({ kind }) => kind === 'expunge' || kind === 'expunge-all')
}

/** What the removal marks, without what others had marked before it. */
export function marksOf(claim: Claim): UidSet {
  if (!isRemoval(claim)) return UidSet.EMPTY
  const marked = claim.steps.flatMap((step) => (step.kind === 'store' && step.direction === 'add' ? step.uids.ranges : []))
  const others = (claim.unaltered ?? []).filter(({ flag }) => isMark(flag)).flatMap(({ uids }) => uids.ranges)
  return UidSet.fromRanges(marked)
    .difference(claim.shielded ?? UidSet.EMPTY)
    .difference(UidSet.fromRanges(others))
}

export function isMark(flag: string): boolean {
  return hasFlag([flag], '\\Deleted')
}

/** Marks of ours in the mailbox, of which no removal that is still to be made makes use. */
export function unwantedMarks(
  mailbox: MailboxRecord,
  { entries, marksLeft }: Pick<ReplayState, 'entries' | 'marksLeft'>,
): UidSet {
  const { box, checkpoint, id } = mailbox
  if (checkpoint?.marked === undefined || marksLeft?.has(id) === true) return UidSet.EMPTY
  const wanted = entries.flatMap(({ operation: { kind }, progress }) =>
    progress.flatMap((group) => {
      const { targets } = group
      const isHere = targets.kind === 'stored' && targets.mailboxId === id && targets.box === box
      return isHere && removes(kind, group) ? targets.uids.ranges : []
    }),
  )
  return checkpoint.marked.intersect(listedUids(mailbox)).difference(UidSet.fromRanges(wanted))
}

/** A message that is still to be copied elsewhere must not take the mark along. */
function removes(kind: Operation['kind'], { state }: Progress): boolean {
  if (kind === 'move') return state === 'copied'
  return (kind === 'expunge' || kind === 'draft') && state !== 'parked'
}

/** Null when there is nothing to take off. */
export function planUnmarking(mailbox: MailboxRecord, state: ReplayState, { claimId, name }: BatchContext): Batch | null {
  const marks = unwantedMarks(mailbox, state)
  if (marks.isEmpty) return null
  const steps = marks.chunksOfOctets(UID_SET_OCTETS_MAX).map(
    (uids): MutatingStep => ({
      kind: 'store',
      id: name('store'),
      mailbox: identityOf(mailbox),
      uids,
      direction: 'remove',
      flags: ['\\Deleted'],
      notAfter: state.now + CLAIM_LIFE_MS,
      reason: 'a removal was given up: nobody else may carry it out',
    }),
  )
  const { accountId, now } = state
  const times = { claimedAt: now, lostAt: null, answer: 'none' as const }
  return {
    claims: [{ id: claimId(), accountId, steps, members: [], fence: null, unmarks: mailbox.id, ...times }],
    steps,
    moot: [],
  }
}

/** The mailboxes in which the batch was to take marks off, and the server did not do so. */
export function marksLeftBy({ claims }: Batch, observations: readonly Observation[]): MailboxId[] {
  const done = new Set(observations.flatMap((item) => (item.kind === 'done' && item.outcome === 'ok' ? [item.id] : [])))
  return claims.flatMap(({ steps, unmarks }) => (unmarks === undefined || steps.every(({ id }) => done.has(id)) ? [] : [unmarks]))
}
