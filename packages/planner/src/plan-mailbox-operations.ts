/** Decides which operation on a mailbox as such is sent next: in the user's order, one claim at a time, folded where that spares steps. */

import {
  entrySeq,
  type LeaveStep,
  type MailboxId,
  type MailboxRecord,
  type MailboxStep,
  NO_MAILBOX,
  type Step,
} from '@tidemail/core'
import type { Claim, ClaimMember, Entry } from '@tidemail/replay-log'
import {
  foldedRenames,
  foldedSubscriptions,
  isOlderRelative,
  isWaiting,
  madeSince,
  nameHolder,
  type OpenOperation,
  openOperations,
  whatTouches,
} from './mailbox-order.ts'
import { mailboxesAfter } from './mailboxes-after.ts'
import { type BatchContext, CLAIM_LIFE_MS, isDue, type ReplayState } from './replay-state.ts'
import { isAtOrBelow, isMailboxStep, mailboxesWithOpenClaims } from './resting-mailboxes.ts'

export interface MailboxPlan {
  readonly claim: Claim | null
  /** The claim's steps, and the leave before them: a mailbox that goes must not be open. */
  readonly steps: readonly Step[]
  /** Operations that are settled without asking. */
  readonly moot: readonly MootOperation[]
}

export interface MootOperation extends ClaimMember {
  /**
   * `cancelled`: the mailbox is deleted before it was made. `as-is`: it is so already. `name-taken`: a mailbox of that name is there.
   * `needs-another`: what would be destroyed is what another operation was to save (I-LOG-5).
   */
  readonly why: 'cancelled' | 'as-is' | 'name-taken' | 'needs-another'
  readonly mailboxId: MailboxId
}

type Context = Pick<BatchContext, 'name' | 'claimId'>
type Verdict = 'send' | 'wait' | Exclude<MootOperation['why'], 'cancelled'>

/** The next claim, or what must be settled before; neither when nothing can be done now. */
export function planMailboxOperations(state: ReplayState, context: Context): MailboxPlan {
  const open = openOperations(state)
  const cancelled = open.flatMap((one) => cancelledBy(one, open, state))
  if (cancelled.length > 0) return { claim: null, steps: [], moot: cancelled }
  for (const one of open) {
    const mailbox = state.mailboxes.get(one.operation.mailboxId)
    const verdict = mailbox === undefined ? 'wait' : verdictOn(one, mailbox, open, state)
    if (mailbox === undefined || verdict === 'wait') continue
    if (verdict !== 'send') return { claim: null, steps: [], moot: [{ ...memberOf(one), why: verdict, mailboxId: mailbox.id }] }
    return claimFor(one, mailbox, open, state, context)
  }
  return { claim: null, steps: [], moot: [] }
}

/** Every step that would be sent if each of them succeeded. */
export function mailboxStepsAhead(state: ReplayState, context: Context): readonly Step[] {
  const { claim, steps, moot } = planMailboxOperations(state, context)
  const done = new Set([...moot, ...(claim?.members ?? [])].map(({ seq }) => seq))
  if (done.size === 0) return []
  const entries = state.entries.filter(({ seq }) => !done.has(seq))
  const [step] = claim?.steps ?? []
  const mailbox = state.mailboxes.get(claim?.members[0]?.targets.mailboxId ?? NO_MAILBOX)
  if (step === undefined || !isMailboxStep(step) || mailbox === undefined)
    return mailboxStepsAhead({ ...state, entries }, context)
  const last = claim?.members.at(-1)?.seq ?? entrySeq(0)
  const { changed, removed } = mailboxesAfter(step, mailbox, state.mailboxes, madeSince(last, entries))
  const mailboxes = new Map([...state.mailboxes, ...changed.map((record) => [record.id, record] as const)])
  for (const id of removed) mailboxes.delete(id)
  return [...steps, ...mailboxStepsAhead({ ...state, entries, mailboxes }, context)]
}

/** Made and deleted here, and nothing else asks for it: the server need not hear of it. */
function cancelledBy(one: OpenOperation, open: readonly OpenOperation[], state: ReplayState): MootOperation[] {
  const mailbox = state.mailboxes.get(one.operation.mailboxId)
  if (one.operation.kind !== 'delete-mailbox' || mailbox === undefined || mailbox.isOnServer) return []
  const own = open.filter(({ operation }) => operation.mailboxId === mailbox.id)
  const isUntouched = own.every(({ group }) => group.state === 'queued' || group.state === 'parked')
  const isUsed = whatTouches(mailbox.id, state.entries).length > 0 || hasInferiors(mailbox, state)
  return isUntouched && !isUsed ? own.map((each) => ({ ...memberOf(each), why: 'cancelled', mailboxId: mailbox.id })) : []
}

function verdictOn(one: OpenOperation, mailbox: MailboxRecord, open: readonly OpenOperation[], state: ReplayState): Verdict {
  const { entry, operation, group } = one
  if (group.state !== 'queued' || !isDue(entry, state.now)) return 'wait'
  if (open.some((other) => isOlderRelative(other, one) && isWaiting(other))) return 'wait'
  const resting = mailboxesWithOpenClaims(state)
  if ([...state.mailboxes.values()].some((other) => resting.has(other.id) && isAtOrBelow(other, [mailbox.path]))) return 'wait'
  if (operation.kind === 'create-mailbox') return verdictOnCreate(one, mailbox, open, state)
  if (!mailbox.isOnServer) return 'wait'
  if (operation.kind === 'rename-mailbox') return mailbox.path === operation.path ? 'as-is' : 'send'
  return operation.kind === 'delete-mailbox' ? verdictOnDelete(one, state) : 'send'
}

