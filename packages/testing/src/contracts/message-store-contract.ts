/** What every message store must do, as a suite that runs on each. */

import type { MessageStore } from '@tidemail/core'
import type { Clause, Harness } from './harness.ts'
import { EVICTION_CLAUSES } from './store/eviction-contract.ts'
import { FORWARD_CLAUSES } from './store/forward-contract.ts'
import { LOG_CLAUSES } from './store/log-contract.ts'
import { MAILBOX_CLAUSES } from './store/mailbox-contract.ts'
import { describeModel } from './store/model-contract.ts'
import { PARTS_CLAUSES } from './store/parts-contract.ts'
import { ROWS_CLAUSES } from './store/rows-contract.ts'
import { VIEW_CLAUSES } from './store/view-contract.ts'

export interface MessageStoreContract {
  /** Opens an empty store. */
  open(): Promise<MessageStore>
  /** How many random histories are compared with the memory store; left out: a few. */
  readonly modelRuns?: number
}

/**
 * Describes the contract for one store. The harness is vitest's `describe` and `it`, or anything like them.
 * @example
 * describeMessageStore({ describe, it }, 'memory', { open: async () => new MemoryMessageStore() })
 */
export function describeMessageStore(harness: Harness, name: string, { open, modelRuns }: MessageStoreContract): void {
  const check = ({ says, holds }: Clause): void =>
    harness.it(says, async () => {
      const store = await open()
      try {
        await holds(store)
      } finally {
        await store.close()
      }
    })
  harness.describe(`the message store contract: ${name}`, () => {
    harness.describe('server state', () => ROWS_CLAUSES.forEach(check))
    harness.describe('eviction', () => EVICTION_CLAUSES.forEach(check))
    harness.describe('parts', () => PARTS_CLAUSES.forEach(check))
    harness.describe('log', () => LOG_CLAUSES.forEach(check))
    harness.describe('forwards', () => FORWARD_CLAUSES.forEach(check))
    harness.describe('view', () => VIEW_CLAUSES.forEach(check))
    harness.describe('mailboxes', () => MAILBOX_CLAUSES.forEach(check))
    harness.describe('model', () => describeModel(harness, open, modelRuns))
  })
}
