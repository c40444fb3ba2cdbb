/** How the parts of entries, claims and receipts look as JSON, format 1: UID sets as text, pairs as `[from, to, length]`. */

import {
  type Address,
  type AppendStep,
  type BodyId,
  type BoxEpoch,
  bodyId,
  boxEpoch,
  type ClaimId,
  type CopyStep,
  claimId,
  type EntrySeq,
  type Envelope,
  type ExpungeStep,
  entrySeq,
  type LocalId,
  type LocalMessage,
  localId,
  type MailboxId,
  type MailboxIdentity,
  type MimePart,
  type MoveStep,
  type MutatingStep,
  mailboxId,
  type OutgoingMessage,
  type Rejection,
  type StoreStep,
  type Targets,
  type Uid,
  type UidPairRange,
  UidPairs,
  UidSet,
  type UidValidity,
  uid,
  uidValidity,
} from '@tidemail/core'
import type { Claim, ClaimMember, Fence, FencedMessage } from './claim.ts'
import type { Entry, Evidence, Progress, Settlement } from './entry.ts'
import { count, type Form, list, nullable, oneOf, optional, parsed, record, text, variants, whole } from './json-form.ts'
import type { Operation } from './operation.ts'
import type { Receipt } from './receipt.ts'

/** What of an entry is in its bytes; the rest is in its record, and `placed` follows from `progress`. */
export type EntryBody = Omit<Entry, 'seq' | 'accountId' | 'revision' | 'placed'>
export type ClaimBody = Omit<Claim, 'id' | 'accountId'>
export type ReceiptBody = Omit<Receipt, 'seq' | 'accountId'>

const same = <T>(value: T): T => value
const uidForm: Form<Uid> = parsed(whole, { format: same, parse: uid })
const uidValidityForm: Form<UidValidity> = parsed(whole, { format: same, parse: uidValidity })
const localForm: Form<LocalId> = parsed(whole, { format: same, parse: localId })
const mailboxForm: Form<MailboxId> = parsed(count, { format: same, parse: mailboxId })
const boxForm: Form<BoxEpoch> = parsed(count, { format: same, parse: boxEpoch })
const seqForm: Form<EntrySeq> = parsed(count, { format: same, parse: entrySeq })
const claimIdForm: Form<ClaimId> = parsed(text, { format: same, parse: claimId })
const bodyIdForm: Form<BodyId> = parsed(text, { format: same, parse: bodyId })
const setForm: Form<UidSet> = parsed(text, { format: String, parse: (value) => UidSet.parse(value) })
/** Dates are whole milliseconds, before 1970 too. */
const dateForm = whole

const pairsForm: Form<UidPairs> = parsed(list(list(whole)), {
  format: ({ ranges }) => ranges.map(({ from, to, length }) => [from, to, length]),
  parse: (triples) => new UidPairs(triples.map(pairRange)),
})

function pairRange(triple: readonly number[]): UidPairRange {
  const [from = 0, to = 0, length = 0] = triple
  if (triple.length !== 3 || length < 1) throw new RangeError('no pair')
  uid(from + length - 1)
  uid(to + length - 1)
  return { from: uid(from), to: uid(to), length }
}

const targetsForm: Form<Targets> = variants<Targets>({
  stored: record({ mailboxId: mailboxForm, box: boxForm, uids: setForm }),
  local: record({ mailboxId: mailboxForm, locals: setForm }),
})

const addressesForm = list(record<Address>({ name: nullable(text), address: nullable(text) }))

const envelopeForm: Form<Envelope> = record<Envelope>({
  subject: nullable(text),
  date: nullable(dateForm),
  from: addressesForm,
  sender: addressesForm,
  replyTo: addressesForm,
  to: addressesForm,
  cc: addressesForm,
  bcc: addressesForm,
  inReplyTo: nullable(text),
  messageId: nullable(text),
})

const partForm: Form<MimePart> = record<MimePart>({
  section: text,
  type: text,
  charset: nullable(text),
  encoding: text,
  sizeBytes: count,
  disposition: nullable(oneOf('inline', 'attachment')),
  fileName: nullable(text),
  contentId: nullable(text),
})

const messageForm: Form<LocalMessage> = record<LocalMessage>({
  local: localForm,
  bodyId: bodyIdForm,
  flags: list(text),
  internalDate: dateForm,
  sizeBytes: count,
  envelope: envelopeForm,
  parts: list(partForm),
  emailId: nullable(text),
})

