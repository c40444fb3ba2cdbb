/** Decides which mailboxes there are, and which of them must be visited, from one look at the whole account. */

import {
  can,
  type KnownNamespaces,
  type MailboxRecord,
  type MailboxSeen,
  missingRows,
  type Namespaces,
  NO_NAMESPACES,
  namespaceOf,
  type Observation,
  type ServerProfile,
  type StatusSeen,
  type Step,
  type Tier,
} from '@tidemail/core'
import type { StepNamer } from './step-ids.ts'
import { type Distrust, distrustOf, tierOf } from './trust-checks.ts'

/** After this the server is asked again who shares what. */
export const NAMESPACES_LIFE_MS = 2_592_000_000

/**
 * Asks for all mailboxes and, where the server can, their state: one round trip for the account (RFC 5819). An open mailbox is left first, since its
 * STATUS may be out of date (RFC 4549 §5.3).
 */
export function planList(server: ServerProfile, { isMailboxOpen }: { readonly isMailboxOpen: boolean }, name: StepNamer): Step[] {
  const list: Step = {
    kind: 'list',
    id: name('list'),
    withStatus: can(server, 'LIST-STATUS'),
    reason: 'see which mailboxes there are and which moved',
  }
  const steps = [...planNamespaces(server, name), list]
  if (!isMailboxOpen) return steps
  return [{ kind: 'leave', id: name('leave'), reason: 'the state of an open mailbox is not told by STATUS' }, ...steps]
}

/** In one turn with LIST, and seldom: what it tells is kept with the account. */
function planNamespaces(server: ServerProfile, name: StepNamer): Step[] {
  if (server.namespaces !== undefined || !can(server, 'NAMESPACE')) return []
  return [{ kind: 'namespaces', id: name('namespaces'), reason: "tell the user's own mailboxes from those of others" }]
}

/** What is to be kept of the server after it was asked for its namespaces: where it refuses, or nobody can read its answer, that it has none. */
export function namespacesLearnt(asked: readonly Step[], seen: readonly Observation[], now: number): KnownNamespaces | null {
  if (!asked.some(({ kind }) => kind === 'namespaces')) return null
  const told = seen.find((item) => item.kind === 'namespaces') ?? NO_NAMESPACES
  const { personal, otherUsers, shared } = told
  return { personal, otherUsers, shared, expiresAt: now + NAMESPACES_LIFE_MS }
}

/**
 * Asks for what LIST did not tell: the state of each mailbox where LIST-STATUS is missing, and once more for each mailbox that
 * LIST left out, since omission is not absence (FIELD-7).
 */
export function planStatus(records: readonly MailboxRecord[], seen: readonly Observation[], name: StepNamer): Step[] {
  const listed = new Set(mailboxesSeen(seen).map((mailbox) => mailbox.path))
  const told = statusesSeen(seen)
  const selectable = mailboxesSeen(seen).filter((mailbox) => mailbox.isSelectable && !told.has(mailbox.path))
  const missing = records.filter((record) => record.isOnServer && !listed.has(record.path))
  return [
    ...selectable.map(({ path }) => ({
      kind: 'status' as const,
      id: name('status'),
      path,
      reason: 'LIST did not tell its state',
    })),
    ...missing.map(({ path }) => ({
      kind: 'status' as const,
      id: name('status'),
      path,
      reason: 'LIST left it out: make sure it is gone',
    })),
  ]
}

/** A mailbox to be opened, how, and why. */
export interface Visit {
  readonly mailbox: MailboxRecord
  readonly status: StatusSeen | null
  readonly tier: Tier
  readonly reason: string
  /** What its STATUS contradicts, if anything. */
  readonly distrust?: Distrust
}

export interface AccountPlan {
  /** On the server, and not in the store. */
  readonly created: readonly MailboxSeen[]
  /** In the store, and proved to be gone from the server. */
  readonly removed: readonly MailboxRecord[]
  /** In both, with what LIST says now. */
  readonly kept: readonly MailboxRecord[]
  /** Whether any kept record differs from the stored one. */
  readonly altered: readonly MailboxRecord[]
}

