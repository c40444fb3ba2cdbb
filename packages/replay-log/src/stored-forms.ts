/** How the parts of entries, claims and receipts look as JSON, format 1: UID sets as text, pairs as `[from, to, length]`. */

import type { Address, Envelope, LocalMessage, MimePart, Rejection, Targets } from '@tidemail/core'
import type { Claim, ClaimMember, Fence, FencedMessage, Submission } from './claim.ts'
import type { Entry, Evidence, FlagConflict, Progress, Settlement, UnalteredFlag } from './entry.ts'
import { count, type Form, list, nullable, oneOf, optional, record, text, variants, whole, yesOrNo } from './json-form.ts'
import {
  bodyIdForm,
  boxForm,
  claimIdForm,
  dateForm,
  identityForm,
  localForm,
  mailboxForm,
  modSeqForm,
  pairsForm,
  seqForm,
  setForm,
  uidForm,
  uidValidityForm,
} from './number-forms.ts'
import type {
  AppendOperation,
  CopyOperation,
  DraftOperation,
  ExpungeOperation,
  FlagBase,
  FlagCondition,
  FlagOperation,
  MailboxName,
  MoveOperation,
  Operation,
  SubmitOperation,
} from './operation.ts'
import type { Receipt } from './receipt.ts'
import { stepForm } from './step-forms.ts'

/** What of an entry is in its bytes; the rest is in its record, and `placed` follows from `progress`. */
export type EntryBody = Omit<Entry, 'seq' | 'accountId' | 'revision' | 'placed' | 'conflicts'> & {
  /** Left out: none. */
  readonly conflicts?: readonly FlagConflict[]
}
export type ClaimBody = Omit<Claim, 'id' | 'accountId'>
export type ReceiptBody = Omit<Receipt, 'seq' | 'accountId'>

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

const named = { names: optional(list(record<MailboxName>({ id: mailboxForm, path: text }))) }

const upload = { message: messageForm, digest: text, ...named }

const onMailbox = { mailboxId: mailboxForm, deed: localForm, path: text }

const baseForm: Form<FlagBase> = record<FlagBase>({
  uid: uidForm,
  flags: list(text),
  since: optional(nullable(modSeqForm)),
  isOurs: optional(yesOrNo),
})

const operationForm: Form<Operation> = variants<Operation>({
  flag: record<Omit<FlagOperation, 'kind'>>({
    targets: targetsForm,
    add: list(text),
    remove: list(text),
    ifUnchanged: optional(record<FlagCondition>({ since: modSeqForm, base: list(baseForm) })),
    ...named,
  }),
  move: record<Omit<MoveOperation, 'kind'>>({ targets: targetsForm, to: mailboxForm, ...named }),
  copy: record<Omit<CopyOperation, 'kind'>>({ targets: targetsForm, to: mailboxForm, ...named }),
  expunge: record<Omit<ExpungeOperation, 'kind'>>({ targets: targetsForm, isHeir: optional(yesOrNo), ...named }),
  append: record<Omit<AppendOperation, 'kind'>>({ to: mailboxForm, ...upload }),
  draft: record<Omit<DraftOperation, 'kind'>>({
    to: mailboxForm,
    replaces: nullable(targetsForm),
    isHeir: optional(yesOrNo),
    ...upload,
  }),
  submit: record<Omit<SubmitOperation, 'kind'>>({
    deed: localForm,
    sender: text,
    recipients: list(text),
    to: nullable(mailboxForm),
    ...upload,
  }),
  'create-mailbox': record(onMailbox),
  'rename-mailbox': record({ ...onMailbox, from: text }),
  'delete-mailbox': record(onMailbox),
  'subscribe-mailbox': record({ ...onMailbox, isSubscribed: yesOrNo }),
})

const unalteredForm = list(record<UnalteredFlag>({ flag: text, uids: setForm }))

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
      'conflict',
    ),
  ),
  placed: pairsForm,
  mayBeDone: optional(unalteredForm),
})

const rejectionForm: Form<Rejection> = record<Rejection>({ status: oneOf('NO', 'BAD'), code: nullable(text), text })

const evidenceForm: Form<Evidence> = variants<Evidence>({
  'append-uid': record({ target: identityForm, uid: uidForm }),
  'copy-uid': record({ target: identityForm, pairs: pairsForm }),
  'flags-seen': record({}),
  'tagged-ok': record({}),
  vanished: record({ uids: setForm }),
  probe: record({ verdict: oneOf('certain', 'possible', 'none'), found: list(uidForm) }),
  rejection: record({ rejection: rejectionForm }),
  listed: record({}),
  submitted: record({ text }),
  'nothing-sent': record({}),
  'mailbox-changed': record({}),
  'user-decision': record({}),
})

const settlementForm: Form<Settlement> = record<Settlement>({
  outcome: oneOf('applied', 'superseded', 'skipped', 'rejected', 'undone', 'discarded', 'uncertain'),
  targets: targetsForm,
  evidence: evidenceForm,
  unaltered: optional(unalteredForm),
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
  conflicts: optional(list(record<FlagConflict>({ uid: uidForm, base: list(text), theirs: list(text) }))),
})

const memberForms = {
  seq: seqForm,
  targets: targetsForm,
  sentAs: optional(pairsForm),
  isSuperseded: optional(yesOrNo),
  unaltered: optional(unalteredForm),
}

export const CLAIM_FORM: Form<ClaimBody> = record<ClaimBody>({
  steps: list(stepForm),
  members: list(record<ClaimMember>(memberForms)),
  fence: nullable(fenceForm),
  claimedAt: dateForm,
  lostAt: nullable(dateForm),
  answer: oneOf('none', 'ok'),
  submission: optional(record<Submission>({ notAfter: dateForm })),
  shielded: optional(setForm),
  unmarks: optional(mailboxForm),
  unaltered: optional(unalteredForm),
  probedAt: optional(dateForm),
  keptAt: optional(dateForm),
})

export const RECEIPT_FORM: Form<ReceiptBody> = record<ReceiptBody>({
  operation: operationForm,
  acceptedAt: dateForm,
  settledAt: dateForm,
  outcomes: list(settlementForm),
})