function verdictOnCreate(
  one: OpenOperation,
  mailbox: MailboxRecord,
  open: readonly OpenOperation[],
  state: ReplayState,
): Verdict {
  if (mailbox.isOnServer) return 'as-is'
  const holder = nameHolder(mailbox.path, mailbox.id, state.mailboxes)
  if (holder === null) return 'send'
  const isToGo = open.some(({ entry, operation }) => operation.mailboxId === holder.id && entry.seq < one.entry.seq)
  return isToGo ? 'wait' : 'name-taken'
}

/** What the user did before to messages in it comes first, and must have succeeded. */
function verdictOnDelete({ entry, operation }: OpenOperation, { entries }: ReplayState): Verdict {
  const before = whatTouches(operation.mailboxId, entries).filter(({ seq }) => seq < entry.seq)
  if (before.some(({ progress }) => progress.some(({ state }) => state === 'parked'))) return 'needs-another'
  return before.length > 0 ? 'wait' : 'send'
}

function claimFor(
  one: OpenOperation,
  mailbox: MailboxRecord,
  open: readonly OpenOperation[],
  state: ReplayState,
  context: Context,
): MailboxPlan {
  const folded = foldedInto(one, mailbox, open, state)
  const steps = stepsFor(folded.at(-1) ?? one, one, mailbox, state, context)
  const claim: Claim = {
    id: context.claimId(),
    accountId: state.accountId,
    steps,
    members: [one, ...folded].map(memberOf),
    fence: null,
    claimedAt: state.now,
    lostAt: null,
    answer: 'none',
  }
  return { claim, steps: [...leaveBefore(steps, context), ...steps], moot: [] }
}

function foldedInto(
  one: OpenOperation,
  mailbox: MailboxRecord,
  open: readonly OpenOperation[],
  state: ReplayState,
): readonly OpenOperation[] {
  // What was refused together goes alone (H-20).
  const candidates = open.filter(
    ({ entry, group }) => group.state === 'queued' && entry.rejections === 0 && isDue(entry, state.now),
  )
  if (one.operation.kind === 'subscribe-mailbox') return foldedSubscriptions(one, candidates, open)
  if (one.operation.kind !== 'create-mailbox') return []
  const hasServerInferiors = [...state.mailboxes.values()].some(
    (other) => other.id !== mailbox.id && other.isOnServer && isAtOrBelow(other, [mailbox.path]),
  )
  return hasServerInferiors ? [] : foldedRenames(one, candidates, open, state.mailboxes)
}

/** The first step is the one that counts; subscriptions follow a name as far as the server lets them. */
function stepsFor(
  last: OpenOperation,
  first: OpenOperation,
  mailbox: MailboxRecord,
  state: ReplayState,
  { name }: Context,
): readonly MailboxStep[] {
  const notAfter = state.now + CLAIM_LIFE_MS
  const { path } = mailbox
  switch (first.operation.kind) {
    case 'create-mailbox': {
      const made = last === first ? path : last.operation.path
      return [{ kind: 'create', id: name('create'), path: made, notAfter, reason: 'replay the making of a mailbox' }]
    }
    case 'rename-mailbox': {
      const to = first.operation.path
      const rename = { kind: 'rename' as const, id: name('rename'), path, to, notAfter, reason: 'replay a new name' }
      const records = [...state.mailboxes.values()]
      const subscribed = records.filter((each) => each.isOnServer && each.isSubscribed && isAtOrBelow(each, [path]))
      const follow = { requires: [rename.id], notAfter, reason: 'the subscription follows the name' }
      return [
        rename,
        ...subscribed.slice(0, SUBSCRIPTIONS_MAX).flatMap((each): MailboxStep[] => {
          const id = name('subscribe')
          return [
            { kind: 'subscribe', id, path: to + each.path.slice(path.length), ...follow },
            { kind: 'unsubscribe', id: name('unsubscribe'), path: each.path, ...follow, requires: [rename.id, id] },
          ]
        }),
      ]
    }
    case 'delete-mailbox': {
      const gone = { kind: 'delete' as const, id: name('delete'), path, notAfter, reason: 'replay the deletion of a mailbox' }
      if (!mailbox.isSubscribed) return [gone]
      const reason = 'no subscription to what is gone'
      return [gone, { kind: 'unsubscribe', id: name('unsubscribe'), path, requires: [gone.id], notAfter, reason }]
    }
    case 'subscribe-mailbox': {
      const isSubscribed = last.operation.kind === 'subscribe-mailbox' && last.operation.isSubscribed
      const kind = isSubscribed ? ('subscribe' as const) : ('unsubscribe' as const)
      return [{ kind, id: name(kind), path, notAfter, reason: 'replay a subscription' }]
    }
  }
}

/** Subscriptions that one rename takes along. */
const SUBSCRIPTIONS_MAX = 100

function leaveBefore([step]: readonly MailboxStep[], { name }: Context): LeaveStep[] {
  if (step?.kind !== 'rename' && step?.kind !== 'delete') return []
  return [{ kind: 'leave', id: name('leave'), reason: 'a mailbox that is renamed or deleted must not be open' }]
}

function hasInferiors({ id, path }: MailboxRecord, { mailboxes }: ReplayState): boolean {
  return [...mailboxes.values()].some((other) => other.id !== id && other.path !== path && isAtOrBelow(other, [path]))
}

function memberOf({ entry, group }: { readonly entry: Entry; readonly group: OpenOperation['group'] }): ClaimMember {
  return { seq: entry.seq, targets: group.targets }
}
