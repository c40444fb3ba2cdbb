import { accountId, type Checkpoint, type MailboxRecord, mailboxId, UidPairs, UidSet, uidValidity } from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { ServerStateChanges } from './server-state-changes.ts'

const [INBOX, ARCHIVE] = [mailboxId(1), mailboxId(2)]
const MOVED = new UidPairs([{ from: 4, to: 21, length: 3 }])

function changes(inbox: Partial<Checkpoint>, archive: Partial<Checkpoint> = {}): ServerStateChanges {
  const of = (id: typeof INBOX, known: string, more: Partial<Checkpoint>): [typeof INBOX, MailboxRecord] => {
    const uids = UidSet.parse(known)
    const checkpoint = { uidNext: (uids.max ?? 0) + 1, highestModSeq: null, known: uids, covered: uids, ...more }
    return [id, sampleMailbox(id, { accountId: accountId('me'), uidValidity: uidValidity(5), checkpoint })]
  }
  return new ServerStateChanges(new Map([of(INBOX, '1:9', inbox), of(ARCHIVE, '1:20', archive)]))
}

function moved(inbox: Partial<Checkpoint>, archive: Partial<Checkpoint> = {}): Checkpoint | null | undefined {
  const state = changes(inbox, archive)
  state.carry(INBOX, state.mailbox(ARCHIVE) as MailboxRecord, MOVED)
  return state.mailbox(ARCHIVE)?.checkpoint
}

it('carries the marks of ours along with the messages, and leaves those that were there', () => {
  // Verifies: I-STORE-2
  expect(String(moved({ marked: UidSet.parse('2,5') }, { marked: UidSet.parse('7') })?.marked)).toBe('7,22')
  expect(moved({ marked: UidSet.parse('2') })).not.toHaveProperty('marked')
})

it('remembers how far COPYUID named messages, whether their rows are held or not', () => {
  // Verifies: H-10
  expect(moved({})).toMatchObject({ namedUpTo: 23, uidNext: 21, known: UidSet.parse('1:23') })
  expect(moved({ covered: UidSet.EMPTY })).toMatchObject({ namedUpTo: 23, known: UidSet.parse('1:20') })
  expect(moved({}, { namedUpTo: 40 })?.namedUpTo).toBe(40)
})

it('remembers how far APPENDUID named messages', () => {
  // Verifies: H-10
  const state = changes({})
  state.cover(INBOX, UidSet.parse('12'))
  expect(state.mailbox(INBOX)?.checkpoint).toMatchObject({ namedUpTo: 12, uidNext: 10 })
})

it('forgets the mark with the message', () => {
  const state = changes({ marked: UidSet.parse('4:5') })
  state.forget(INBOX, UidSet.parse('5:6'))
  expect(String(state.mailbox(INBOX)?.checkpoint?.marked)).toBe('4')
  state.unmark(INBOX, UidSet.parse('4'))
  expect(state.mailbox(INBOX)?.checkpoint).not.toHaveProperty('marked')
})
