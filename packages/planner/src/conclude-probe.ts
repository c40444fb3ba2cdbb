/** Decides, from a probe's answers, what became of each message of a claim (H-9, H-10). */

import {
  type Done,
  type FlagState,
  type MailboxRecord,
  type Observation,
  type Opened,
  type RowSeen,
  UID_MAX,
  type Uid,
  UidSet,
  type UidsSeen,
} from '@tidemail/core'
import { type Fence, type FencedMessage, matchIdentity } from '@tidemail/replay-log'
import { isPassing } from './classify-rejection.ts'
import type { Probe } from './plan-recovery.ts'

/** What became of one message of the claim; `of` is its UID in the source, or its local id. */
export type MessageVerdict =
  /** `more` are others that match as certainly, and are nobody else's: the step, or the one before it, was carried out more than once (H-10). */
  | { readonly kind: 'done'; readonly of: number; readonly uid: Uid; readonly more: readonly Uid[] }
  /** Proved not to have happened: it may be sent again. */
  | { readonly kind: 'not-done'; readonly of: number }
  /** Of a copy or move: the original is gone, and the target proves that we did not move it. */
  | { readonly kind: 'gone'; readonly of: number }
  | { readonly kind: 'uncertain'; readonly of: number; readonly possible: readonly Uid[] }

/** What a probe found. */
export interface ProbeFindings {
  readonly verdicts: readonly MessageVerdict[]
  /** The originals that are still there. */
  readonly sourcesLeft: UidSet
  /** The flags of what a copy or move has left in the target, as the server states them. */
  readonly states: readonly FlagState[]
  /** Up to here, exclusive, the target was looked through; null when it could not be. */
  readonly uidNext: number | null
}

export type ProbeConclusion =
  | ({ readonly kind: 'concluded' } & ProbeFindings)
  /** Only the bytes can tell: give the digests of these messages of the target, and conclude again. */
  | { readonly kind: 'need-digests'; readonly uids: readonly Uid[] }
  /** The probe itself was not answered. */
  | { readonly kind: 'lost' }

/** Pure. `target` is the mailbox record of the fence, null when it is gone; `digests` are SHA-256 by UID, hex; null where the bytes could not be read. */
export function concludeProbe(
  probe: Probe,
  observations: readonly Observation[],
  target: MailboxRecord | null,
  digests: ReadonlyMap<number, string | null>,
): ProbeConclusion {
  const { fence } = probe.claim
  if (fence === null) return { kind: 'lost' }
  const opened = observations.find((item): item is Opened => item.kind === 'opened' && item.id === probe.targetOpenId)
  const ended = endingOf(probe.targetOpenId, observations)
  const isTargetGone =
    (ended?.outcome === 'rejected' && !isPassing(ended.rejection)) ||
    (opened !== undefined && opened.mailbox.uidValidity !== fence.uidValidity)
  if (!isTargetGone && endingOf(probe.targetFetchId, observations)?.outcome !== 'ok') return { kind: 'lost' }
  const sources = sourcesStillThere(probe, observations)
  if (sources === 'lost') return { kind: 'lost' }
  const sourcesLeft = sources ?? UidSet.EMPTY
  if (isTargetGone) {
    const verdicts = fence.messages.map(({ of }) => unfound(probe, of, sources, { isComplete: false }))
    return { kind: 'concluded', verdicts, sourcesLeft, states: [], uidNext: null }
  }
  const taken = target !== null && target.box === fence.box ? (target.checkpoint?.known ?? UidSet.EMPTY) : UidSet.EMPTY
  const told = observations.filter(
    (item): item is RowSeen =>
      item.kind === 'row' && item.mailbox.path === fence.path && item.uid >= fence.uidNext && !taken.has(item.uid),
  )
  const rows = told.filter(({ flags, summary }) => summary !== null || flags === null)
  const undecided = withoutDigest(fence.messages, rows, digests)
  if (undecided.length > 0) return { kind: 'need-digests', uids: undecided }
  const uidNext = opened?.uidNext ?? uidNextOf(fence, observations)
  const isComplete = hasNoGap(fence.uidNext, uidNext, rows, taken)
  const verdicts = assign(probe, fence.messages, rows, digests, sources, { isComplete })
  const done = new Set(verdicts.flatMap((verdict) => (verdict.kind === 'done' ? [verdict.uid] : [])))
  const states = told.flatMap(({ uid, flags, modSeq }): FlagState[] =>
    flags === null || !done.has(uid) ? [] : [{ uid, flags, modSeq }],
  )
  return { kind: 'concluded', verdicts, sourcesLeft, states, uidNext }
}

