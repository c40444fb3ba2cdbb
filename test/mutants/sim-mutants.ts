/** Ways to take away, one at a time, what keeps operations from being lost or done twice: the simulator must notice each. */

import type { Breakage } from './mutant-tree.ts'

export interface SimMutant extends Breakage {
  readonly name: string
  /** What the broken source does, as a sentence. */
  readonly breaks: string
}

export const SIM_MUTANTS: readonly SimMutant[] = [
  {
    name: 'no fence',
    breaks: 'a claim is written without what would tell later whether its step took effect',
    file: 'packages/planner/src/ledger.ts',
    find: "this.writes.push({ kind: 'put-claim', claim: encodeClaim(claim) })",
    replace: "this.writes.push({ kind: 'put-claim', claim: encodeClaim({ ...claim, fence: null }) })",
  },
  {
    name: 'no probe',
    breaks: 'what had no answer is sent again without a look at the server',
    file: 'packages/engine/src/recover.ts',
    find: 'const probe = isRepeatable(claim) ? null : probeOf(work, claim)',
    replace: 'const probe = null as ReturnType<typeof probeOf>',
  },
  {
    name: 'no ghost wait',
    breaks: 'a lost claim is decided at once, while the server may still carry it out',
    file: 'packages/planner/src/plan-recovery.ts',
    find: 'if (claim.lostAt !== null) return claim.lostAt + GHOST_QUIET_MS_MAX',
    replace: 'if (claim.lostAt !== null) return claim.lostAt',
  },
  {
    name: 'no rest for mailboxes',
    breaks: 'a mailbox whose last step has no answer is changed again',
    file: 'packages/planner/src/resting-mailboxes.ts',
    find: 'return new Set([...named, ...below])',
    replace: 'return new Set(named.length < 0 ? named : below)',
  },
  {
    name: 'claims never expire',
    breaks: 'a process that slept sends what it claimed long ago, though it may have been done since',
    file: 'packages/testing/src/simulated-session.ts',
    find: "if (isMutating(step) && this.#remote.clock.now() > step.notAfter) return 'not-sent'",
    replace: '',
  },
  {
    name: 'claims are not waited for',
    breaks: 'a claim of another tab is taken for lost though that may only sleep',
    file: 'packages/planner/src/plan-recovery.ts',
    find: "if (times.ownership === 'process' && claim.claimedAt < times.startedAt)",
    replace: 'if (claim.claimedAt < times.startedAt)',
  },
  {
    name: 'no `requires`',
    breaks: 'a mailbox is expunged although the marks of others could not be taken off',
    file: 'packages/planner/src/removal-steps.ts',
    find: '{ ...step, requires: [before.id] }',
    replace: '{ ...step, after: [before.id] }',
  },
  {
    name: 'no folding guard for COPY',
    breaks: 'a message is folded past the mailbox in which it was to be copied',
    file: 'packages/planner/src/ready-messages.ts',
    find: 'if (!isReady || !this.canFold(operation, uids)) {\n',
    replace: "if (operation.kind === 'copy') return\n    if (!isReady || !this.canFold(operation, uids)) {\n",
  },
  {
    name: 'no precondition of H-12',
    breaks: 'the mod-sequence moves past flags that nobody asked for',
    file: 'packages/planner/src/take-forward.ts',
    find: 'return plan.bringsFlags ? opened.highestModSeq :',
    replace: 'return plan.openId ? opened.highestModSeq :',
  },
]
