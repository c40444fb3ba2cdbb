/** Takes in what others did: every mailbox that moved, INBOX first, then what is missing of each, newest first. */

import { type BodySeen, type MailboxRecord, type Observation, UidSet, type UidsSeen } from '@tidemail/core'
import {
  mailboxesWithOpenClaims,
  partsKey,
  planFill,
  planParts,
  planStillThere,
  planVisits,
  takeFill,
  takeParts,
  type Visit,
} from '@tidemail/planner'
import { decodeClaim } from '@tidemail/replay-log'
import { bringForward } from './bring-forward.ts'
import type { Discovery } from './discover.ts'
import { relinkMailboxes } from './relink.ts'
import type { Work } from './work.ts'

/** Runs of chunks for one mailbox in one pass: more than any mailbox needs; it ends a loop that a server could cause. */
const FILL_RUNS_MAX = 1_000

/** Brings forward and fills what moved, and what the replay touched. A mailbox with an unanswered claim waits for its recovery (H-11). */
export async function resync(work: Work, discovery: Discovery, touched: ReadonlySet<number>): Promise<void> {
  work.options.onPhase('resyncing')
  const claims = (await work.options.store.planning.claims(work.options.accountId)).map(decodeClaim)
  const waiting = mailboxesWithOpenClaims({ claims, mailboxes: work.mailboxes })
  const visits = visitsNow(work, discovery, touched).filter((visit) => !waiting.has(visit.mailbox.id))
  await bringForward(work, visits.toSorted(inboxFirst), 'fetch')
  for (const { mailbox } of visits.toSorted(inboxFirst)) await fill(work, mailbox)
  await relinkMailboxes(work)
}

/** The parts that the policy wants, of every mailbox that may miss some. */
export async function prefetchParts(work: Work): Promise<void> {
  const { policy, store } = work.options
  if (policy.bodies === 'none') return
  work.options.onPhase('fetching-bodies')
  for (const mailbox of [...work.mailboxes.values()].toSorted((a, b) => inboxFirst({ mailbox: a }, { mailbox: b }))) {
    if (!work.isWanted(mailbox) || mailbox.checkpoint === null || mailbox.partsHeldFor === partsKey(policy)) continue
    const missing = await store.planning.missingParts(mailbox.id, {
      parts: policy.bodies,
      messagesMax: policy.newestMessages,
      partBytesMax: policy.partBytesMax,
    })
    let held = 0
    const keep = async (rows: readonly Observation[]): Promise<void> => {
      const writes = takeParts(mailbox, rows)
      work.options.tally.partsFetched += writes.length
      held += writes.length
      await work.commit(`store parts of ${mailbox.path}`, writes, { boxes: [{ mailboxId: mailbox.id, box: mailbox.box }] })
      work.options.onProgress({ done: held, total: missing.length, mailbox: mailbox.path })
    }
    const sizes = new Map(missing.map(({ uid, section, sizeBytes }) => [`${uid} ${section}`, sizeBytes]))
    const isDoubtful = (item: Observation): item is BodySeen =>
      item.kind === 'body' && item.bytes !== null && item.bytes.length !== sizes.get(`${item.uid} ${item.section}`)
    const doubtful: BodySeen[] = []
    const isComplete = await fetchInto(work, mailbox, planParts(mailbox, missing, work.name), async (rows) => {
      doubtful.push(...rows.filter(isDoubtful))
      await keep(rows.filter((item) => !isDoubtful(item)))
    })
    if (doubtful.length > 0) await keep(await ofMessagesThere(work, mailbox, doubtful))
    const now = work.mailboxes.get(mailbox.id)
    if (isComplete && now !== undefined) {
      await work.commit(`${mailbox.path} holds the parts that the policy wants`, [
        { kind: 'put-mailbox', mailbox: { ...now, partsHeldFor: partsKey(policy) } },
      ])
    }
  }
}

/**
 * Courier makes up a body for a message that another session has expunged since the mailbox was opened: what is of another length than was announced is
 * kept only where its message is there when the mailbox is opened anew.
 */
async function ofMessagesThere(work: Work, mailbox: MailboxRecord, doubtful: readonly BodySeen[]): Promise<readonly BodySeen[]> {
  const answers = await work.run(planStillThere(mailbox, UidSet.from(doubtful.map(({ uid }) => uid)), work.name))
  work.assertAlive()
  const there = answers.findLast((item): item is UidsSeen => item.kind === 'uids')?.uids ?? UidSet.EMPTY
  return doubtful.filter(({ uid }) => there.has(uid))
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

/** Fetches the summaries that are missing of a mailbox, newest first. */
export async function fill(work: Work, visited: MailboxRecord): Promise<void> {
  for (let runs = 0; runs < FILL_RUNS_MAX; runs += 1) {
    const mailbox = work.mailboxes.get(visited.id)
    if (mailbox?.checkpoint === undefined || mailbox.checkpoint === null) return
    const before = mailbox.checkpoint.covered.size
    const isComplete = await fetchInto(work, mailbox, planFill(mailbox, work.name), async (rows) => {
      const now = work.mailboxes.get(mailbox.id) ?? mailbox
      const { writes, fetched } = takeFill(now, rows)
      await work.commit(`fetch messages of ${mailbox.path}`, writes, { boxes: [{ mailboxId: mailbox.id, box: mailbox.box }] })
      work.options.tally.messagesFetched += fetched
      work.tellMessages(mailbox.path)
    })
    const after = work.mailboxes.get(mailbox.id)?.checkpoint
    if (after === undefined || after === null || after.covered.size === after.known.size) return
    if (after.covered.size > before) continue
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
  steps: Parameters<Work['run']>[0],
  take: (observations: readonly Observation[]) => Promise<void>,
): Promise<boolean> {
  let pending: Observation[] = []
  let isComplete = true
  // A mailbox that is open is not opened again (RFC 4549 §5.2).
  const needed = work.isOpen(mailbox) ? steps.filter((step) => step.kind !== 'open') : steps
  for await (const item of work.stream(needed)) {
    pending.push(item)
    if (item.kind !== 'done') continue
    if (item.outcome === 'ok') await take(pending)
    else isComplete = false
    pending = []
  }
  work.assertAlive()
  if (!isComplete)
    work.problem({
      code: 'sync.incomplete',
      message: `Not all of ${mailbox.path} could be read.`,
      mailbox: mailbox.path,
      seq: null,
    })
  return isComplete
}

function inboxFirst(a: { readonly mailbox: MailboxRecord }, b: { readonly mailbox: MailboxRecord }): number {
  const rank = ({ mailbox }: { readonly mailbox: MailboxRecord }): number =>
    mailbox.role === 'inbox' || mailbox.path === 'INBOX' ? 0 : 1
  return rank(a) - rank(b)
}
