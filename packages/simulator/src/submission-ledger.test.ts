import { expect, it } from 'vitest'
import { handOver } from './simulated-submission.ts'
import { SubmissionLedger } from './submission-ledger.ts'

it('complains of a message that is sent twice, or that nobody wanted to be sent (Verifies: I-LOG-3)', () => {
  const ledger = new SubmissionLedger()
  ledger.ask('<a>')
  expect(ledger.unsent).toEqual(['<a>'])
  expect(ledger.enter('<a>', { isTaken: false })).toEqual([])
  expect(ledger.isUnsent('<a>')).toBe(true)
  expect(ledger.enter('<a>', { isTaken: true })).toEqual([])
  expect(ledger.unsent).toEqual([])
  expect(ledger.enter('<a>', { isTaken: true })).toEqual(['<a> was sent 2 times, asked for were 1'])
  ledger.allowRepeat(['<a>', '<a>'])
  expect(ledger.enter('<a>', { isTaken: true })).toEqual([])
  expect(ledger.enter('<b>', { isTaken: true })).toEqual(['<b> was handed over, which nobody asked for'])
})

it('knows what became of an attempt only as long as the process lives that heard it (Verifies: H-9)', () => {
  const ledger = new SubmissionLedger()
  ledger.ask('<a>')
  ledger.enter('<a>', { isTaken: true })
  expect(ledger.isAnswered('<a>')).toBe(false)
  ledger.answer('<a>')
  expect(ledger.isAnswered('<a>')).toBe(true)
  ledger.forgetAnswers()
  expect(ledger.isAnswered('<a>')).toBe(false)
})

it('misses nothing that was taken back before it was sent', () => {
  const ledger = new SubmissionLedger()
  ledger.ask('<a>')
  ledger.withdraw(['<a>'])
  expect(ledger.unsent).toEqual([])
})

it('fails as steps do: before, on the way, after, and by an answer', () => {
  expect(handOver(null)).toMatchObject({ isTaken: true, outcome: { kind: 'accepted' } })
  expect(handOver('cut')).toMatchObject({ isTaken: false, outcome: { kind: 'unreachable' } })
  expect(handOver('lost request')).toMatchObject({ isTaken: false, outcome: { kind: 'unknown' } })
  expect(handOver('lost answer')).toMatchObject({ isTaken: true, outcome: { kind: 'unknown' } })
  expect(handOver('NO')).toMatchObject({ isTaken: false, outcome: { kind: 'rejected', isPassing: false } })
  expect(handOver('NO [INUSE]')).toMatchObject({ isTaken: false, outcome: { kind: 'rejected', isPassing: true } })
})
