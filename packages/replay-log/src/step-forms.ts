/** How the steps of a claim look as JSON, format 1. */

import type {
  AppendStep,
  CopyStep,
  CreateStep,
  DeleteStep,
  ExpungeAllStep,
  ExpungeStep,
  MoveStep,
  MutatingStep,
  OutgoingMessage,
  RenameStep,
  ReplaceStep,
  StoreStep,
  SubscribeStep,
  UnsubscribeStep,
} from '@tidemail/core'
import { count, type Form, list, oneOf, optional, record, text, variants } from './json-form.ts'
import { bodyIdForm, dateForm, identityForm, modSeqForm, setForm, uidForm } from './number-forms.ts'

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

export const stepForm: Form<MutatingStep> = variants<MutatingStep>({
  store: record<Omit<StoreStep, 'kind'>>({
    ...planned,
    mailbox: identityForm,
    uids: setForm,
    direction: oneOf('add', 'remove'),
    flags: list(text),
    unchangedSince: optional(modSeqForm),
  }),
  copy: record<Omit<CopyStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm, target: text }),
  move: record<Omit<MoveStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm, target: text }),
  expunge: record<Omit<ExpungeStep, 'kind'>>({ ...planned, mailbox: identityForm, uids: setForm }),
  'expunge-all': record<Omit<ExpungeAllStep, 'kind'>>({ ...planned, mailbox: identityForm }),
  append: record<Omit<AppendStep, 'kind'>>({ ...planned, target: text, messages: list(outgoingForm) }),
  replace: record<Omit<ReplaceStep, 'kind'>>({
    ...planned,
    mailbox: identityForm,
    uid: uidForm,
    target: text,
    message: outgoingForm,
  }),
  create: record<Omit<CreateStep, 'kind'>>({ ...planned, path: text }),
  rename: record<Omit<RenameStep, 'kind'>>({ ...planned, path: text, to: text }),
  delete: record<Omit<DeleteStep, 'kind'>>({ ...planned, path: text }),
  subscribe: record<Omit<SubscribeStep, 'kind'>>({ ...planned, path: text }),
  unsubscribe: record<Omit<UnsubscribeStep, 'kind'>>({ ...planned, path: text }),
})
