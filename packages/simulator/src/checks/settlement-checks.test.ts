import { accountId, boxEpoch, entrySeq, localId, mailboxId, type Step, type Targets, UidSet, uidValidity } from '@tidemail/core'
import { encodeEntry, encodeReceipt, type Operation, receiptOf } from '@tidemail/replay-log'
import {
  MemoryDisk,
  type MemoryState,
  ModelAccount,
  sampleEnvelope,
  sampleLocalMessage,
  sampleMailbox,
} from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { Ledger } from '../ledger.ts'
import { sampleEntry } from './sample-entry.ts'
import { SettlementChecks } from './settlement-checks.ts'

const me = accountId('me')
const seq = entrySeq(1)
const inbox = mailboxId(1)
const archive = mailboxId(2)
const box = boxEpoch(1)
const bytes = new TextEncoder().encode('Message-ID: <m@test>\r\n\r\nText\r\n')
const envelope = sampleEnvelope({ messageId: '<m@test>' })
const stored: Targets = { kind: 'stored', mailboxId: inbox, box, uids: UidSet.of(1) }
const planned = { id: 's1', reason: 'test', notAfter: 10_000 }

/** The message waits in INBOX for the operation, which is then told to be done. */
function lab(operation: Operation, targets: Targets) {
  const account = new ModelAccount({ mailboxes: { Archive: null } })
  const messages = account.inbox.append([{ bytes, flags: [], internalDate: 0 }])
  const ledger = new Ledger({ hasMove: true, hasUidplus: true })
  const checks = new SettlementChecks(account, ledger)
  const entry = sampleEntry(operation, targets)
  const place = { accountId: me, path: 'INBOX', box, uidValidity: uidValidity(account.inbox.uidValidity) }
  const summary = { envelope, internalDate: 0, sizeBytes: bytes.length, parts: [], emailId: null }
  const { state: empty } = new MemoryDisk()
  const waiting: MemoryState = {
    ...empty,
    mailboxes: new Map([[inbox, sampleMailbox(inbox, place)]]),
    rows: new Map([[box, new Map([[1, { flags: [], modSeq: null, summary }]])]]),
    entries: new Map([[seq, encodeEntry(entry)]]),
  }
  const receipt = receiptOf(
    { ...entry, progress: [], settled: [{ outcome: 'applied', targets, evidence: { kind: 'tagged-ok' } }] },
    0,
  )
  const told: MemoryState = { ...waiting, entries: new Map(), receipts: new Map([[`${me} ${seq}`, encodeReceipt(receipt)]]) }
  checks.check(empty, waiting)
  return { account, ledger, messages, found: () => checks.check(waiting, told).map(({ what }) => what) }
}

it('complains of a copy that is told to be done, and was not (Verifies: I-LOG-2)', () => {
  const { found, ledger, messages } = lab({ kind: 'copy', targets: stored, to: archive }, stored)
  const source = { path: 'INBOX', uidValidity: uidValidity(1) }
  const copy: Step = { ...planned, kind: 'copy', mailbox: source, uids: UidSet.of(1), target: 'Archive' }
  ledger.ask('copy', ['<m@test>'])
  ledger.enter({ step: copy, messages })
  expect(found()).toEqual([])
  expect(found()).toEqual(['entry 1 is settled, but <m@test>: copy took effect 1 times, 2 are told of'])
})

it('complains of a removal that is told to be done while the message is there (Verifies: I-LOG-2)', () => {
  const { account, found } = lab({ kind: 'expunge', targets: stored }, stored)
  expect(found()).toEqual(['entry 1 is settled, but INBOX 1 is still there'])
  account.inbox.remove(UidSet.of(1))
  expect(found()).toEqual([])
})

it('complains of a message that is told to be sent and kept, and is neither (Verifies: I-LOG-2)', () => {
  const message = { ...sampleLocalMessage({ envelope }), local: localId(2) }
  const locals: Targets = { kind: 'local', mailboxId: archive, locals: UidSet.of(1, 2) }
  const parts = { deed: localId(1), sender: 'a@test', recipients: ['b@test'], to: archive, message, digest: '' }
  const { found, ledger } = lab({ kind: 'submit', ...parts }, locals)
  ledger.submissions.ask('<m@test>')
  expect(found()).toEqual([
    'entry 1 is settled, but <m@test>: append took effect 0 times, 1 are told of',
    'entry 1 is settled, but <m@test> was not sent',
  ])
})
