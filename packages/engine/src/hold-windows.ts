/** Moves the windows of mailboxes as messages, time and the policy do, and evicts what has fallen out of them. */

import { type HeldWindow, type MailboxId, type MailboxRecord, UidSet, type UidsSeen } from '@tidemail/core'
import { planEviction, planWindow, planWindowSearch, policyOf, type WindowQuestion, windowOfDays } from '@tidemail/planner'
import { decodeEntry, type Entry } from '@tidemail/replay-log'
import type { Work } from './work.ts'

/** Mailboxes of which dates are asked in one run. */
const SEARCHED_MAILBOXES_MAX = 16
/** Rows that one transaction evicts. */
const EVICTION_CHUNK_MESSAGES = 5_000

/** Answers the mailboxes of which nobody could say which messages are wanted: nothing is to be fetched of them. What is resting is left alone. */
export async function holdWindows(work: Work, resting: ReadonlySet<MailboxId>): Promise<Set<MailboxId>> {
  const mailboxes = [...work.mailboxes.values()].filter((mailbox) => work.isWanted(mailbox) && !resting.has(mailbox.id))
  const undecided: MailboxRecord[] = []
  for (const mailbox of mailboxes) {
    const plan = planWindow(questionOf(work, mailbox))
    if (plan.kind === 'moved') await keepWindow(work, mailbox, plan.window)
    else if (plan.kind === 'dates') await windowByDates(work, mailbox, null)
    else if (plan.kind === 'search') undecided.push(mailbox)
  }
  const failed = new Set<MailboxId>()
  for (let at = 0; at < undecided.length; at += SEARCHED_MAILBOXES_MAX)
    for (const id of await searchDates(work, undecided.slice(at, at + SEARCHED_MAILBOXES_MAX))) failed.add(id)
  await evict(work, mailboxes)
  return failed
}

/** The mailbox with its window moved as far as can be told from here; it is not written. */
export function withWindow(work: Work, mailbox: MailboxRecord): MailboxRecord {
  const plan = planWindow(questionOf(work, mailbox))
  return plan.kind === 'moved' ? { ...mailbox, window: plan.window } : mailbox
}

function questionOf(work: Work, mailbox: MailboxRecord): WindowQuestion {
  const { clock, policy } = work.options
  return { mailbox, hold: policyOf(mailbox, policy).hold, now: clock.now() }
}

/** One run for all of them; answers those that were not told. */
async function searchDates(work: Work, mailboxes: readonly MailboxRecord[]): Promise<MailboxId[]> {
  const asked = mailboxes.map((mailbox) => {
    const plan = planWindow(questionOf(work, mailbox))
    const steps = plan.kind === 'search' ? planWindowSearch(mailbox, plan.since, work.name) : []
    return {
      mailbox,
      steps: work.isOpen(mailbox) && mailboxes.length === 1 ? steps.filter(({ kind }) => kind !== 'open') : steps,
    }
  })
  const answers = await work.run(asked.flatMap(({ steps }) => steps))
  work.assertAlive()
  const failed: MailboxId[] = []
  for (const { mailbox, steps } of asked) {
    const id = steps.at(-1)?.id
    const isAnswered = answers.some((item) => item.kind === 'done' && item.id === id && item.outcome === 'ok')
    const found = answers.find((item): item is UidsSeen => item.kind === 'uids' && item.id === id)
    if (isAnswered) await windowByDates(work, mailbox, found?.uids ?? UidSet.EMPTY)
    else failed.push(mailbox.id)
  }
  for (const id of failed) {
    const path = work.mailboxes.get(id)?.path ?? null
    work.problem({
      code: 'sync.incomplete',
      message: `The server did not tell which messages of ${path} are new enough.`,
      mailbox: path,
      seq: null,
    })
  }
  return failed
}

async function windowByDates(work: Work, mailbox: MailboxRecord, found: UidSet | null): Promise<void> {
  const held = await work.options.store.planning.identities(mailbox.id, mailbox.checkpoint?.covered ?? UidSet.EMPTY)
  await keepWindow(work, mailbox, windowOfDays(questionOf(work, mailbox), { held, found }))
}

async function keepWindow(work: Work, decidedOn: MailboxRecord, window: HeldWindow | null): Promise<void> {
  const { id, box } = decidedOn
  const mailbox = work.mailboxes.get(id) ?? decidedOn
  await work.commit(`hold what the policy says of ${mailbox.path}`, [{ kind: 'put-mailbox', mailbox: { ...mailbox, window } }], {
    boxes: [{ mailboxId: id, box }],
  })
}

/** An operation that is accepted meanwhile keeps its messages here: the store refuses, and the next pass decides again. */
async function evict(work: Work, mailboxes: readonly MailboxRecord[]): Promise<void> {
  let entries: readonly Entry[] | null = null
  for (const { id } of mailboxes) {
    const mailbox = work.mailboxes.get(id)
    if (mailbox === undefined || planEviction(mailbox, []).isEmpty) continue
    entries ??= (await work.options.store.planning.entries(work.options.accountId)).map(decodeEntry)
    for (const uids of planEviction(mailbox, entries).chunksOfSize(EVICTION_CHUNK_MESSAGES))
      if (!(await evictRows(work, id, uids))) break
  }
}

/** Rows and coverage go in one transaction (I-STORE-1). */
async function evictRows(work: Work, id: MailboxId, uids: UidSet): Promise<boolean> {
  const mailbox = work.mailboxes.get(id)
  if (mailbox?.checkpoint === undefined || mailbox.checkpoint === null) return false
  const { box, path, checkpoint } = mailbox
  const covered = checkpoint.covered.difference(uids)
  return work.commit(
    `evict messages of ${path} that the policy does not hold`,
    [
      { kind: 'put-mailbox', mailbox: { ...mailbox, checkpoint: { ...checkpoint, covered } } },
      { kind: 'evict-messages', mailboxId: id, uids },
    ],
    { boxes: [{ mailboxId: id, box }] },
  )
}
