/** Hands messages over to the submission server, at most once each (I-LOG-3). */

import { claimId, type EntrySeq, type SubmissionOutcome, type Submitter, SyncError } from '@tidemail/core'
import { claimSubmission, type DueSubmission, dueSubmissions, Ledger, settleSubmission } from '@tidemail/planner'
import type { Claim } from '@tidemail/replay-log'
import { changeLog, replayState } from './change-log.ts'
import type { Work } from './work.ts'

/** Everything that is due, in order, each once a pass. The copies for Sent are uploads, and follow. */
export async function submitMessages(work: Work): Promise<void> {
  const { signal, submitter } = work.options
  if (submitter === null) return
  const tried = new Set<EntrySeq>()
  for (;;) {
    if (signal.aborted) throw new SyncError('engine.aborted', 'The synchronisation was interrupted.')
    const due = dueSubmissions(await replayState(work)).find(({ entry }) => !tried.has(entry.seq))
    if (due === undefined) return
    tried.add(due.entry.seq)
    work.options.onPhase('replaying')
    await submitOne(work, submitter, due)
  }
}

async function submitOne(work: Work, submitter: Submitter, due: DueSubmission): Promise<void> {
  const { clock, random, store } = work.options
  const bytes = await store.planning.body(due.operation.message.bodyId).catch((error: unknown) => {
    if (error instanceof SyncError && error.code === 'store.corrupt') return error
    throw error
  })
  if (bytes instanceof SyncError) return parkUnreadable(work, due, bytes)
  const claim = claimSubmission(due, claimId(random.id()), clock.now())
  if (!(await writeClaim(work, claim))) return
  const isInTime = clock.now() <= (claim.submission?.notAfter ?? 0)
  const outcome = isInTime ? await handOver(work, submitter, due, bytes, claim) : NOT_IN_TIME
  if (outcome.kind === 'unreachable') {
    work.problem({ code: 'remote.unreachable', message: outcome.text, mailbox: null, seq: due.entry.seq })
  }
  await changeLog(work, {
    reason: 'settle what the submission server answered',
    claims: [claim],
    decide: (ledger) => settleSubmission(claim, outcome, ledger),
  }).catch(async (error: unknown) => {
    if (error instanceof SyncError && error.code === 'engine.not-leader') await leaveAnswer(work, claim, outcome)
    throw error
  })
}

/**
 * Another engine leads by now: nobody but us can ever tell it what became of the message, so the answer is written all the same, where it has not decided yet.
 */
async function leaveAnswer(work: Work, claim: Claim, outcome: SubmissionOutcome): Promise<void> {
  for (let tries = 0; tries < LEAVE_TRIES_MAX; tries += 1) {
    await work.loadMailboxes()
    const { claims, entries, now } = await replayState(work)
    if (claims.every(({ id }) => id !== claim.id)) return
    const mine = entries.filter(({ seq }) => claim.members.some((member) => member.seq === seq))
    const ledger = new Ledger({ entries: mine, mailboxes: work.mailboxes, now })
    settleSubmission(claim, outcome, ledger)
    const result = await work.options.store.commit({ reason: 'leave what the submission server answered', ...ledger.change() })
    if (result.kind === 'committed') return
  }
}

/** More means that the entry is changed over and over. */
const LEAVE_TRIES_MAX = 5

const NOT_IN_TIME: SubmissionOutcome = { kind: 'unreachable', text: 'The message was not handed over in time.' }

/** Between here and the answer nobody knows; what is thrown tells nothing. */
async function handOver(
  work: Work,
  submitter: Submitter,
  { operation: { sender, recipients } }: DueSubmission,
  bytes: Uint8Array,
  { id }: Claim,
): Promise<SubmissionOutcome> {
  try {
    return await submitter.submit({ sender, recipients, bytes, id }, work.options.signal)
  } catch {
    return { kind: 'unknown', text: 'The submission ended without an answer.' }
  }
}

/** False when the entry has changed meanwhile: then it is for the next pass. */
async function writeClaim(work: Work, claim: Claim): Promise<boolean> {
  const { entries, now } = await replayState(work)
  const [member] = claim.members
  const entry = entries.find(({ seq }) => seq === member?.seq)
  if (entry === undefined || !dueSubmissions({ entries: [entry], now }).some(() => true)) return false
  const ledger = new Ledger({ entries, mailboxes: work.mailboxes, now })
  ledger.claim(claim)
  const { writes, expect } = ledger.change()
  return work.commit('claim a message that is about to be handed over', writes, expect)
}

async function parkUnreadable(work: Work, { entry, operation }: DueSubmission, unread: SyncError): Promise<void> {
  work.problem({ code: unread.code, message: unread.message, mailbox: null, seq: entry.seq })
  const targets = entry.progress.flatMap(({ targets: group }) =>
    group.kind === 'local' && group.locals.has(operation.deed) ? [group] : [],
  )
  await changeLog(work, {
    reason: 'the bytes of a message are lost',
    decide: (ledger) => {
      for (const group of targets) ledger.park(entry.seq, group, 'bytes-lost')
    },
  })
}
