/** The durable record of what became of an operation, with its evidence. */

import type { AccountId, EntrySeq } from '@tidemail/core'
import type { Settlement } from './entry.ts'
import type { Operation } from './operation.ts'

export interface Receipt {
  readonly seq: EntrySeq
  readonly accountId: AccountId
  readonly operation: Operation
  /** Milliseconds since 1970. */
  readonly acceptedAt: number
  readonly settledAt: number
  /** One outcome per group of targets; together all targets of the operation. */
  readonly outcomes: readonly Settlement[]
}
