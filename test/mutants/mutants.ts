/** One way to break each invariant: an exact piece of the source, what to put in its place, and the test that must go red. */

export interface Mutant {
  readonly invariant: string
  /** What the broken source does, as a sentence. */
  readonly breaks: string
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** A test file of the project `unit`. */
  readonly test: string
  /** Where the test runs a contract suite, the file of the suite that cites the invariant; else the test itself does. */
  readonly suite?: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    invariant: 'I-STORE-1',
    breaks: 'a checkpoint is written although the answers that justify it were cut short',
    file: 'packages/planner/src/take-forward.ts',
    find: "  if (!plan.steps.every((step) => endings.some((done) => done.id === step.id && done.outcome === 'ok')))\n    return failureOf(plan, endings)\n",
    replace: '',
    test: 'packages/planner/src/plan-forward.test.ts',
  },
  {
    invariant: 'I-STORE-2',
    breaks: 'a message to upload is gone from the view once its entry is parked',
    file: 'packages/replay-log/src/effects-of.ts',
    find: 'if (progress.length === 0) return []\n',
    replace: "if (progress.every(({ state }) => state === 'parked')) return []\n",
    test: 'packages/replay-log/src/effects-of.test.ts',
  },
  {
    invariant: 'I-STORE-3',
    breaks: 'the view shows the flags of the server although an operation that changes them is pending',
    file: 'packages/core/src/fold-view.ts',
    find: 'flagsOf: (uid, base) => intents.apply(uid, base),',
    replace: 'flagsOf: (_uid, base) => base,',
    test: 'packages/core/src/fold-view.test.ts',
  },
  {
    invariant: 'I-LOG-1',
    breaks: 'an operation is accepted without its effect on the view',
    file: 'packages/store/src/dexie-message-store.ts',
    find: 'await putEntry(unit, entry)',
    replace: 'await putEntry(unit, { ...entry, effects: [] })',
    test: 'test/sim/message-store.test.ts',
    suite: 'packages/testing/src/contracts/store/log-contract.ts',
  },
  {
    invariant: 'I-LOG-2',
    breaks: 'targets leave the log when the answer to their step is lost',
    file: 'packages/replay-log/src/entry-lifecycle.ts',
    find: "    lost: 'unknown',\n    // A process that died",
    replace: "    lost: 'settled',\n    // A process that died",
    test: 'packages/replay-log/src/transition.test.ts',
  },
  {
    invariant: 'I-LOG-3',
    breaks: 'a copy, move or append whose answer was lost is sent again without a probe',
    file: 'packages/engine/src/recover.ts',
    find: 'const probe = isRepeatable(claim) ? null : probeOf(work, claim)',
    replace: 'const probe = isRepeatable(claim) || claim.steps.length > 0 ? null : probeOf(work, claim)',
    test: 'test/sim/engine.sim.test.ts',
  },
  {
    invariant: 'I-LOG-4',
    breaks: 'folded flag changes forget that a later one takes an earlier one back',
    file: 'packages/planner/src/fold-flags.ts',
    find: '[opposite]: intent[opposite].difference(uids),',
    replace: '[opposite]: intent[opposite],',
    test: 'test/sim/folding.test.ts',
  },
  {
    invariant: 'I-LOG-4',
    breaks: 'a message is folded past the mailbox in which it was to be copied',
    file: 'packages/planner/src/ready-messages.ts',
    find: 'if (!isReady || !this.canFold(operation, entry, uids)) {\n',
    replace: "if (operation.kind === 'copy') return\n    if (!isReady || !this.canFold(operation, entry, uids)) {\n",
    test: 'packages/planner/src/plan-replay.test.ts',
  },
  {
    invariant: 'I-LOG-5',
    breaks: 'a step is sent although one that it requires was refused',
    file: 'packages/imap/src/plan-run.ts',
    find: "required.done.outcome !== 'ok') return 'skipped'",
    replace: "required.done.outcome === 'unknown') return 'skipped'",
    test: 'test/wire/imap-session.test.ts',
  },
  {
    invariant: 'I-SYNC-1',
    breaks: 'the mod-sequence moves past flags that nobody asked for',
    file: 'packages/planner/src/take-forward.ts',
    find: 'return plan.bringsFlags ? opened.highestModSeq :',
    replace: 'return plan.openId ? opened.highestModSeq :',
    test: 'test/sim/engine.sim.test.ts',
  },
  {
    invariant: 'I-SYNC-2',
    breaks: 'VANISHED is believed although what is left is not as many as EXISTS',
    file: 'packages/planner/src/trust-checks.ts',
    find: 'return exists !== null && known.size === exists',
    replace: 'return exists !== null || known.size === exists',
    test: 'packages/planner/src/plan-forward.test.ts',
  },
  {
    invariant: 'I-SYNC-3',
    breaks: 'what a killed process was sending is never decided',
    file: 'packages/planner/src/plan-recovery.ts',
    find: "if (times.ownership === 'process' && claim.claimedAt < times.startedAt) return times.startedAt + GHOST_QUIET_MS_MAX",
    replace: "if (times.ownership === 'process' && claim.claimedAt < times.startedAt) return Number.MAX_SAFE_INTEGER",
    test: 'test/sim/engine.sim.test.ts',
  },
  {
    invariant: 'I-SYNC-4',
    breaks: 'an earlier leader may go on writing',
    file: 'packages/store/src/check-expectation.ts',
    find: 'leaderEpoch === expect.leaderEpoch)',
    replace: 'leaderEpoch >= (expect.leaderEpoch ?? 0))',
    test: 'test/sim/message-store.test.ts',
    suite: 'packages/testing/src/contracts/store/log-contract.ts',
  },
  {
    invariant: 'I-NET-1',
    breaks: 'a server may be silent for ever',
    file: 'packages/imap/src/answer-guard.ts',
    find: 'const leftMs = this.#dueMs() - clock.now()',
    replace: 'const leftMs = Number.MAX_SAFE_INTEGER',
    test: 'test/wire/imap-session.test.ts',
  },
  {
    invariant: 'I-NET-2',
    breaks: 'UIDs are asked for under a UIDVALIDITY that the server never gave',
    file: 'packages/planner/src/plan-forward.ts',
    find: 'if (uidValidity === null) return { ...base, wholeListId: null, bringsFlags: false, steps: [open] }\n  const identity = { path: request.mailbox.path, uidValidity }',
    replace: 'const identity = { path: request.mailbox.path, uidValidity: uidValidity ?? (1 as UidValidity) }',
    test: 'packages/planner/src/plan-forward.test.ts',
  },
  {
    invariant: 'I-SYNC-5',
    breaks: 'with CONDSTORE changed flags are not asked for when STATUS has told of them',
    file: 'packages/planner/src/plan-forward.ts',
    find: 'const hasFlagNews = request.status === null || request.status.highestModSeq !== modSeq',
    replace: 'const hasFlagNews = request.status === null',
    test: 'test/sim/windows.test.ts',
  },
  {
    invariant: 'I-SEC-1',
    breaks: 'an error repeats the password when the server does',
    file: 'packages/imap/src/server-text.ts',
    find: "masked = masked.replaceAll(secret, '***')",
    replace: "masked = masked.replaceAll('***', secret)",
    test: 'test/wire/imap-connect.test.ts',
  },
]
