import { accountId, boxEpoch, localId, type MailboxRecord, mailboxId, modSeq, UidSet, uid, uidValidity } from '@tidemail/core'
import { type Entry, encodeEntry } from '@tidemail/replay-log'
import { MemoryDisk, type MemoryState, ModelAccount, sampleLocalMessage, sampleMailbox } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { SubmissionLedger } from '../submission-ledger.ts'
import { ParkedChecks } from './parked-checks.ts'
import { sampleEntry } from './sample-entry.ts'

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
  const conflicts = [{ uid: uid(1), base: [], theirs: ['\\Flagged'] }]
  const change = { add: ['\\Seen'], remove: [], ifUnchanged: { since, base: [] } }
  const entry = sampleEntry({ kind: 'flag', targets, ...change }, targets, { parkedFor: 'conflict', conflicts })
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

it('complains of uncertainty where a probe can tell, but not where the proof is lost (Verifies: H-9)', () => {
  const account = new ModelAccount()
  const targets = { kind: 'stored' as const, mailboxId: inbox, box: boxEpoch(1), uids: UidSet.of(1) }
  const entry = sampleEntry({ kind: 'copy', targets, to: mailboxId(2) }, targets, { parkedFor: 'uncertain' })
  const { state } = new MemoryDisk()
  const after = stateWith(entry, sampleMailbox(inbox, { accountId: me }))
  const foundBy = (checks: ParkedChecks): string[] => checks.check(state, after).map(({ check }) => check)
  const checks = new ParkedChecks(account, new SubmissionLedger(), { hasUidplus: true })
  expect(foundBy(checks)).toEqual(['H-9'])
  expect(foundBy(new ParkedChecks(account, new SubmissionLedger(), { hasUidplus: false }))).toEqual([])
  checks.loseProof()
  expect(foundBy(checks)).toEqual([])
})

it('complains of uncertainty about the copy of a submission, but not about its handing over (Verifies: H-9)', () => {
  const message = { ...sampleLocalMessage(), local: localId(2) }
  const parts = { deed: localId(1), sender: 'a@test', recipients: ['b@test'], to: mailboxId(2), message, digest: '' }
  const found = (parked: UidSet): string[] => {
    const targets = { kind: 'local' as const, mailboxId: mailboxId(2), locals: parked }
    const entry = sampleEntry({ kind: 'submit', ...parts }, targets, { parkedFor: 'uncertain' })
    const checks = new ParkedChecks(new ModelAccount(), new SubmissionLedger(), { hasUidplus: true })
    return checks
      .check(new MemoryDisk().state, stateWith(entry, sampleMailbox(inbox, { accountId: me })))
      .map(({ check }) => check)
  }
  expect(found(UidSet.of(1, 2))).toEqual([])
  expect(found(UidSet.of(2))).toEqual(['H-9'])
})