/** Compares the stored mailboxes with what `list` and `status` answered; those that are still to be made are in no list. `rejected` are the paths whose STATUS was refused; without `namespaces` nobody knows whose a mailbox is. */
export function planAccount(
  records: readonly MailboxRecord[],
  seen: readonly Observation[],
  rejected: ReadonlySet<string>,
  namespaces?: Namespaces,
): AccountPlan {
  const listed = new Map(mailboxesSeen(seen).map((mailbox) => [mailbox.path, mailbox]))
  const known = new Set(records.map((record) => record.path))
  const kept: MailboxRecord[] = []
  const altered: MailboxRecord[] = []
  const removed: MailboxRecord[] = []
  for (const record of records.filter(({ isOnServer }) => isOnServer)) {
    const now = listed.get(record.path)
    if (now === undefined) {
      if (rejected.has(record.path)) removed.push(record)
      else kept.push(record)
      continue
    }
    const { delimiter, isSelectable, isSubscribed, role } = now
    const updated = withNamespace({ ...record, delimiter, isSelectable, isSubscribed, role }, namespaces)
    const hasChanged =
      record.delimiter !== delimiter ||
      record.isSelectable !== isSelectable ||
      record.isSubscribed !== isSubscribed ||
      record.role !== role ||
      record.namespace !== updated.namespace
    kept.push(hasChanged ? updated : record)
    if (hasChanged) altered.push(updated)
  }
  return { created: [...listed.values()].filter((mailbox) => !known.has(mailbox.path)), removed, kept, altered }
}

/** The mailbox with whose it is; as it was where nobody knows. */
export function withNamespace(mailbox: MailboxRecord, namespaces: Namespaces | undefined): MailboxRecord {
  if (namespaces === undefined) return mailbox
  const { namespace: _before, ...rest } = mailbox
  const namespace = namespaceOf(mailbox.path, namespaces)
  return namespace === 'personal' ? rest : { ...rest, namespace }
}

/** Names the mailboxes that may differ from the store, and leaves the others alone: an unchanged mailbox costs nothing. */
export function planVisits(mailboxes: readonly MailboxRecord[], seen: readonly Observation[], server: ServerProfile): Visit[] {
  const statuses = statusesSeen(seen)
  return mailboxes
    .filter((mailbox) => mailbox.isSelectable && mailbox.isOnServer)
    .flatMap((mailbox) => {
      const status = statuses.get(mailbox.path) ?? null
      const tier = tierOf(mailbox, server)
      const distrust = distrustOf(mailbox, status, tier)
      if (distrust !== null) return [{ mailbox, status, tier: distrust.tier, reason: distrust.reason, distrust }]
      const reason = reasonToVisit(mailbox, status, tier)
      return reason === null ? [] : [{ mailbox, status, tier, reason }]
    })
}

/** Why a mailbox must be opened, or null when the server's state proves that nothing changed (RFC 4549 §4.3.1, §6.1). */
function reasonToVisit(mailbox: MailboxRecord, status: StatusSeen | null, tier: Tier): string | null {
  const { checkpoint } = mailbox
  if (checkpoint === null) return 'it was never taken in'
  const missing = missingRows(mailbox).size
  if (missing > 0) return `${missing} messages are still to be fetched`
  if (status === null) return 'its state is not known'
  if (status.uidValidity !== null && status.uidValidity !== mailbox.uidValidity) return 'its UIDVALIDITY changed'
  if (tier === 'plain' || checkpoint.highestModSeq === null)
    return 'without mod-sequences only a look tells whether flags changed'
  if (status.uidNext === null || status.uidNext !== checkpoint.uidNext) return 'UIDNEXT moved: there may be new messages'
  if (status.messages === null || status.messages !== checkpoint.known.size) return 'the number of messages changed'
  if (status.highestModSeq !== checkpoint.highestModSeq) return 'HIGHESTMODSEQ moved: flags changed or messages went'
  return null
}

export function statusesSeen(seen: readonly Observation[]): Map<string, StatusSeen> {
  return new Map(seen.flatMap((item) => (item.kind === 'status' ? [[item.path, item] as const] : [])))
}

export function mailboxesSeen(seen: readonly Observation[]): MailboxSeen[] {
  return seen.flatMap((item) => (item.kind === 'mailbox' ? [item] : []))
}
