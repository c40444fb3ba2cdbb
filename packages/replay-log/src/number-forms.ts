/** How identities and sets of them look as JSON: numbers as such, UID sets as text, pairs as `[from, to, length]`, mod-sequences as digits. */

import {
  type BodyId,
  type BoxEpoch,
  bodyId,
  boxEpoch,
  type ClaimId,
  claimId,
  type EntrySeq,
  entrySeq,
  type LocalId,
  localId,
  type MailboxId,
  type MailboxIdentity,
  type ModSeq,
  mailboxId,
  modSeq,
  type Uid,
  type UidPairRange,
  UidPairs,
  UidSet,
  type UidValidity,
  uid,
  uidValidity,
} from '@tidemail/core'
import { count, type Form, list, parsed, record, text, whole } from './json-form.ts'

const same = <T>(value: T): T => value
export const uidForm: Form<Uid> = parsed(whole, { format: same, parse: uid })
export const uidValidityForm: Form<UidValidity> = parsed(whole, { format: same, parse: uidValidity })
export const localForm: Form<LocalId> = parsed(whole, { format: same, parse: localId })
/** As decimal digits: a mod-sequence may be above what JSON numbers hold. */
export const modSeqForm: Form<ModSeq> = parsed<ModSeq, string>(text, { format: String, parse: modSeq })
export const mailboxForm: Form<MailboxId> = parsed(count, { format: same, parse: mailboxId })
export const boxForm: Form<BoxEpoch> = parsed(count, { format: same, parse: boxEpoch })
export const seqForm: Form<EntrySeq> = parsed(count, { format: same, parse: entrySeq })
export const claimIdForm: Form<ClaimId> = parsed(text, { format: same, parse: claimId })
export const bodyIdForm: Form<BodyId> = parsed(text, { format: same, parse: bodyId })
export const setForm: Form<UidSet> = parsed(text, { format: String, parse: (value) => UidSet.parse(value) })
/** Dates are whole milliseconds, before 1970 too. */
export const dateForm: Form<number> = whole

export const pairsForm: Form<UidPairs> = parsed(list(list(whole)), {
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

export const identityForm: Form<MailboxIdentity> = record<MailboxIdentity>({ path: text, uidValidity: uidValidityForm })
