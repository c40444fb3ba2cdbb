/** Records and envelopes for tests, with nothing in them but what a test says. */

import {
  type AccountId,
  type AccountRecord,
  bodyId,
  boxEpoch,
  type Envelope,
  type LocalMessage,
  type MailboxId,
  type MailboxRecord,
  type ServerMessage,
  type Uid,
} from '@tidemail/core'

export function sampleAccount(id: AccountId, changes: Partial<AccountRecord> = {}): AccountRecord {
  return { id, host: 'mail.example', user: id, settings: {}, server: null, syncedAt: null, ...changes }
}

/** A mailbox that the server has, in box 10 + id, which was never opened. */
export function sampleMailbox(
  id: MailboxId,
  { accountId, ...changes }: Partial<MailboxRecord> & Pick<MailboxRecord, 'accountId'>,
): MailboxRecord {
  return {
    id,
    accountId,
    path: `box${id}`,
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: true,
    isOnServer: true,
    objectId: null,
    box: boxEpoch(10 + id),
    uidValidity: null,
    checkpoint: null,
    permanentFlags: [],
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
    ...changes,
  }
}

export function sampleEnvelope(changes: Partial<Envelope> = {}): Envelope {
  return {
    subject: null,
    date: null,
    from: [],
    sender: [],
    replyTo: [],
    to: [],
    cc: [],
    bcc: [],
    inReplyTo: null,
    messageId: null,
    ...changes,
  }
}

/** A message made here, of nine octets without flags or parts; its number is for whoever accepts it to give. */
export function sampleLocalMessage(changes: Partial<LocalMessage> = {}): Omit<LocalMessage, 'local'> {
  const fixed = { flags: [], internalDate: 0, parts: [], emailId: null }
  return { bodyId: bodyId('b'), sizeBytes: 9, envelope: sampleEnvelope(), ...fixed, ...changes }
}

/** A message of one octet without flags or parts. */
export function sampleMessage(uid: number, changes: Partial<ServerMessage> = {}): ServerMessage {
  return {
    uid: uid as Uid,
    flags: [],
    modSeq: null,
    internalDate: 0,
    sizeBytes: 1,
    envelope: sampleEnvelope(),
    parts: [],
    emailId: null,
    ...changes,
  }
}
