/** Decides what to ask so that what is kept of a mailbox can be held against what the server has: the whole UID set, and rows of a sample. */

import { type FetchStep, type MailboxRecord, type Step, UidSet } from '@tidemail/core'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** Messages whose rows are compared at once. */
export const AUDIT_CHUNK_MESSAGES = 1_000

/** A planned list of all UIDs; `takeAuditList` understands the answers. */
export interface AuditListPlan {
  readonly mailbox: MailboxRecord
  readonly openId: string
  readonly listId: string
  /** The lists before, none of which added up. */
  readonly doubted: readonly UidSet[]
  readonly steps: readonly Step[]
}

/** Lists what is there by SEARCH, and once that was doubted by FETCH, since SEARCH is unreliable on some servers. */
export function planAuditList(mailbox: MailboxRecord, doubted: readonly UidSet[], name: StepNamer): AuditListPlan {
  const { path, uidValidity } = mailbox
  const reason = 'see which messages there are'
  const open: Step = { kind: 'open', id: name('open'), path, access: 'examine', reason: 'hold what is kept here against it' }
  if (uidValidity === null) return { mailbox, openId: open.id, listId: open.id, doubted, steps: [open] }
  const whole = { mailbox: { path, uidValidity }, uids: UidSet.ALL }
  const list: Step =
    doubted.length === 0
      ? { kind: 'search', id: name('search'), ...whole, reason }
      : { kind: 'fetch', id: name('fetch'), ...whole, items: 'flags', reason: 'the list before does not add up to EXISTS' }
  return { mailbox, openId: open.id, listId: list.id, doubted, steps: [open, list] }
}

/** Asks for flags and identity of these messages; the mailbox is open. */
export function planAuditRows({ path, uidValidity }: MailboxRecord, uids: UidSet, name: StepNamer): FetchStep[] {
  if (uidValidity === null) return []
  const reason = 'compare them with what is kept'
  const items = ['flags', 'identity'] as const
  return uids.chunksOfOctets(UID_SET_OCTETS_MAX).flatMap((chunk) =>
    items.map(
      (what): FetchStep => ({
        kind: 'fetch',
        id: name('fetch'),
        mailbox: { path, uidValidity },
        uids: chunk,
        items: what,
        reason,
      }),
    ),
  )
}

/** `count` of the UIDs, spread evenly over the set; `chance`, from 0 up to 1, decides which, so that repeated samples come to all. */
export function sampleOf(uids: UidSet, { count, chance }: { readonly count: number; readonly chance: number }): UidSet {
  if (count >= uids.size) return uids
  const values = [...uids.values()]
  const stride = values.length / count
  return UidSet.from(Array.from({ length: count }, (_, i) => values[Math.floor((i + chance) * stride)] as number))
}
