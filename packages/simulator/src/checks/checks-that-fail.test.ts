import { bodyId, type Step, UidSet, uidValidity } from '@tidemail/core'
import { MemoryDisk, ModelAccount } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { Ledger } from '../ledger.ts'
import { NetChecks } from './net-checks.ts'

const inbox = { path: 'INBOX', uidValidity: uidValidity(7) }
const planned = { id: 's1', reason: 'test', notAfter: 10_000 }
const flag: Step = { ...planned, kind: 'store', mailbox: inbox, uids: UidSet.of(3), direction: 'add', flags: ['\\Seen'] }
const message = new TextEncoder().encode('Message-ID: <m@test>\r\n\r\nText\r\n')

it('complains of a UID that was not given, of a missing claim, of haste and of delay (Verifies: I-NET-2, H-2, H-7, H-8)', () => {
  const checks = new NetChecks()
  const { state } = new MemoryDisk()
  const found = (now: number): string[] => checks.check(flag, now, state).map(({ check }) => check)
  expect(found(0)).toEqual(['H-2', 'I-NET-2'])
  checks.hear({ kind: 'row', mailbox: inbox, uid: 3 as never, flags: [], modSeq: null, summary: null })
  checks.lose(flag, 0)
  expect(found(1_999)).toEqual(['H-2', 'H-7'])
  expect(found(10_001)).toEqual(['H-8', 'H-2'])
})

it('complains of an upload that took effect twice, and of a flag that nobody asked for (Verifies: I-LOG-3)', () => {
  const ledger = new Ledger({ hasMove: true, hasUidplus: true })
  ledger.ask('append', ['<m@test>'])
  const messages = new ModelAccount().inbox.append([{ bytes: message, flags: [], internalDate: 0 }])
  const outgoing = { bodyId: bodyId('b'), sizeBytes: message.length, flags: [], internalDate: 0 }
  const append: Step = { ...planned, kind: 'append', target: 'INBOX', messages: [outgoing] }
  expect(ledger.enter({ step: append, messages })).toEqual([])
  expect(ledger.enter({ step: append, messages })).toEqual(['<m@test>: append took effect 2 times, asked for were 1'])
  expect(ledger.enter({ step: flag, messages })).toEqual(['<m@test>: add \\Seen was stored, which nobody asked for'])
})
