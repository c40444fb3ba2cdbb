/** Decides what to believe of a server: what was learnt against its word, for how long that holds, and when it holds for the whole account. */

import type {
  DistrustedCapability,
  Forgetting,
  MailboxRecord,
  ServerMeasures,
  ServerProfile,
  Tier,
  TierLimit,
} from '@tidemail/core'
import { RANK_OF_TIER } from './trust-checks.ts'

/** What was learnt against a server holds so long: servers are mended, too. */
export const DISTRUST_LIFE_MS = 604_800_000
/** So many mailboxes that contradict a capability are no accident of one mailbox. */
export const CONTRADICTING_MAILBOXES_MIN = 2

/**
 * What a session found, with what earlier ones, examinations and the app have learnt and that still holds. What the session itself was told not to use it
 * does not use until it ends.
 */
export function trustedServer(
  found: ServerProfile,
  learnt: readonly (ServerProfile | null | undefined)[],
  now: number,
): ServerProfile {
  const sources = [found, ...learnt.filter((one) => one !== null && one !== undefined)]
  const distrusted = new Map(found.distrusted.map((entry) => [entry.capability, entry]))
  for (const entry of sources.flatMap((source) => source.distrusted)) {
    const other = distrusted.get(entry.capability)
    if (entry.expiresAt > now && (other === undefined || other.expiresAt < entry.expiresAt))
      distrusted.set(entry.capability, entry)
  }
  const measured = newest(sources.flatMap((source) => source.measured ?? []))
  const renewal = sources.flatMap((source) => source.renewal ?? []).find((one) => isLiving(one, now))
  const forgetting = sources.flatMap((source) => source.forgetting ?? []).find((one) => isLiving(one, now))
  const namespaces = sources.flatMap((source) => source.namespaces ?? []).find((one) => isLiving(one, now))
  const oddNames = sources.find((source) => source.oddNames !== undefined)?.oddNames
  const { measured: _before, renewal: _expired, forgetting: _longAgo, namespaces: _forgotten, ...rest } = found
  return {
    ...rest,
    distrusted: [...distrusted.values()],
    ...(measured === undefined ? {} : { measured }),
    ...(renewal === undefined ? {} : { renewal }),
    ...(forgetting === undefined ? {} : { forgetting }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(oddNames === undefined ? {} : { oddNames }),
  }
}

/** What is done because the server forgets what it expunged, as of now; nothing where it was not seen to. */
export function expungesOf({ forgetting }: ServerProfile, now: number): { readonly expunges?: 'forgotten' } {
  return forgetting !== undefined && isLiving(forgetting, now) ? { expunges: 'forgotten' } : {}
}

/** The profile once the server was seen to forget; the same object while that is known. */
export function seenForgetting(server: ServerProfile, reason: string, now: number): ServerProfile {
  if (server.forgetting !== undefined && isLiving(server.forgetting, now)) return server
  const forgetting: Forgetting = { reason, since: now, expiresAt: now + DISTRUST_LIFE_MS }
  return { ...server, forgetting }
}

/** The mailbox as it may be dealt with now: a limit that has expired is none. */
export function withLivingLimit(mailbox: MailboxRecord, now: number): MailboxRecord {
  return mailbox.tierLimit === null || isLiving(mailbox.tierLimit, now) ? mailbox : { ...mailbox, tierLimit: null }
}

/** The mailbox once it was caught: it goes no higher than `tier` until the limit expires, and never higher than it might before. */
export function limitedTo(
  mailbox: MailboxRecord,
  { tier, reason }: { readonly tier: Tier; readonly reason: string },
  now: number,
): MailboxRecord {
  const before = mailbox.tierLimit
  const isLower = before !== null && isLiving(before, now) && RANK_OF_TIER[before.tier] < RANK_OF_TIER[tier]
  if (isLower) return mailbox
  return { ...mailbox, tierLimit: { tier, reason, expiresAt: now + DISTRUST_LIFE_MS } }
}

/** The profile once enough mailboxes were caught lying; the same object while they are too few, or nothing is new. */
export function distrustedBy(server: ServerProfile, mailboxes: readonly MailboxRecord[], now: number): ServerProfile {
  const limits = mailboxes.flatMap(({ tierLimit }) => (tierLimit !== null && isLiving(tierLimit, now) ? [tierLimit] : []))
  const plain = limits.filter(({ tier }) => tier === 'plain')
  const learnt = [...contradicted('QRESYNC', limits, now), ...contradicted('CONDSTORE', plain, now)].filter(
    ({ capability }) => !server.distrusted.some((entry) => entry.capability === capability && entry.expiresAt > now),
  )
  return learnt.length === 0 ? server : trustedServer(server, [{ ...server, distrusted: learnt }], now)
}

function contradicted(capability: string, limits: readonly TierLimit[], now: number): DistrustedCapability[] {
  const latest = limits.toSorted((a, b) => b.expiresAt - a.expiresAt)[0]
  if (latest === undefined || limits.length < CONTRADICTING_MAILBOXES_MIN) return []
  const reason = `${limits.length} mailboxes contradict it: ${latest.reason}`
  return [{ capability, reason, learntBy: 'synchronisation', since: now, expiresAt: now + DISTRUST_LIFE_MS }]
}

function isLiving({ expiresAt }: { readonly expiresAt: number }, now: number): boolean {
  return expiresAt > now
}

function newest(measures: readonly ServerMeasures[]): ServerMeasures | undefined {
  return measures.toSorted((a, b) => b.measuredAt - a.measuredAt)[0]
}
