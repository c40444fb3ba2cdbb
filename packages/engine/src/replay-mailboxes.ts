/** Sends what the user did to mailboxes as such: one operation at a time, each claimed before it is sent and settled when it is answered. */

import { claimId } from '@tidemail/core'
import {
  Ledger,
  type MailboxPlan,
  planMailboxOperations,
  type ReplayState,
  settleMailboxClaim,
  settleMootOperations,
} from '@tidemail/planner'
import { changeLog, replayState } from './change-log.ts'
import type { Work } from './work.ts'

/** Operations on mailboxes in one go; what is left waits for the next. */
const OPERATIONS_MAX = 1_000

/** Carries out what is ready, in the user's order. Adds the mailboxes that it changed to `touched`: what was seen of them is out of date. */
export async function replayMailboxes(work: Work, touched: Set<number>): Promise<void> {
  for (let operations = 0; operations < OPERATIONS_MAX; operations += 1) {
    const state = await replayState(work)
    const plan = planMailboxOperations(state, { name: work.name, claimId: () => claimId(work.options.random.id()) })
    if (plan.claim === null && plan.moot.length === 0) return
    const before = new Map(work.mailboxes)
    if (!(await claimPlan(work, plan, state)) || plan.claim === null) continue
    const { claim, steps } = plan
    const observations = await work.run(steps)
    await changeLog(work, {
      reason: 'settle what the server answered',
      claims: [claim],
      decide: (ledger) => settleMailboxClaim(claim, observations, ledger),
    })
    for (const { targets } of claim.members) touched.add(targets.mailboxId)
    for (const [id, { path }] of work.mailboxes) if (before.get(id)?.path !== path) touched.add(id)
    work.assertAlive()
  }
}

/** One change: what needs no answer, and the claim. */
async function claimPlan(work: Work, { claim, moot }: MailboxPlan, state: ReplayState): Promise<boolean> {
  const ledger = new Ledger({ entries: state.entries, mailboxes: work.mailboxes, now: state.now })
  settleMootOperations(moot, ledger)
  if (claim !== null) ledger.claim(claim)
  const { writes, expect } = ledger.change()
  const isWritten = await work.commit('claim an operation on a mailbox', writes, expect)
  if (isWritten) work.options.tally.entriesSettled += ledger.settledCount
  return isWritten
}
