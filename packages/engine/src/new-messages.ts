/** Prepares operations that need a mailbox by its role: what is deleted, saved as a draft, or sent. */

import { type Clock, type MailboxId, type MailboxRecord, parseFlag, SyncError, type Targets } from '@tidemail/core'
import type { OperationRequest } from '@tidemail/replay-log'
import type { NewDraft, NewSubmission } from './api.ts'
import { newLocalMessage } from './new-local-message.ts'

/** What is checked, and only has to be written. */
export interface PreparedMessage {
  readonly request: OperationRequest
  readonly bytes: Uint8Array
}

/** Removing for good what is in Trash already, moving there what is not. */
export function deletion(group: Targets, trash: MailboxId): OperationRequest {
  return group.mailboxId === trash ? { kind: 'expunge' } : { kind: 'move', to: trash }
}

/** @throws SyncError `input.bad-message`, `input.message-too-large`, `input.bad-flag`, `input.bad-date` */
export async function preparedDraft(draft: NewDraft, to: MailboxId, clock: Clock): Promise<PreparedMessage> {
  const flags = (draft.flags ?? ['\\Draft', '\\Seen']).map(parseFlag)
  const { bytes, digest, message } = await newLocalMessage({ ...draft, flags }, clock.now())
  return { request: { kind: 'draft', to, message, digest }, bytes }
}

/** @throws SyncError `input.bad-message`, `input.message-too-large`, `input.bad-address` */
export async function preparedSubmission(
  { bytes: given, sender, recipients }: NewSubmission,
  to: MailboxId | null,
  clock: Clock,
): Promise<PreparedMessage> {
  if (recipients.length === 0) throw new SyncError('input.bad-address', 'The message has no recipient.')
  for (const address of [sender, ...recipients]) assertAddress(address)
  const { bytes, digest, message } = await newLocalMessage({ bytes: given, flags: ['\\Seen'] }, clock.now())
  return { request: { kind: 'submit', to, sender, recipients: [...recipients], message, digest }, bytes }
}

/** The mailbox that is named, or the one with the role. @throws SyncError `input.no-trash`, `input.no-drafts`, `input.no-sent`, `input.unknown-mailbox` */
export function mailboxFor(
  role: 'trash' | 'drafts' | 'sent',
  named: MailboxId | undefined,
  mailboxes: readonly MailboxRecord[],
): MailboxId {
  const able = mailboxes.filter(({ isSelectable }) => isSelectable)
  const found = able.find((mailbox) => (named === undefined ? mailbox.role === role : mailbox.id === named))
  if (found !== undefined) return found.id
  if (named !== undefined) throw new SyncError('input.unknown-mailbox', 'There is no such mailbox that can hold messages.')
  const { code, message } = MISSING[role]
  throw new SyncError(code, message, { hint: 'Name a mailbox for it, or make one that has the role.' })
}

const MISSING = {
  trash: { code: 'input.no-trash', message: 'The account has no mailbox for what is deleted.' },
  drafts: { code: 'input.no-drafts', message: 'The account has no mailbox for drafts.' },
  sent: { code: 'input.no-sent', message: 'The account has no mailbox for what was sent.' },
} as const

/** An address goes into commands of SMTP: line ends and brackets would end it (RFC 5321 §4.1.2). */
function assertAddress(address: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (!/^[^\x00-\x1f\x7f<>]+@[^\x00-\x20\x7f<>@]+$/.test(address)) {
    throw new SyncError('input.bad-address', 'An address to send from or to cannot be used.', {
      hint: 'Write it without a name and without angle brackets: ann@example.org.',
    })
  }
}
