/** Holds the store against the server, mailbox by mailbox, and sets it right where that is asked for. */

import { type MailboxRecord, type Observation, SyncError, UidSet } from '@tidemail/core'
import {
  AUDIT_CHUNK_MESSAGES,
  type AuditDifferences,
  caughtBy,
  compareRows,
  compareUids,
  confirmed,
  differing,
  joined,
  NO_DIFFERENCES,
  planAuditList,
  planAuditRows,
  planVisits,
  repairOf,
  sampleOf,
  takeAuditList,
  tierOf,
} from '@tidemail/planner'
import type { VerifiedMailbox, VerifyOptions, VerifyReport } from './api.ts'
import { bringForward } from './bring-forward.ts'
import { discover } from './discover.ts'
import { distrust } from './distrust.ts'
import { mayLose } from './guard-deletions.ts'
import { prefetchParts } from './prefetch-parts.ts'
import { runReads } from './refused-items.ts'
import { fill, resync, waitingMailboxes } from './resync.ts'
import type { Synchroniser } from './synchroniser.ts'
import type { Work } from './work.ts'

/** Lists of one mailbox that are asked for until one adds up, or two are the same. */
const LISTS_MAX = 3

/** @see MailEngine.verify */
export function verifyAccount(synchroniser: Synchroniser, options: VerifyOptions): Promise<VerifyReport> {
  const { sample } = options
  if (sample !== undefined && !(Number.isInteger(sample) && sample >= 0)) {
    throw new SyncError('input.usage', 'A sample is a whole number of messages.')
  }
  return synchroniser.attend(options, async (work) => {
    await work.loadMailboxes()
    // What is new is no difference: it is taken in first.
    await resync(work, await discover(work), new Set())
    const waiting = await waitingMailboxes(work)
    const mailboxes: VerifiedMailbox[] = []
    const leftOut: { path: string; reason: string }[] = []
    const wanted = [...work.mailboxes.values()].filter((mailbox) => work.isWanted(mailbox) && mailbox.isSelectable)
    for (const mailbox of wanted.filter(({ isOnServer }) => isOnServer)) {
      const { path } = mailbox
      const result = waiting.has(mailbox.id) ? UNANSWERED_STEPS : await verifyMailbox(work, mailbox, options)
      if (typeof result === 'string') leftOut.push({ path, reason: result })
      else mailboxes.push(result)
      work.assertAlive()
    }
    if (mailboxes.some(({ isRepaired }) => isRepaired)) await prefetchParts(work)
    return { outcome: outcomeOf(mailboxes, leftOut), mailboxes, leftOut }
  })
}

/** Why a mailbox was left out. */
const UNANSWERED_STEPS = 'a step that changes it has no answer yet'
const NEVER_TAKEN_IN = 'it was never taken in'
const NOT_LISTED = 'the server does not tell which messages there are, or contradicts itself'
const RESET = 'its UIDVALIDITY changed meanwhile'

function outcomeOf(mailboxes: readonly VerifiedMailbox[], leftOut: VerifyReport['leftOut']): VerifyReport['outcome'] {
  const different = mailboxes.filter((mailbox) => isDifferent(mailbox))
  if (different.some(({ isRepaired }) => !isRepaired)) return 'different'
  if (leftOut.length > 0) return 'incomplete'
  return different.length > 0 ? 'repaired' : 'equal'
}

function isDifferent({ missing, extra, flagsDiffer, identityDiffers }: VerifiedMailbox): boolean {
  return [missing, extra, flagsDiffer, identityDiffers].some((uids) => !uids.isEmpty)
}

