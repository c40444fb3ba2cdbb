/** One pass over one account, in the order of RFC 4549 §3. */

import type { EntrySeq } from '@tidemail/core'
import { discover } from './discover.ts'
import { recover } from './recover.ts'
import { replay, replayState } from './replay.ts'
import { prefetchParts, resync } from './resync.ts'
import type { Work } from './work.ts'

/** What a pass left for a later one. */
export interface PassResult {
  /** When a lost claim can be decided, or an entry may be tried again, in milliseconds since 1970; null when nothing waits for time. */
  readonly wakeAt: number | null
  /** Entries that could be sent now. */
  readonly ready: readonly EntrySeq[]
  /** Messages whose rows are still missing. */
  readonly toFetch: number
}

/** recover → list → replay → resync → prefetch. Throws what stops the account. */
export async function runPass(work: Work): Promise<PassResult> {
  await work.loadMailboxes()
  const recoverableAt = await recover(work)
  const discovery = await discover(work)
  const touched = await replay(work, discovery)
  await resync(work, discovery, touched)
  await prefetchParts(work)
  return whatIsLeft(work, recoverableAt)
}

async function whatIsLeft(work: Work, recoverableAt: number | null): Promise<PassResult> {
  const { entries, claims, now } = await replayState(work)
  const waiting = entries.filter((entry) => entry.notBefore > now).map((entry) => entry.notBefore)
  const times = [
    ...waiting,
    ...(recoverableAt === null ? [] : [recoverableAt]),
    ...claims.flatMap((claim) => (claim.lostAt === null ? [] : [now])),
  ]
  const isSendable = (entry: (typeof entries)[number]): boolean =>
    entry.notBefore <= now && entry.progress.some((group) => group.state === 'queued' || group.state === 'copied')
  const missing = [...work.mailboxes.values()].filter((mailbox) => work.isWanted(mailbox) && mailbox.checkpoint !== null)
  return {
    wakeAt: times.length === 0 ? null : Math.min(...times),
    ready: entries.filter(isSendable).map((entry) => entry.seq),
    toFetch: missing.reduce(
      (sum, { checkpoint }) => sum + (checkpoint === null ? 0 : checkpoint.known.size - checkpoint.covered.size),
      0,
    ),
  }
}
