/** Changes the replay log, in one transaction with whatever belongs to the change; decided again when an operation was accepted meanwhile. */

import { type MailboxId, type MailboxRecord, SyncError, type Write } from '@tidemail/core'
import { Ledger, type ReplayState } from '@tidemail/planner'
import { decodeClaim, decodeEntry } from '@tidemail/replay-log'
import type { Work } from './work.ts'

/** Decisions on one change; more means that something else than an operation of the user stands in the way. */
const DECISIONS_MAX = 50

/** The log, the claims and the mailboxes as they are now. */
export async function replayState(work: Work): Promise<ReplayState> {
  const { accountId, clock, session, store } = work.options
  const [entries, claims] = await Promise.all([store.planning.entries(accountId), store.planning.claims(accountId)])
  return {
    accountId,
    entries: entries.map(decodeEntry),
    claims: claims.map(decodeClaim),
    mailboxes: work.mailboxes,
    server: session.server,
    now: clock.now(),
  }
}

export interface LogChange {
  readonly reason: string
  /** Tells the ledger what became of what; called anew for each decision. */
  readonly decide?: (ledger: Ledger) => void
  /** The mailboxes as they will be; left out: as they are. */
  readonly mailboxes?: ReadonlyMap<MailboxId, MailboxRecord>
  /** Written with it, after it. */
  readonly writes?: readonly Write[]
}

/** @throws SyncError `engine.bug` when no decision can be written */
export async function changeLog(work: Work, { reason, decide, mailboxes, writes = [] }: LogChange): Promise<void> {
  for (let decisions = 0; decisions < DECISIONS_MAX; decisions += 1) {
    const state = await replayState(work)
    const ledger = new Ledger({ entries: state.entries, mailboxes: mailboxes ?? work.mailboxes, now: state.now })
    decide?.(ledger)
    const change = ledger.change()
    if (!(await work.commit(reason, [...change.writes, ...writes], change.expect))) continue
    work.options.tally.entriesSettled += ledger.settledCount
    return
  }
  throw new SyncError('engine.bug', `The replay log could not be changed: ${reason}.`)
}
