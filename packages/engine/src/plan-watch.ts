/** Decides what is watched, and over how many connections: INBOX first, then what the app names. */

import type { MailboxRecord, WatchRequest } from '@tidemail/core'
import type { Policy } from '@tidemail/planner'
import { canonicalPath } from './canonical-path.ts'

/** Of more mailboxes than this the server is asked to tell of those only that are wanted (RFC 5465 §3.1). */
export const NOTIFY_MAILBOXES_MAX = 1_000
/** So many mailboxes are named in one request. */
export const NAMED_MAILBOXES_MAX = 100

export interface WatchPlan {
  /** For the connection that passes use, too. */
  readonly main: WatchRequest
  /** A connection for each of these, where the server tells of one mailbox a connection. */
  readonly beside: readonly string[]
}

export interface WatchWishes {
  readonly watch: Policy['watch']
  /** Of the policy, or fewer where the server has refused more. */
  readonly connectionsMax: number
  readonly mailboxes: readonly MailboxRecord[]
}

/** No mailbox is watched twice. */
export function planWatch({ watch, connectionsMax, mailboxes }: WatchWishes): WatchPlan {
  const there = new Set(mailboxes.filter((mailbox) => mailbox.isSelectable && mailbox.isOnServer).map(({ path }) => path))
  const wanted = ['INBOX', ...(watch === 'inbox' ? [] : watch.map(canonicalPath))]
  const [path = 'INBOX', ...others] = [...new Set(wanted)].filter((one) => there.has(one))
  const isMany = there.size > NOTIFY_MAILBOXES_MAX
  return {
    main: { path, beside: isMany ? [path, ...others].slice(0, NAMED_MAILBOXES_MAX) : 'personal' },
    beside: others.slice(0, Math.max(0, connectionsMax - 1)),
  }
}
