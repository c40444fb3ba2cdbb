/** Puts together what works in an engine: what accepts operations, what synchronises, and what does so in the background. */

import type { Conditions } from '@tidemail/planner'
import { checkPolicy, DEFAULT_POLICY } from '@tidemail/planner'
import type { EngineStatus, MailEngineOptions } from './api.ts'
import { Background } from './background.ts'
import type { LiveValue } from './live-value.ts'
import { Operations } from './operations.ts'
import { ReceiptsWatch } from './receipts-watch.ts'
import { Synchroniser } from './synchroniser.ts'
import { systemClock, systemRandom } from './system-ports.ts'

export interface EngineParts {
  readonly receiptsWatch: ReceiptsWatch
  readonly synchroniser: Synchroniser
  readonly background: Background
  readonly operations: Operations
}

export interface EngineHooks {
  readonly status: LiveValue<EngineStatus>
  readonly conditions: () => Conditions
  /** Throws `engine.closed` once the engine is closed. */
  readonly assertOpen: () => void
}

/** @throws SyncError `input.usage` for a policy that is none */
export function makeParts(options: MailEngineOptions, { status, conditions, assertOpen }: EngineHooks): EngineParts {
  const { store, account, clock = systemClock, random = systemRandom, submitter = null } = options
  const receiptsWatch = new ReceiptsWatch(store, account.id)
  const synchroniser = new Synchroniser({
    accountId: account.id,
    store,
    remote: options.remote,
    submitter,
    policy: checkPolicy({ ...DEFAULT_POLICY, ...options.policy }),
    conditions,
    serverProfile: options.serverProfile ?? null,
    clock,
    random,
    log: options.log ?? (() => {}),
    status,
  })
  const background = new Background({ synchroniser, clock, random, status })
  const operations = new Operations({
    accountId: account.id,
    store,
    clock,
    assertOpen,
    onAccepted: () => background.wake(),
    settled: (seq) => receiptsWatch.settled(seq),
    submitter,
  })
  return { receiptsWatch, synchroniser, background, operations }
}