/** The mailbox as it was found, or why nothing can be said of it. */
async function verifyMailbox(work: Work, mailbox: MailboxRecord, options: VerifyOptions): Promise<VerifiedMailbox | string> {
  const { checkpoint } = now(work, mailbox)
  if (checkpoint === null) return NEVER_TAKEN_IN
  const count = options.sample ?? Number.POSITIVE_INFINITY
  const sample = sampleOf(checkpoint.covered, { count, chance: work.options.random.next() })
  const first = await audit(work, mailbox, sample)
  if (typeof first === 'string') return first
  const differences = differing(first).isEmpty ? NO_DIFFERENCES : await stillDiffering(work, mailbox, first)
  if (typeof differences === 'string') return differences
  const reason = caughtBy(now(work, mailbox), differences)
  const isCaught = reason !== null && tierOf(now(work, mailbox), work.server) !== 'plain'
  if (isCaught) await distrust(work, now(work, mailbox), { tier: 'plain', reason })
  const isRepaired = options.repair === true && !differing(differences).isEmpty && (await repair(work, mailbox, differences))
  return {
    path: mailbox.path,
    compared: sample.size,
    missing: differences.missing,
    extra: differences.extra,
    flagsDiffer: UidSet.from(differences.flags.map(({ uid }) => uid)),
    identityDiffers: differences.identityDiffers,
    isRepaired,
    tierLimit: now(work, mailbox).tierLimit,
  }
}

/** Looks once more, at what differed and after everything new was taken in: what changed under the first look is no difference. */
async function stillDiffering(work: Work, mailbox: MailboxRecord, first: AuditDifferences): Promise<AuditDifferences | string> {
  await bringForward(work, planVisits([now(work, mailbox)], [], work.server), 'fetch')
  const second = await audit(work, mailbox, differing(first))
  return typeof second === 'string' ? second : confirmed(first, second)
}

/** True when nothing is left that differs. */
async function repair(work: Work, mailbox: MailboxRecord, differences: AuditDifferences): Promise<boolean> {
  const { id, box } = mailbox
  if (!mayLose(work, now(work, mailbox), differences.extra)) return false
  const { writes } = repairOf(now(work, mailbox), differences)
  const isWritten = await work.commit(`set ${mailbox.path} right`, writes, { boxes: [{ mailboxId: id, box }] })
  if (!isWritten) return false
  await fill(work, now(work, mailbox))
  const left = await audit(work, mailbox, differing(differences))
  return typeof left !== 'string' && differing(left).intersect(differing(differences)).isEmpty
}

/** One comparison with what the server tells now. */
async function audit(work: Work, mailbox: MailboxRecord, sample: UidSet): Promise<AuditDifferences | string> {
  const listed = await listAll(work, now(work, mailbox))
  if (typeof listed === 'string') return listed
  const record = now(work, mailbox)
  let found = joined(NO_DIFFERENCES, compareUids(record, listed))
  const held = (record.checkpoint?.covered ?? UidSet.EMPTY).intersect(sample).intersect(listed)
  for (const uids of held.chunksOfSize(AUDIT_CHUNK_MESSAGES)) found = joined(found, await auditRows(work, record, uids))
  return found
}

async function listAll(work: Work, mailbox: MailboxRecord): Promise<UidSet | string> {
  const doubted: UidSet[] = []
  while (doubted.length < LISTS_MAX) {
    const plan = planAuditList(mailbox, doubted, work.name)
    const list = takeAuditList(plan, await work.run(plan.steps))
    work.assertAlive()
    if (list.kind === 'listed') return list.uids
    if (list.kind === 'reset') return RESET
    if (list.kind === 'unanswered') return NOT_LISTED
    doubted.push(list.uids)
  }
  return NOT_LISTED
}

async function auditRows(work: Work, mailbox: MailboxRecord, uids: UidSet): Promise<Partial<AuditDifferences>> {
  const { planning } = work.options.store
  const observations: Observation[] = await runReads(work, planAuditRows(mailbox, uids, work.name))
  work.assertAlive()
  const flags = await planning.flags(mailbox.id, uids)
  const identities = await planning.identities(mailbox.id, uids)
  return compareRows({ mailbox, uids }, observations, {
    flags: new Map(flags.map((row) => [row.uid, row.flags])),
    identities: new Map(identities.map((row) => [row.uid, row])),
  })
}

function now(work: Work, mailbox: MailboxRecord): MailboxRecord {
  return work.mailboxes.get(mailbox.id) ?? mailbox
}
