import {
  accountId,
  boxEpoch,
  entrySeq,
  type MailboxRecord,
  mailboxId,
  modSeq,
  UidPairs,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { type Entry, encodeEntry } from '@tidemail/replay-log'
import { MemoryDisk, type MemoryState, ModelAccount, sampleMailbox } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { SubmissionLedger } from '../submission-ledger.ts'
import { ParkedChecks } from './parked-checks.ts'

const me = accountId('me')
const inbox = mailboxId(1)
const message = new TextEncoder().encode('Message-ID: <m@test>\r\n\r\nText\r\n')

function stateWith(entry: Entry, mailbox: MailboxRecord): MemoryState {
  const { state } = new MemoryDisk()
  return { ...state, entries: new Map([[entry.seq, encodeEntry(entry)]]), mailboxes: new Map([[mailbox.id, mailbox]]) }
}

it('complains of a conflict with nobody (Verifies: I-LOG-2)', () => {
  const account = new ModelAccount()
  account.inbox.append([{ bytes: message, flags: [], internalDate: 0 }])
  const checks = new ParkedChecks(account, new SubmissionLedger(), { hasUidplus: true })
  const targets = { kind: 'stored' as const, mailboxId: inbox, box: boxEpoch(1), uids: UidSet.of(1) }
  const since = modSeq(account.inbox.highestModSeq)
  const entry: Entry = {
    seq: entrySeq(1),
    accountId: me,
    revision: 1,
    acceptedAt: 0,
    operation: { kind: 'flag', targets, add: ['\\Seen'], remove: [], ifUnchanged: { since, base: [] } },
    placed: UidPairs.EMPTY,
    progress: [{ state: 'parked', targets, claimId: null, parkedFor: 'conflict', placed: UidPairs.EMPTY }],
    settled: [],
    rejections: 0,
    notBefore: 0,
    conflicts: [{ uid: uid(1), base: [], theirs: ['\\Flagged'] }],
  }
  const place = { accountId: me, path: 'INBOX', box: boxEpoch(1), uidValidity: uidValidity(account.inbox.uidValidity) }
  const mailbox = sampleMailbox(inbox, place)
  const { state } = new MemoryDisk()
  const found = (): string[] => checks.check(state, stateWith(entry, mailbox)).map(({ check }) => check)
  account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Answered'] })
  expect(found()).toEqual(['conflict'])
  checks.whileOthersAct(account.inbox, () => {
    account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Flagged'] })
    return true
  })
  expect(found()).toEqual([])
})

it('complains of uncertainty where a probe can tell, but not where others took the proof away (Verifies: H-9)', () => {
  const account = new ModelAccount()
  const targets = { kind: 'stored' as const, mailboxId: inbox, box: boxEpoch(1), uids: UidSet.of(1) }
  const entry: Entry = {
    seq: entrySeq(1),
    accountId: me,
    revision: 1,
    acceptedAt: 0,
    operation: { kind: 'copy', targets, to: mailboxId(2) },
    placed: UidPairs.EMPTY,
    progress: [{ state: 'parked', targets, claimId: null, parkedFor: 'uncertain', placed: UidPairs.EMPTY }],
    settled: [],
    rejections: 0,
    notBefore: 0,
    conflicts: [],
  }
  const { state } = new MemoryDisk()
  const after = stateWith(entry, sampleMailbox(inbox, { accountId: me }))
  const foundBy = (checks: ParkedChecks): string[] => checks.check(state, after).map(({ check }) => check)
  const checks = new ParkedChecks(account, new SubmissionLedger(), { hasUidplus: true })
  expect(foundBy(checks)).toEqual(['H-9'])
  expect(foundBy(new ParkedChecks(account, new SubmissionLedger(), { hasUidplus: false }))).toEqual([])
  checks.othersTakeProof()
  expect(foundBy(checks)).toEqual([])
})
