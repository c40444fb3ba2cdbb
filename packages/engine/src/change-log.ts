/** Changes the replay log, in one transaction with whatever belongs to the change; decided again when an operation was accepted meanwhile. */

import { type ClaimId, type MailboxId, type MailboxRecord, SyncError, type Write } from '@tidemail/core'
import { Ledger, type ReplayState } from '@tidemail/planner'
import { type Claim, decodeClaim, decodeEntry, isOpenClaim } from '@tidemail/replay-log'
import { notLeader, type Work } from './work.ts'

/** Decisions on one change; more means that something else than an operation of the user stands in the way. */
const DECISIONS_MAX = 50

/** The log, the open claims and the mailboxes as they are now. */
export async function replayState(work: Work): Promise<ReplayState> {
  return (await readLog(work)).state
}

/** With the state, every claim that is kept, open or not. */
async function readLog(work: Work): Promise<{ readonly state: ReplayState; readonly kept: ReadonlySet<ClaimId> }> {
  const { accountId, clock, store } = work.options
  const [records, claims] = await Promise.all([store.planning.entries(accountId), store.planning.claims(accountId)])
  const entries = records.map(decodeEntry)
  if (entries.some(({ operation }) => operation.kind === 'create-mailbox' && !work.mailboxes.has(operation.mailboxId)))
    await work.loadNewMailboxes()
  const state: ReplayState = {
    accountId,
    entries,
    claims: claims.map(decodeClaim).filter(isOpenClaim),
    mailboxes: work.mailboxes,
    server: work.server,
    now: clock.now(),
    marksLeft: work.marksLeft,
  }
  return { state, kept: new Set(claims.map(({ id }) => id)) }
}

export interface LogChange {
  readonly reason: string
  /** What is settled by it. Another engine that took over may have settled it already: then this one leads no more. */
  readonly claims?: readonly Claim[]
  /** Tells the ledger what became of what; called anew for each decision. */
  readonly decide?: (ledger: Ledger) => void
  /** The mailboxes as they will be, made of those there are; left out: as they are. */
  readonly mailboxes?: (now: ReadonlyMap<MailboxId, MailboxRecord>) => ReadonlyMap<MailboxId, MailboxRecord>
  /** Written with it, after it. */
  readonly writes?: readonly Write[]
}

/** @throws SyncError `engine.bug` when no decision can be written; `engine.not-leader` when a claim is not there any more */
export async function changeLog(work: Work, { reason, claims = [], decide, mailboxes, writes = [] }: LogChange): Promise<void> {
  for (let decisions = 0; decisions < DECISIONS_MAX; decisions += 1) {
    const { state, kept } = await readLog(work)
    const open = new Set(state.claims.map(({ id }) => id))
    if (claims.some((claim) => !(isOpenClaim(claim) ? open : kept).has(claim.id))) throw notLeader()
    const ledger = new Ledger({
      entries: state.entries,
      mailboxes: mailboxes?.(work.mailboxes) ?? work.mailboxes,
      now: state.now,
    })
    decide?.(ledger)
    const change = ledger.change()
    if (!(await work.commit(reason, [...change.writes, ...writes], change.expect))) continue
    work.options.tally.entriesSettled += ledger.settledCount
    return
  }
  throw new SyncError('engine.bug', `The replay log could not be changed: ${reason}.`)
}
