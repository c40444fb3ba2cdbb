/** What a simulated connection is told of mailboxes that it has not open, as NOTIFY would (RFC 5465). */

import type { Observation, StatusSeen, WatchRequest } from '@tidemail/core'
import type { ModelAccount } from './model/account.ts'
import type { ModelMailbox } from './model/mailbox.ts'
import { type Extensions, statusRow } from './simulated-observations.ts'

export interface SimulatedNewsOptions {
  readonly beside: WatchRequest['beside']
  readonly onNews: () => void
}

export class SimulatedNews {
  readonly stop: () => void
  readonly #account: ModelAccount
  readonly #extensions: Extensions
  readonly #covers: (path: string) => boolean
  readonly #stirred = new Set<string | null>()

  constructor(
    { account, extensions }: { readonly account: ModelAccount; readonly extensions: Extensions },
    { beside, onNews }: SimulatedNewsOptions,
  ) {
    this.#account = account
    this.#extensions = extensions
    this.#covers = (path) => beside === 'personal' || beside.includes(path)
    this.stop = account.listen(({ mailbox, event }) => {
      if (beside.length === 0) return
      const isOfNames = event.kind === 'created' || event.kind === 'deleted' || event.kind === 'renamed'
      if (isOfNames) this.#stirred.add(null)
      else if (this.#covers(mailbox.path)) this.#stirred.add(mailbox.path)
      onNews()
    })
  }

  /** The state of the mailboxes that are asked for, but for the open one. */
  statuses(open: ModelMailbox | null): readonly StatusSeen[] {
    return this.#account.mailboxes
      .filter((mailbox) => mailbox !== open && this.#covers(mailbox.path))
      .map((mailbox) => statusRow(mailbox, this.#extensions))
  }

  take(): readonly Observation[] {
    const told = [...this.#stirred].map((path) => ({ kind: 'stirred' as const, path }))
    this.#stirred.clear()
    return told
  }
}
