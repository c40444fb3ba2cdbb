/** Says what a synchronisation would do and why, without doing it. */

import { claimId, NO_CAPABILITIES, type Observation, type ServerProfile, type Step } from '@tidemail/core'
import {
  identitiesWanted,
  planFill,
  planForward,
  planLanes,
  planProbe,
  planReplay,
  planVisits,
  type ReplayState,
  stepNamer,
} from '@tidemail/planner'
import { type Claim, decodeClaim, decodeEntry } from '@tidemail/replay-log'
import type { PlannedStep, PlanOptions, SyncPlan } from './api.ts'
import { canonicalPath } from './canonical-path.ts'
import { lookAtAccount } from './discover.ts'
import { newTally, PRIORITY, type Synchroniser } from './synchroniser.ts'

/** The plan of the account. With `offline`, or for the part that needs no look at the server, from the store alone. */
export function planSync(synchroniser: Synchroniser, options: PlanOptions): Promise<SyncPlan> {
  return synchroniser.alone(PRIORITY.request, async () => {
    const { accountId, store, clock } = synchroniser.options
    const mailboxes = new Map((await store.planning.mailboxes(accountId)).map((mailbox) => [mailbox.id, mailbox]))
    const claims = (await store.planning.claims(accountId)).map(decodeClaim)
    const account = (await store.planning.accounts()).find((record) => record.id === accountId)
    const look = options.offline === true ? null : await lookNow(synchroniser, options)
    const state: ReplayState = {
      accountId,
      entries: (await store.planning.entries(accountId)).map(decodeEntry),
      claims,
      mailboxes,
      server: look?.server ?? account?.server ?? NO_CAPABILITIES,
      now: clock.now(),
    }
    const steps: PlannedStep[] = [
      ...recoverySteps(claims, state),
      ...(look === null ? [] : look.asked.map((step) => ({ part: 'list' as const, mailbox: null, step }))),
      ...(await replaySteps(synchroniser, state)),
      ...(look === null ? [] : resyncSteps(state, look.seen, options)),
    ]
    return { steps, waiting: waitingOf(state) }
  })
}

interface AccountLook {
  readonly seen: readonly Observation[]
  readonly asked: readonly Step[]
  readonly server: ServerProfile
}

async function lookNow(synchroniser: Synchroniser, options: PlanOptions): Promise<AccountLook> {
  const signal = synchroniser.signalWith(options.signal)
  const session = await synchroniser.connect(signal)
  const work = synchroniser.work(session, 0, newTally(), options, signal)
  await work.loadMailboxes()
  const { seen, asked } = await lookAtAccount(work)
  return { seen, asked, server: session.server }
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
  const steps: PlannedStep[] = []
  for (const lane of planLanes(state)) {
    const rows = await store.planning.identities(lane.mailboxId, identitiesWanted(lane, state))
    const identities = new Map(rows.map((row) => [Number(row.uid), row]))
    const batch = planReplay(lane, state, { name, claimId: () => claimId('planned'), identities })
    const mailbox = state.mailboxes.get(lane.mailboxId)?.path ?? null
    steps.push(...batch.steps.map((step) => ({ part: 'replay' as const, mailbox, step })))
  }
  return steps
}

function resyncSteps(state: ReplayState, seen: readonly Observation[], options: PlanOptions): PlannedStep[] {
  const name = stepNamer()
  const wanted = [...state.mailboxes.values()].filter(
    (mailbox) => options.mailboxes?.map(canonicalPath).includes(mailbox.path) ?? true,
  )
  return planVisits(wanted, seen, state.server).flatMap((visit) => {
    const { steps } = planForward({ mailbox: visit.mailbox, status: visit.status, tier: visit.tier, newMessages: 'fetch' }, name)
    const [open, ...rest] = steps
    const named = open === undefined ? [] : [{ ...open, reason: visit.reason }, ...rest]
    return [...named, ...planFill(visit.mailbox, name)].map((step) => ({
      part: 'resync' as const,
      mailbox: visit.mailbox.path,
      step,
    }))
  })
}

function waitingOf({ entries, now }: ReplayState): SyncPlan['waiting'] {
  return entries.flatMap(({ seq, notBefore, progress }) => {
    const parked = progress.find((group) => group.state === 'parked')
    if (parked !== undefined) return [{ seq, reason: `parked: ${parked.parkedFor ?? 'no reason'}` }]
    if (notBefore > now) return [{ seq, reason: 'waits before the next try' }]
    const isLocal = progress.some((group) => group.state === 'queued' && group.targets.kind === 'local')
    return isLocal ? [{ seq, reason: 'waits for the server to name the message' }] : []
  })
}
