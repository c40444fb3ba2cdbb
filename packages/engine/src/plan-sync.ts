/** Says what a synchronisation would do and why, without doing it. */

import {
  claimId,
  type MailboxRecord,
  NO_CAPABILITIES,
  type Observation,
  type ServerProfile,
  type Step,
  UidSet,
} from '@tidemail/core'
import {
  awaitsMailbox,
  expungesOf,
  type ForwardRequest,
  identitiesWanted,
  mailboxStepsAhead,
  type Policy,
  planAccount,
  planFill,
  planForward,
  planLanes,
  planProbe,
  planReplay,
  planVisits,
  planWindow,
  planWindowSearch,
  policyOf,
  type ReplayState,
  type StepNamer,
  stepNamer,
  trustedServer,
  type Visit,
  withLivingLimit,
} from '@tidemail/planner'
import { type Claim, decodeClaim, decodeEntry, isOnMessages, isOpenClaim } from '@tidemail/replay-log'
import type { PlannedStep, PlanOptions, SyncPlan } from './api.ts'
import { canonicalPath } from './canonical-path.ts'
import { listedMailbox, lookAtAccount } from './discover.ts'
import { lookForRenames } from './follow-renames.ts'
import { PRIORITY, type Synchroniser } from './synchroniser.ts'
import { newTally } from './tally.ts'

/** The plan of the account. With `offline`, or for the part that needs no look at the server, from the store alone. */
export function planSync(synchroniser: Synchroniser, options: PlanOptions): Promise<SyncPlan> {
  return synchroniser.alone(PRIORITY.request, async () => {
    const { accountId, store, clock } = synchroniser.options
    const now = clock.now()
    const records = await store.planning.mailboxes(accountId)
    const mailboxes = new Map(records.map((mailbox) => [mailbox.id, withLivingLimit(mailbox, now)]))
    const claims = (await store.planning.claims(accountId)).map(decodeClaim).filter(isOpenClaim)
    const account = (await store.planning.accounts()).find((record) => record.id === accountId)
    const look = options.offline === true ? null : await lookNow(synchroniser, options)
    const state: ReplayState = {
      accountId,
      entries: (await store.planning.entries(accountId)).map(decodeEntry),
      claims,
      mailboxes,
      server: look?.server ?? trustedServer({ ...NO_CAPABILITIES, ...account?.server, distrusted: [] }, [account?.server], now),
      now,
    }
    const steps: PlannedStep[] = [
      ...recoverySteps(claims, state),
      ...(look === null ? [] : look.asked.map((step) => ({ part: 'list' as const, mailbox: null, step }))),
      ...(await replaySteps(synchroniser, state)),
      ...(look === null ? [] : resyncSteps(look, state, options, synchroniser.options.policy)),
    ]
    return { steps, waiting: waitingOf(state) }
  })
}

interface AccountLook {
  readonly seen: readonly Observation[]
  readonly asked: readonly Step[]
  readonly server: ServerProfile
  /** Those that the store will have after a look like this one. */
  readonly mailboxes: readonly MailboxRecord[]
}

async function lookNow(synchroniser: Synchroniser, options: PlanOptions): Promise<AccountLook> {
  const signal = synchroniser.signalWith(options.signal)
  const session = await synchroniser.connect(signal)
  const work = await synchroniser.work(session, 0, newTally(), options, signal)
  await work.loadMailboxes()
  const { seen, asked, rejected } = await lookAtAccount(work)
  const stored = [...work.mailboxes.values()]
  const { plan, asked: identities } = await lookForRenames(work, { records: stored, seen, rejected })
  const renamed = new Map(plan.renames.map(({ mailbox, path }) => [mailbox.id, path]))
  const records = stored
    .filter((mailbox) => !plan.replaced.includes(mailbox))
    .map((mailbox) => ({ ...mailbox, path: renamed.get(mailbox.id) ?? mailbox.path }))
  const { created, kept } = planAccount(records, seen, rejected)
  // The numbers of the new ones are nobody's: none is allocated for a plan.
  const found = created.map((mailbox) => listedMailbox(work, mailbox, 0, 0))
  return { seen, asked: [...asked, ...identities], server: work.server, mailboxes: [...kept, ...found] }
}

