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
    // The adapter refuses what is too late; the simulator has an adapter of its own (test/sim/imap-session holds the real one to it).
    breaks: 'a process that slept sends what it claimed long ago, though it may have been done since',
    file: 'packages/testing/src/simulated-session.ts',
    find: "if (isMutating(step) && this.#remote.clock.now() > step.notAfter) return 'not-sent'",
    replace: '',
  },
  {
    name: 'messages are sent late',
    breaks: 'a process that slept hands over a message that another tab has taken for undecidable by then',
    file: 'packages/engine/src/submit-messages.ts',
    find: 'const isInTime = clock.now() <= (claim.submission?.notAfter ?? 0)',
    replace: 'const isInTime = clock.now() > 0',
  },
  {
    name: 'claims outlive their process',
    breaks: 'what a dead tab had claimed is not decided for hours',
    file: 'packages/planner/src/message-batch.ts',
    find: 'return this.state.now + CLAIM_LIFE_MS',
    replace: 'return this.state.now + 1_000 * CLAIM_LIFE_MS',
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
    name: 'the head of the line blocks',
    breaks: 'behind what is not due yet nothing is sent',
    file: 'packages/planner/src/plan-replay.ts',
    find: 'if (!isDue(entry, state.now) || awaitsMailbox(entry, state)) continue',
    replace: 'if (!isDue(entry, state.now) || awaitsMailbox(entry, state)) break',
  },
  {
    name: 'no folding guard for COPY',
    breaks: 'a message is folded past the mailbox in which it was to be copied',
    file: 'packages/planner/src/ready-messages.ts',
    find: 'if (!isReady || !this.canFold(operation, entry, uids)) {\n',
    replace: "if (operation.kind === 'copy') return\n    if (!isReady || !this.canFold(operation, entry, uids)) {\n",
  },
  {
    name: 'no precondition of H-12',
    breaks: 'the mod-sequence moves past flags that nobody asked for',
    file: 'packages/planner/src/take-forward.ts',
    find: 'return plan.bringsFlags ? opened.highestModSeq :',
    replace: 'return plan.openId ? opened.highestModSeq :',
  },
  {
    name: 'probes decide nothing',
    breaks: 'whatever a probe finds, the user is asked',
    file: 'packages/planner/src/conclude-probe.ts',
    find: '    const row = certain.get(message.of)\n    if (row !== undefined) {',
    replace:
      "    const row = certain.get(message.of)\n    if (messages.length > 0) return { kind: 'uncertain', of: message.of, possible: [] }\n    if (row !== undefined) {",
  },
  {
    name: 'refused is applied',
    breaks: 'what the server refused for good is told to be done',
    file: 'packages/replay-log/src/transition.ts',
    find: "return as('rejected', happening.evidence)",
    replace: "return as('applied', happening.evidence)",
  },
]
