/** Makes the observations of the simulated server from its model: rows, summaries, mailboxes, news. */

import {
  type ListStep,
  type MailboxIdentity,
  type MailboxSeen,
  modSeq,
  type Observation,
  type RowSeen,
  type SearchStep,
  type StatusSeen,
  type Summary,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { DELIMITER, type ModelAccount } from './model/account.ts'
import type { Extension } from './model/extensions.ts'
import type { ModelMailbox } from './model/mailbox.ts'
import { gmailIdOf, type ModelMessage } from './model/message.ts'
import { type DecodedMessage, decodeMessage } from './model/mime/summary.ts'
import type { News } from './model/selected-mailbox.ts'

const DAY_MS = 86_400_000

export type Extensions = ReadonlySet<Extension>

/** Bytes never change, so each message is decoded once. */
const decoded = new WeakMap<Uint8Array, DecodedMessage>()

/** Whether the search finds the message; days are those of UTC. */
export function isSoughtBy(
  { only, since = Number.NEGATIVE_INFINITY }: SearchStep,
  { flags, internalDate }: ModelMessage,
): boolean {
  return (only !== 'deleted' || flags.includes('\\Deleted')) && internalDate >= Math.floor(since / DAY_MS) * DAY_MS
}

export function identityOf(mailbox: ModelMailbox): MailboxIdentity {
  return { path: mailbox.path, uidValidity: uidValidity(mailbox.uidValidity) }
}

/** INBOX and special use as LIST tells them; without SPECIAL-USE only INBOX is known. */
function mailboxRows(account: ModelAccount, extensions: Extensions): MailboxSeen[] {
  const rows = account.mailboxes.map(
    ({ path, role }): MailboxSeen => ({
      kind: 'mailbox',
      path,
      delimiter: DELIMITER,
      isSelectable: true,
      isSubscribed: account.subscriptions.has(path),
      role: role === 'inbox' || extensions.has('SPECIAL-USE') ? role : null,
    }),
  )
  const containers = account.containers.map(
    (path): MailboxSeen => ({
      kind: 'mailbox',
      path,
      delimiter: DELIMITER,
      isSelectable: false,
      isSubscribed: account.subscriptions.has(path),
      role: null,
    }),
  )
  return [...rows, ...containers]
}

/** What LIST tells, with the state of each mailbox where that was asked for and can be told. */
export function listRows(
  { withStatus }: Pick<ListStep, 'withStatus'>,
  { account, extensions }: { readonly account: ModelAccount; readonly extensions: Extensions },
): Observation[] {
  const hasStatus = withStatus && extensions.has('LIST-STATUS')
  return mailboxRows(account, extensions).flatMap((row): Observation[] => {
    const mailbox = hasStatus ? account.mailbox(row.path) : undefined
    return mailbox === undefined ? [row] : [row, statusRow(mailbox, extensions)]
  })
}

export function statusRow(mailbox: ModelMailbox, extensions: Extensions): StatusSeen {
  const status = mailbox.status()
  return {
    kind: 'status',
    path: mailbox.path,
    messages: status.messages,
    uidNext: status.uidNext,
    uidValidity: uidValidity(status.uidValidity),
    highestModSeq: extensions.has('CONDSTORE') ? modSeq(status.highestModSeq) : null,
    objectId: extensions.has('OBJECTID') ? status.objectId : null,
  }
}

/** What is told of an open mailbox: how many messages there are. */
export function countRow(mailbox: MailboxIdentity, messages: number): StatusSeen {
  return { kind: 'status', ...mailbox, messages, uidNext: null, highestModSeq: null, objectId: null }
}

/** A row with flags; `summary` is added by {@link summaryOf}. */
export function flagRow(mailbox: MailboxIdentity, message: ModelMessage, extensions: Extensions): RowSeen {
  return {
    kind: 'row',
    mailbox,
    uid: uid(message.uid),
    flags: message.flags,
    modSeq: extensions.has('CONDSTORE') ? modSeq(message.modSeq) : null,
    summary: null,
  }
}

export function summaryOf(
  message: ModelMessage,
  { withParts, extensions }: { readonly withParts: boolean; readonly extensions: Extensions },
): Summary {
  const known = decoded.get(message.bytes) ?? decodeMessage(message.bytes)
  decoded.set(message.bytes, known)
  return {
    internalDate: message.internalDate,
    sizeBytes: message.bytes.length,
    envelope: known.envelope,
    parts: withParts ? known.parts : [],
    emailId: extensions.has('OBJECTID') ? message.emailId : extensions.has('X-GM-EXT-1') ? `gm:${gmailIdOf(message)}` : null,
  }
}

/**
 * News as the adapter tells them. EXPUNGE speaks of sequence numbers, which never leave an adapter, so that without QRESYNC what went shows in
 * EXISTS only; and FETCH carries a UID only in answer to UID commands, or under QRESYNC (RFC 7162 §3.2.4).
 */
export function newsObservations(
  news: News,
  {
    mailbox,
    extensions,
    isUidCommand,
  }: { readonly mailbox: MailboxIdentity; readonly extensions: Extensions; readonly isUidCommand: boolean },
): Observation[] {
  const isQresync = extensions.has('QRESYNC')
  const observations: Observation[] = []
  if (isQresync && news.expunged.length > 0) {
    const uids = UidSet.from(news.expunged.map((gone) => gone.uid))
    observations.push({ kind: 'vanished', mailbox, uids, isEarlier: false })
  }
  if (!isQresync && !isUidCommand) return observations
  for (const { message, isSilent } of news.changed) {
    if (isSilent && !extensions.has('CONDSTORE')) continue
    const row = flagRow(mailbox, message, extensions)
    observations.push(isSilent ? { ...row, flags: null } : row)
  }
  return observations
}
