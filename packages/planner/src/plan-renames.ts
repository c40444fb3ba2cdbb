/** Finds under which new name a mailbox is that others renamed, before it is given up with all that is held of it. */

import {
  can,
  type MailboxRecord,
  type MailboxSeen,
  type Observation,
  renamedPath,
  type ServerProfile,
  type StatusSeen,
  type Step,
} from '@tidemail/core'
import { mailboxesSeen, statusesSeen } from './plan-account.ts'
import type { StepNamer } from './step-ids.ts'

/** Mailboxes that are asked for their MAILBOXID in one look; a server that was restored may have given every mailbox a new UIDVALIDITY. */
export const RENAME_LOOKS_MAX = 256

/** What the look at the account told; `rejected` are the paths whose STATUS was refused. */
export interface AccountSeen {
  readonly records: readonly MailboxRecord[]
  readonly seen: readonly Observation[]
  readonly rejected: ReadonlySet<string>
}

export interface Rename {
  readonly mailbox: MailboxRecord
  readonly path: string
  /** What tells: its MAILBOXID; that a mailbox above it was renamed so; or a state that only one mailbox had and only one has, which is a guess. */
  readonly by: 'mailbox-id' | 'superior' | 'guess'
}

export interface RenamePlan {
  readonly renames: readonly Rename[]
  /** Their names are another's now, and they are nowhere. */
  readonly replaced: readonly MailboxRecord[]
}

/**
 * Asks each mailbox that may be a renamed one for its MAILBOXID (RFC 8474 §8.3), only where one is missing. By EXAMINE, for to STATUS some servers
 * answer with octets of another place; with nothing left open, so that no later step takes it for selected.
 */
export function planIdentityLook(account: AccountSeen, server: ServerProfile, name: StepNamer): Step[] {
  if (!can(server, 'OBJECTID')) return []
  const lost = lostRecords(account).filter(({ objectId }) => objectId !== null)
  const places = placesFor(account)
  // Under its own name alone it has new UIDs, and no new name.
  if (!lost.some((record) => places.some(({ path }) => path !== record.path))) return []
  const reason = 'see whether it is a mailbox that was renamed'
  return [
    ...places
      .slice(0, RENAME_LOOKS_MAX)
      .map(({ path }): Step => ({ kind: 'open', id: name('open'), path, access: 'examine', reason })),
    { kind: 'leave', id: name('leave'), reason: 'it was only asked who it is' },
  ]
}

/** Pure. The observations seen include the answers to the identity look. */
export function planRenames(account: AccountSeen): RenamePlan {
  const lost = new Set(lostRecords(account))
  const places = new Set(placesFor(account))
  const renames: Rename[] = []
  const settle = (mailbox: MailboxRecord, place: Place, by: Rename['by']): void => {
    lost.delete(mailbox)
    places.delete(place)
    if (mailbox.path !== place.path) renames.push({ mailbox, path: place.path, by })
  }
  for (const [mailbox, place] of onlyPairs(lost, places, hasSameId)) settle(mailbox, place, 'mailbox-id')
  for (const [mailbox, place] of onlyPairs(lost, places, isInSameState)) settle(mailbox, place, 'guess')
  const above = [...renames]
  for (const mailbox of [...lost].filter(({ path }) => account.rejected.has(path))) {
    const place = [...places].find((one) => isBelow(mailbox, one, above))
    if (place !== undefined) settle(mailbox, place, 'superior')
  }
  const taken = new Set(renames.map(({ path }) => path))
  return { renames: [...renames, ...unmadeBelow(above, account)], replaced: [...lost].filter(({ path }) => taken.has(path)) }
}

/** A name under which there may be a mailbox that is known by another. */
interface Place {
  readonly path: string
  readonly objectId: string | null
  readonly status: StatusSeen | null
}

/** Proved not to be what their names say: the name is gone, or what has it now has another UIDVALIDITY. INBOX is never renamed (RFC 9051 §6.3.6). */
function lostRecords({ records, seen, rejected }: AccountSeen): MailboxRecord[] {
  const listed = listedByPath(seen)
  const statuses = statusesSeen(seen)
  return records.filter((record) => {
    if (!record.isOnServer || record.path === 'INBOX') return false
    if (!listed.has(record.path)) return rejected.has(record.path)
    const now = statuses.get(record.path)?.uidValidity ?? null
    return now !== null && record.uidValidity !== null && now !== record.uidValidity
  })
}