/** Gives each message at most one row, certain matches first; a row serves one message only (H-10). */
function assign(
  probe: Probe,
  messages: readonly FencedMessage[],
  rows: readonly RowSeen[],
  digests: ReadonlyMap<number, string | null>,
  sources: UidSet | null,
  { isComplete }: { readonly isComplete: boolean },
): MessageVerdict[] {
  const free = new Set(rows)
  const certain = new Map<number, RowSeen>()
  for (const message of messages) {
    const row = [...free].find((candidate) => verdictOf(message, candidate, digests) === 'certain')
    if (row === undefined) continue
    certain.set(message.of, row)
    free.delete(row)
  }
  return messages.map((message) => {
    const row = certain.get(message.of)
    if (row !== undefined) {
      const more = [...free].filter((candidate) => verdictOf(message, candidate, digests) === 'certain')
      for (const candidate of more) free.delete(candidate)
      return { kind: 'done', of: message.of, uid: row.uid, more: more.map(({ uid }) => uid) }
    }
    const possible = [...free]
      .filter((candidate) => verdictOf(message, candidate, digests) === 'possible')
      .map((candidate) => candidate.uid)
    if (possible.length > 0) return { kind: 'uncertain', of: message.of, possible }
    return unfound(probe, message.of, sources, { isComplete })
  })
}

/** Nothing matches. For a move the original decides as well: while it is there, it was not moved. Null: nobody can tell whether it is. */
function unfound(
  probe: Probe,
  of: number,
  sources: UidSet | null,
  { isComplete }: { readonly isComplete: boolean },
): MessageVerdict {
  const kind = probe.claim.steps[0]?.kind === 'replace' ? 'append' : probe.claim.steps[0]?.kind
  if (kind === 'move' && sources?.has(of) === true) return { kind: 'not-done', of }
  if (!isComplete || (kind !== 'append' && sources === null)) return { kind: 'uncertain', of, possible: [] }
  return kind === 'append' || sources?.has(of) === true ? { kind: 'not-done', of } : { kind: 'gone', of }
}

function verdictOf(
  message: FencedMessage,
  row: RowSeen,
  digests: ReadonlyMap<number, string | null>,
): 'certain' | 'possible' | 'none' {
  const { summary } = row
  if (summary === null) return 'none'
  return matchIdentity(message, {
    messageId: summary.envelope.messageId,
    sizeBytes: summary.sizeBytes,
    internalDate: summary.internalDate,
    emailId: summary.emailId,
    digest: digests.get(row.uid) ?? null,
  })
}

/** Rows that could be a message of ours as far as size and date tell: their bytes must be compared. */
function withoutDigest(
  messages: readonly FencedMessage[],
  rows: readonly RowSeen[],
  digests: ReadonlyMap<number, string | null>,
): Uid[] {
  const isUndecided = (message: FencedMessage, row: RowSeen): boolean =>
    message.digest !== null && message.sizeBytes === row.summary?.sizeBytes && verdictOf(message, row, digests) === 'possible'
  return rows
    .filter((row) => !digests.has(row.uid) && messages.some((message) => isUndecided(message, row)))
    .map((row) => row.uid)
}

/** H-9: absence is proved when UIDNEXT has not moved, or when every UID since the fence is accounted for. */
function hasNoGap(fenceUidNext: number, uidNext: number | null, rows: readonly RowSeen[], taken: UidSet): boolean {
  if (uidNext === null) return false
  if (uidNext <= fenceUidNext) return true
  const seen = UidSet.from(rows.map((row) => row.uid)).union(taken)
  return UidSet.range(fenceUidNext, Math.min(uidNext - 1, UID_MAX)).difference(seen).isEmpty
}

/** What STATUS said of the target, where its open does not tell UIDNEXT (Courier). */
function uidNextOf({ path, uidValidity }: Fence, observations: readonly Observation[]): number | null {
  const status = observations.find((item) => item.kind === 'status' && item.path === path)
  return status?.kind === 'status' && status.uidValidity === uidValidity ? status.uidNext : null
}

/** Null when nobody can tell: the source is gone, or has new UIDs. */
function sourcesStillThere(probe: Probe, observations: readonly Observation[]): UidSet | null | 'lost' {
  if (probe.sourceSearchId === null) return null
  const found = observations.find((item): item is UidsSeen => item.kind === 'uids' && item.id === probe.sourceSearchId)
  if (found !== undefined) return found.uids
  const ending = endingOf(probe.sourceSearchId, observations)
  return ending?.outcome === 'stale' || ending?.outcome === 'skipped' ? null : 'lost'
}

function endingOf(id: string, observations: readonly Observation[]): Done | undefined {
  return observations.find((item): item is Done => item.kind === 'done' && item.id === id)
}