function recoverySteps(claims: readonly Claim[], state: ReplayState): PlannedStep[] {
  const name = stepNamer()
  return claims.flatMap((claim) => {
    const source = claim.members[0] === undefined ? null : (state.mailboxes.get(claim.members[0].targets.mailboxId) ?? null)
    const probe = planProbe(claim, source, name)
    return (probe?.steps ?? []).map((step) => ({ part: 'recover' as const, mailbox: claim.fence?.path ?? null, step }))
  })
}

async function replaySteps({ options: { store } }: Synchroniser, state: ReplayState): Promise<PlannedStep[]> {
  const name = stepNamer()
  const onMailboxes = mailboxStepsAhead(state, { name, claimId: () => claimId('planned') })
  const steps: PlannedStep[] = onMailboxes.map((step) => ({ part: 'replay', mailbox: 'path' in step ? step.path : null, step }))
  for (const lane of planLanes(state)) {
    const rows = await store.planning.identities(lane.mailboxId, identitiesWanted(lane, state))
    const identities = new Map(rows.map((row) => [Number(row.uid), row]))
    const batch = planReplay(lane, state, { name, claimId: () => claimId('planned'), identities, marked: UidSet.EMPTY, rows: [] })
    const mailbox = state.mailboxes.get(lane.mailboxId)?.path ?? null
    steps.push(...batch.steps.map((step) => ({ part: 'replay' as const, mailbox, step })))
  }
  return steps
}

function resyncSteps({ mailboxes, seen }: AccountLook, state: ReplayState, options: PlanOptions, policy: Policy): PlannedStep[] {
  const name = stepNamer()
  const wanted = mailboxes.filter((mailbox) => options.mailboxes?.map(canonicalPath).includes(mailbox.path) ?? true)
  const visits = new Map(planVisits(wanted, seen, state.server).map((visit) => [visit.mailbox, visit]))
  return wanted.flatMap((mailbox) => {
    const { hold } = policyOf(mailbox, policy)
    const visit = visits.get(mailbox)
    const look = visit === undefined ? [] : lookSteps(visit, { hold, ...expungesOf(state.server, state.now) }, name)
    const window = planWindow({ mailbox, hold, now: state.now })
    const moved = window.kind === 'moved' ? { ...mailbox, window: window.window } : mailbox
    const missing = window.kind === 'search' ? planWindowSearch(mailbox, window.since, name) : planFill(moved, name)
    return [...look, ...missing].map((step) => ({ part: 'resync' as const, mailbox: mailbox.path, step }))
  })
}

function lookSteps(
  { mailbox, status, tier, reason }: Visit,
  request: Pick<ForwardRequest, 'hold' | 'expunges'>,
  name: StepNamer,
): readonly Step[] {
  const { steps } = planForward({ mailbox, status, tier, newMessages: 'fetch', ...request }, name)
  const [open, ...rest] = steps
  return open === undefined ? [] : [{ ...open, reason }, ...rest]
}

function waitingOf(state: ReplayState): SyncPlan['waiting'] {
  const { entries, now } = state
  return entries.flatMap((entry) => {
    const { seq, notBefore, operation, progress } = entry
    const parked = progress.find((group) => group.state === 'parked')
    if (parked !== undefined) return [{ seq, reason: `parked: ${parked.parkedFor ?? 'no reason'}` }]
    if (notBefore > now) return [{ seq, reason: 'waits before the next try' }]
    if (awaitsMailbox(entry, state)) return [{ seq, reason: 'waits for the mailbox to be made' }]
    if (!isOnMessages(operation)) return []
    const isLocal = progress.some((group) => group.state === 'queued' && group.targets.kind === 'local')
    return isLocal ? [{ seq, reason: 'waits for the server to name the message' }] : []
  })
}
