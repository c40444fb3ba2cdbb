/** The effects of what waits in the replay log of an account, kept in memory while the log has only grown. */

import type { AccountId, BoxEpoch, EntrySeq, MailboxId, ViewEffect } from '@tidemail/core'
import { decodeEntryRow } from './apply-log.ts'
import type { AccountRow, EntryRow, StoreDatabase } from './schema.ts'

export interface PendingLog {
  /** The revision of the store when the log last changed. */
  readonly revision: number
  /** Those of each entry, in order. */
  readonly log: readonly (readonly ViewEffect[])[]
  /** All of them, in order. */
  readonly effects: readonly ViewEffect[]
  /** Mailboxes that some effect names. */
  readonly mailboxes: ReadonlySet<MailboxId>
  /** Boxes that effects place messages from. */
  readonly origins: ReadonlyMap<BoxEpoch, MailboxId>
  readonly newest: EntrySeq | null
}

const EMPTY: PendingLog = { revision: 0, log: [], effects: [], mailboxes: new Set(), origins: new Map(), newest: null }

export class PendingLogs {
  readonly #held: Map<AccountId, PendingLog> = new Map()

  /** As of the transaction at hand, which must not have written to the log yet. */
  async read(db: StoreDatabase, accountId: AccountId): Promise<PendingLog> {
    const account = await db.accounts.get(accountId)
    if (account === undefined) return EMPTY
    const held = this.#held.get(accountId)
    if (held?.revision === account.logRevision) return held
    const now = { ...(await readOn(db, account, held)), revision: account.logRevision }
    this.#held.set(accountId, now)
    return now
  }
}

/** Only the new entries, where none of those held has changed or gone. */
async function readOn(db: StoreDatabase, { id, logRewritten }: AccountRow, held: PendingLog | undefined): Promise<PendingLog> {
  if (held?.newest == null || logRewritten === undefined || logRewritten > held.revision) {
    return grown(EMPTY, await db.entries.where('accountId').equals(id).toArray())
  }
  const rows = await db.entries.where('seq').above(held.newest).toArray()
  return grown(
    held,
    rows.filter(({ accountId }) => accountId === id),
  )
}

function grown(before: PendingLog, rows: readonly EntryRow[]): PendingLog {
  const log = rows.map((row) => decodeEntryRow(row).effects)
  const mailboxes = new Set(before.mailboxes)
  const origins = new Map(before.origins)
  for (const effect of log.flat()) {
    if (effect.kind === 'flags' || effect.kind === 'hide') mailboxes.add(effect.on.mailboxId)
    else if (effect.kind === 'new' || effect.kind === 'place') mailboxes.add(effect.mailboxId)
    if (effect.kind === 'place' && effect.from.kind === 'stored') {
      mailboxes.add(effect.from.mailboxId)
      origins.set(effect.from.box, effect.from.mailboxId)
    }
  }
  return {
    ...before,
    log: [...before.log, ...log],
    effects: [...before.effects, ...log.flat()],
    mailboxes,
    origins,
    newest: rows.at(-1)?.seq ?? before.newest,
  }
}
