/** Takes in what others did: every mailbox that moved, INBOX first, then what is missing of each, newest first. */

import {
  type Done,
  type MailboxId,
  type MailboxRecord,
  missingRows,
  type Observation,
  type Step,
  type UidSet,
} from '@tidemail/core'
import { mailboxesWithOpenClaims, planFill, planReturn, planVisits, takeFill, type Visit } from '@tidemail/planner'
import { decodeEntry } from '@tidemail/replay-log'
import { bringForward } from './bring-forward.ts'
import { replayState } from './change-log.ts'
import type { Discovery } from './discover.ts'
import { holdWindows } from './hold-windows.ts'
import { mayReadAgain, RUNS_MAX } from './refused-items.ts'
import { relinkMailboxes } from './relink.ts'
import type { Work } from './work.ts'

/** Runs of chunks for one mailbox in one pass: more than any mailbox needs; it ends a loop that a server could cause. */
const FILL_RUNS_MAX = 1_000

/** Brings forward and fills what moved, and what the replay touched. A mailbox with an unanswered claim waits for its recovery (H-11). */
export async function resync(work: Work, discovery: Discovery, touched: ReadonlySet<number>): Promise<void> {
  work.options.onPhase('resyncing')
  const waiting = await waitingMailboxes(work)
  const visits = visitsNow(work, discovery, touched).filter((visit) => !waiting.has(visit.mailbox.id))
  await bringForward(work, visits.toSorted(inboxFirst), 'fetch')
  await fetchMissing(work, waiting)
  await relinkMailboxes(work)
}

/** Those with a claim that has no answer yet. */
export async function waitingMailboxes(work: Work): Promise<Set<MailboxId>> {
  return mailboxesWithOpenClaims(await replayState(work))
}

/** Moves the windows, and fetches what is missing in them. */
export async function fetchMissing(work: Work, waiting: ReadonlySet<MailboxId>): Promise<void> {
  const undecided = await holdWindows(work, waiting)
  await fetchNamed(work, waiting)
  const incomplete = [...work.mailboxes.values()]
    .filter((mailbox) => work.isWanted(mailbox) && !waiting.has(mailbox.id) && !undecided.has(mailbox.id))
    .filter((mailbox) => !missingRows(mailbox).isEmpty)
  for (const { mailbox } of incomplete.map((mailbox) => ({ mailbox })).toSorted(inboxFirst)) await fill(work, mailbox)
}

/** What the look at the account told, and the mailboxes that our own replay has changed since: of those STATUS is out of date. */
function visitsNow(work: Work, { seen, visits }: Discovery, touched: ReadonlySet<number>): Visit[] {
  const replayed = [...work.mailboxes.values()].filter(
    (mailbox) => touched.has(mailbox.id) && work.isWanted(mailbox) && mailbox.isSelectable,
  )
  const outdated = new Set(replayed.map((mailbox) => mailbox.path))
  const stillTrue = seen.filter((item) => item.kind !== 'status' || !outdated.has(item.path))
  return [...visits.filter((visit) => !touched.has(visit.mailbox.id)), ...planVisits(replayed, stillTrue, work.server)]
}

/** Fetches again what was evicted, and an operation was accepted on since. */
async function fetchNamed(work: Work, waiting: ReadonlySet<MailboxId>): Promise<void> {
  const windowed = [...work.mailboxes.values()].filter(
    (mailbox) => mailbox.window?.box === mailbox.box && work.isWanted(mailbox) && !waiting.has(mailbox.id),
  )
  if (windowed.length === 0) return
  const entries = (await work.options.store.planning.entries(work.options.accountId)).map(decodeEntry)
  for (const mailbox of windowed) {
    const uids = planReturn(mailbox, entries)
    if (!uids.isEmpty) await fetchSummaries(work, mailbox, uids)
  }
}

/** True when all was answered. */
function fetchSummaries(work: Work, mailbox: MailboxRecord, uids: UidSet): Promise<boolean> {
  return fetchInto(work, mailbox, planFill(mailbox, work.name, uids), async (rows) => {
    const now = work.mailboxes.get(mailbox.id) ?? mailbox
    const { writes, fetched } = takeFill(now, rows)
    await work.commit(`fetch messages of ${mailbox.path}`, writes, { boxes: [{ mailboxId: mailbox.id, box: mailbox.box }] })
    work.options.tally.messagesFetched += fetched
    work.tellMessages(mailbox.path)
  })
}

/** Fetches the summaries that are missing of a mailbox, newest first. */
export async function fill(work: Work, visited: MailboxRecord): Promise<void> {
  for (let runs = 0; runs < FILL_RUNS_MAX; runs += 1) {
    const mailbox = work.mailboxes.get(visited.id)
    if (mailbox?.checkpoint === undefined || mailbox.checkpoint === null) return
    const before = mailbox.checkpoint.covered.size
    const isComplete = await fetchSummaries(work, mailbox, missingRows(mailbox))
    const after = work.mailboxes.get(mailbox.id)
    if (after === undefined || missingRows(after).isEmpty) return
    await work.attendRequests()
    if ((after.checkpoint?.covered.size ?? 0) > before) continue
    // Nothing came: what is missing is gone, or never was; only the whole of the mailbox tells.
    if (isComplete) await lookAtAll(work, mailbox)
    return
  }
}

/** Lists every message that there is: a server that named one that does not exist would have it asked for at every synchronisation. */
async function lookAtAll(work: Work, mailbox: MailboxRecord): Promise<void> {
  const reason = 'messages that were announced are not there'
  await bringForward(work, [{ mailbox, status: null, tier: 'plain', reason }], 'fetch')
}

/** Runs the steps and hands over what each of them brought, as soon as it is answered. True when all were answered with OK. */
async function fetchInto(
  work: Work,
  mailbox: MailboxRecord,
  steps: readonly Step[],
  take: (observations: readonly Observation[]) => Promise<void>,
): Promise<boolean> {
  let left = steps
  let failed = await streamInto(work, mailbox, left, take)
  for (let runs = 1; runs < RUNS_MAX && (await mayReadAgain(work, left, failed)); runs += 1) {
    const failedIds = new Set(failed.map(({ id }) => id))
    left = left.filter(({ id, kind }) => kind === 'open' || failedIds.has(id))
    failed = await streamInto(work, mailbox, left, take)
  }
  const isComplete = failed.length === 0
  if (!isComplete)
    work.problem({
      code: 'sync.incomplete',
      message: `Not all of ${mailbox.path} could be read.`,
      mailbox: mailbox.path,
      seq: null,
    })
  return isComplete
}

/** Answers which steps were not answered with OK. */
async function streamInto(
  work: Work,
  mailbox: MailboxRecord,
  steps: readonly Step[],
  take: (observations: readonly Observation[]) => Promise<void>,
): Promise<readonly Done[]> {
  const failed: Done[] = []
  let pending: Observation[] = []
  // A mailbox that is open is not opened again (RFC 4549 §5.2).
  const needed = work.isOpen(mailbox) ? steps.filter((step) => step.kind !== 'open') : steps
  for await (const item of work.stream(needed)) {
    pending.push(item)
    if (item.kind !== 'done') continue
    if (item.outcome === 'ok') await take(pending)
    else failed.push(item)
    pending = []
  }
  work.assertAlive()
  return failed
}

export function inboxFirst(a: { readonly mailbox: MailboxRecord }, b: { readonly mailbox: MailboxRecord }): number {
  const rank = ({ mailbox }: { readonly mailbox: MailboxRecord }): number =>
    mailbox.role === 'inbox' || mailbox.path === 'INBOX' ? 0 : 1
  return rank(a) - rank(b)
}