/** Names that no record has, and those whose records are lost. */
function placesFor(account: AccountSeen): Place[] {
  const { records, seen } = account
  const lost = new Set(lostRecords(account).map(({ path }) => path))
  const held = new Set(records.filter(({ path }) => !lost.has(path)).map(({ path }) => path))
  const statuses = statusesSeen(seen)
  const ids = new Map(seen.flatMap((item) => (item.kind === 'opened' ? [[item.mailbox.path, item.objectId] as const] : [])))
  return [...listedByPath(seen).values()]
    .filter(({ path, isSelectable }) => isSelectable && path !== 'INBOX' && !held.has(path))
    .map(({ path }) => ({ path, objectId: ids.get(path) ?? null, status: statuses.get(path) ?? null }))
}

function listedByPath(seen: readonly Observation[]): Map<string, MailboxSeen> {
  return new Map(mailboxesSeen(seen).map((mailbox) => [mailbox.path, mailbox]))
}

/** Pairs of which neither side fits another: a server that gives an identity twice tells nothing by it (RFC 8474 §8.4). */
function onlyPairs(
  lost: ReadonlySet<MailboxRecord>,
  places: ReadonlySet<Place>,
  fits: (mailbox: MailboxRecord, place: Place) => boolean,
): (readonly [MailboxRecord, Place])[] {
  return [...lost].flatMap((mailbox) => {
    const [place, ...others] = [...places].filter((one) => fits(mailbox, one))
    if (place === undefined || others.length > 0) return []
    return [...lost].filter((other) => fits(other, place)).length === 1 ? [[mailbox, place] as const] : []
  })
}

function hasSameId({ objectId }: MailboxRecord, place: Place): boolean {
  return objectId !== null && objectId === place.objectId
}

function hasOtherId({ objectId }: MailboxRecord, place: Place): boolean {
  return objectId !== null && place.objectId !== null && objectId !== place.objectId
}

/** Everything that STATUS tells is as it was taken in. An empty mailbox is like any other, and nothing is lost with it. */
function isInSameState(mailbox: MailboxRecord, place: Place): boolean {
  const { checkpoint, uidValidity } = mailbox
  const { status } = place
  if (checkpoint === null || status === null || uidValidity === null || checkpoint.known.isEmpty) return false
  return (
    !hasOtherId(mailbox, place) &&
    status.uidValidity === uidValidity &&
    status.uidNext === checkpoint.uidNext &&
    status.messages === checkpoint.known.size &&
    // UIDVALIDITY is often the second of creation: without a mod-sequence two mailboxes may be alike by chance.
    status.highestModSeq !== null &&
    status.highestModSeq === checkpoint.highestModSeq
  )
}

/** It has the name that it would have after one of these, and nothing says that it is another. */
function isBelow(mailbox: MailboxRecord, place: Place, above: readonly Rename[]): boolean {
  const validity = place.status?.uidValidity ?? null
  const isOther = validity !== null && mailbox.uidValidity !== null && validity !== mailbox.uidValidity
  return (
    !isOther &&
    !hasOtherId(mailbox, place) &&
    above.some((one) => renamedPath(mailbox.path, one.mailbox, one.path) === place.path)
  )
}

/** What is still to be made below a mailbox goes with it, unless something has the former name again. */
function unmadeBelow(above: readonly Rename[], { records, seen }: AccountSeen): Rename[] {
  const listed = listedByPath(seen)
  const held = new Set(records.map(({ path }) => path))
  return records
    .filter(({ isOnServer }) => !isOnServer)
    .flatMap((mailbox): Rename[] => {
      const paths = above
        .filter((one) => !listed.has(one.mailbox.path))
        .flatMap((one) => renamedPath(mailbox.path, one.mailbox, one.path) ?? [])
      const path = paths.toSorted((a, b) => b.length - a.length)[0]
      return path === undefined || path === mailbox.path || listed.has(path) || held.has(path)
        ? []
        : [{ mailbox, path, by: 'superior' }]
    })
}