const operationForm: Form<Operation> = variants<Operation>({
  flag: record({ targets: targetsForm, add: list(text), remove: list(text) }),
  move: record({ targets: targetsForm, to: mailboxForm }),
  copy: record({ targets: targetsForm, to: mailboxForm }),
  expunge: record({ targets: targetsForm }),
  append: record({ to: mailboxForm, message: messageForm, digest: text }),
})

const progressForm: Form<Progress> = record<Progress>({
  state: oneOf('queued', 'sending', 'unknown', 'recovering', 'copied', 'parked'),
  targets: targetsForm,
  claimId: nullable(claimIdForm),
  parkedFor: nullable(
    oneOf(
      'uidvalidity-changed',
      'mailbox-gone',
      'rejected-repeatedly',
      'not-permitted',
      'over-quota',
      'uncertain',
      'mass-delete',
      'needs-another',
      'bytes-lost',
    ),
  ),
  placed: pairsForm,
})

const identityForm: Form<MailboxIdentity> = record<MailboxIdentity>({ path: text, uidValidity: uidValidityForm })

const rejectionForm: Form<Rejection> = record<Rejection>({ status: oneOf('NO', 'BAD'), code: nullable(text), text })

const evidenceForm: Form<Evidence> = variants<Evidence>({
  'append-uid': record({ target: identityForm, uid: uidForm }),
  'copy-uid': record({ target: identityForm, pairs: pairsForm }),
  'flags-seen': record({}),
  'tagged-ok': record({}),
  vanished: record({ uids: setForm }),
  probe: record({ verdict: oneOf('certain', 'possible', 'none'), found: list(uidForm) }),
  rejection: record({ rejection: rejectionForm }),
  'nothing-sent': record({}),
  'mailbox-changed': record({}),
  'user-decision': record({}),
})

const settlementForm: Form<Settlement> = record<Settlement>({
  outcome: oneOf('applied', 'superseded', 'skipped', 'rejected', 'undone', 'discarded', 'uncertain'),
  targets: targetsForm,
  evidence: evidenceForm,
})

const planned = {
  id: text,
  reason: text,
  after: optional(list(text)),
  requires: optional(list(text)),
  notAfter: dateForm,
}

const outgoingForm: Form<OutgoingMessage> = record<OutgoingMessage>({
  bodyId: bodyIdForm,
  sizeBytes: count,
  flags: list(text),
  internalDate: dateForm,
})

const stepForm: Form<MutatingStep> = variants<MutatingStep>({
  store: record<Omit<StoreStep, 'kind'>>({
    ...planned,
    mailbox: identityForm,
    uids: setForm,
    direction: oneOf('add', 'remove'),
    flags: list(text),
  }),
  copy: record<Omit<CopyStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm, target: text }),
  move: record<Omit<MoveStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm, target: text }),
  expunge: record<Omit<ExpungeStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm }),
  append: record<Omit<AppendStep, 'kind'>>({ ...planned, target: text, messages: list(outgoingForm) }),
})

const fencedForm: Form<FencedMessage> = record<FencedMessage>({
  of: whole,
  messageId: nullable(text),
  sizeBytes: count,
  internalDate: dateForm,
  emailId: nullable(text),
  digest: nullable(text),
})

const fenceForm: Form<Fence> = record<Fence>({
  mailboxId: mailboxForm,
  box: boxForm,
  path: text,
  uidValidity: uidValidityForm,
  uidNext: count,
  messages: list(fencedForm),
})

/** The bytes of an entry, before they are bytes. */
export const ENTRY_FORM: Form<EntryBody> = record<EntryBody>({
  acceptedAt: dateForm,
  operation: operationForm,
  progress: list(progressForm),
  settled: list(settlementForm),
  rejections: count,
  notBefore: dateForm,
})

export const CLAIM_FORM: Form<ClaimBody> = record<ClaimBody>({
  steps: list(stepForm),
  members: list(record<ClaimMember>({ seq: seqForm, targets: targetsForm })),
  fence: nullable(fenceForm),
  claimedAt: dateForm,
  lostAt: nullable(dateForm),
  answer: oneOf('none', 'ok'),
})

export const RECEIPT_FORM: Form<ReceiptBody> = record<ReceiptBody>({
  operation: operationForm,
  acceptedAt: dateForm,
  settledAt: dateForm,
  outcomes: list(settlementForm),
})
