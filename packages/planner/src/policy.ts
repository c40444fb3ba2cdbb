/** What to hold of a mailbox, and what to do when one is gone or its messages are, as the app or the user decided. */

import { type MailboxRecord, SyncError } from '@tidemail/core'

/**
 * Of which messages summaries and flags are held: all, those of the last days, the newest ones, or those that came since the mailbox was first looked at.
 * UIDs are known of all of them.
 */
export type Hold = 'whole' | 'new-only' | { readonly lastDays: number } | { readonly lastMessages: number }

/** Which parts are held, and how large. */
export interface PartsLimits {
  /** `none`: no parts; `text`: text parts; `all`: every part, text first. */
  readonly bodies: 'none' | 'text' | 'all'
  /** Parts larger than this are not held, in octets as transferred. */
  readonly partBytesMax: number
}

/** What may differ from mailbox to mailbox. */
export interface MailboxPolicy extends PartsLimits {
  readonly hold: Hold
  /** Parts of so many of the newest messages of each mailbox are held. */
  readonly newestMessages: number
  /** Parts of messages received in so many days are held; null: however old they are. */
  readonly newestDays: number | null
  /** No more than this is fetched of itself while each octet costs; the rest waits, or comes on demand. */
  readonly metered: PartsLimits
  /** No more than this while power is short. */
  readonly battery: PartsLimits
  /** Whether many messages may go at once without the app being asked: because the server has them no more, or because they were expunged here. */
  readonly massDelete: 'ask' | 'allow'
  /** With `ask`: so many may go, whatever the share. */
  readonly massDeleteMessagesMax: number
  /** With `ask`: and more, as long as they are less than so much of what is held of the mailbox. */
  readonly massDeletePercentMin: number
}

export interface Policy extends MailboxPolicy {
  /** What is otherwise for some mailboxes, by path (`INBOX`) or by role (`role:junk`); a path counts before a role. */
  readonly mailboxes: Readonly<Record<string, Partial<MailboxPolicy>>>
  /**
   * What becomes of operations whose destination is gone: `park` them for the user to decide, `create` the mailbox again under its last name, send to the
   * `other` one, by its path, or `skip` them, so that messages stay where they are; uploads are never skipped.
   */
  readonly missingMailbox: 'park' | 'create' | 'skip' | { readonly other: string }
  /** Mailboxes whose news are to come at once, by path, after INBOX, whatever the server can tell: where it cannot tell of all, of these first. */
  readonly watch: 'inbox' | readonly string[]
  /** So many connections at most, the one for passes among them. A second is made only to watch a further mailbox, where the server tells of one a connection. */
  readonly connectionsMax: number
}

export const DEFAULT_POLICY: Policy = {
  hold: 'whole',
  bodies: 'text',
  partBytesMax: 262_144,
  newestMessages: 500,
  newestDays: null,
  metered: { bodies: 'text', partBytesMax: 32_768 },
  battery: { bodies: 'text', partBytesMax: 262_144 },
  massDelete: 'ask',
  massDeleteMessagesMax: 100,
  massDeletePercentMin: 100,
  mailboxes: {},
  missingMailbox: 'park',
  watch: 'inbox',
  connectionsMax: 1,
}

/** These mailboxes are emptied as a matter of course: nobody is asked, unless `mailboxes` says so of them. */
const EMPTIED_AT_WILL: readonly MailboxRecord['role'][] = ['trash', 'junk']

/** The policy of one mailbox: its own settings before those of its role, and these before those of the account. */
export function policyOf({ path, role }: Pick<MailboxRecord, 'path' | 'role'>, policy: Policy): Policy {
  const ofRole = role === null ? {} : policy.mailboxes[`role:${role}`]
  const atWill = EMPTIED_AT_WILL.includes(role) ? { massDelete: 'allow' as const } : {}
  return { ...policy, ...atWill, ...ofRole, ...policy.mailboxes[path] }
}

/** @throws SyncError `input.usage` for a number of days, messages or connections that is none */
export function checkPolicy(policy: Policy): Policy {
  for (const { hold } of [policy, ...Object.values(policy.mailboxes)]) {
    if (hold === undefined || typeof hold === 'string') continue
    const count = 'lastDays' in hold ? hold.lastDays : hold.lastMessages
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new SyncError('input.usage', 'A policy holds a whole number of days or messages, and at least one.')
    }
  }
  if (!(Number.isInteger(policy.connectionsMax) && policy.connectionsMax >= 1)) {
    throw new SyncError('input.usage', 'A policy allows a whole number of connections, and at least one.')
  }
  return policy
}
