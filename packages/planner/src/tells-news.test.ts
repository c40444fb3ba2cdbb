/** Whether what a server says of a mailbox is more than the store holds. */

import {
  type Checkpoint,
  type MailboxRecord,
  type MailboxSeen,
  type ModSeq,
  type StatusSeen,
  UidSet,
  type UidValidity,
} from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { tellsName, tellsNews } from './tells-news.ts'

const CHECKPOINT = { uidNext: 10, highestModSeq: 40n as ModSeq, known: UidSet.parse('1:3') } as Checkpoint
const HELD = { path: 'Work', isSelectable: true, uidValidity: 7 as UidValidity, checkpoint: CHECKPOINT } as MailboxRecord
const SAME: StatusSeen = {
  kind: 'status',
  path: 'Work',
  messages: 3,
  uidNext: 10,
  uidValidity: 7 as UidValidity,
  highestModSeq: 40n as ModSeq,
  objectId: null,
}
const UNSAID = { messages: null, uidNext: null, uidValidity: null, highestModSeq: null }

describe('the state of a mailbox', () => {
  it.each<[string, Partial<StatusSeen>]>([
    ['a message went or came', { messages: 4 }],
    ['a message came and went', { uidNext: 11 }],
    ['flags changed', { highestModSeq: 41n as ModSeq }],
    ['the mailbox is another one', { uidValidity: 8 as UidValidity }],
    ['the mod-sequence went back', { highestModSeq: 39n as ModSeq }],
  ])('is news when %s', (_, changes) => {
    expect(tellsNews(HELD, { ...SAME, ...changes })).toBe(true)
    expect(tellsNews(HELD, { ...SAME, ...UNSAID, ...changes })).toBe(true)
  })

  it('is none when it is what is held, or the server does not say', () => {
    expect(tellsNews(HELD, SAME)).toBe(false)
    expect(tellsNews(HELD, { ...SAME, ...UNSAID })).toBe(false)
  })

  it('is news of a mailbox that is not known, or was never taken in', () => {
    expect(tellsNews(undefined, SAME)).toBe(true)
    expect(tellsNews({ ...HELD, checkpoint: null }, SAME)).toBe(true)
    expect(tellsNews({ ...HELD, checkpoint: null, isSelectable: false }, SAME)).toBe(false)
  })

  it('says nothing of flags where no mod-sequence was taken in', () => {
    expect(tellsNews({ ...HELD, checkpoint: { ...CHECKPOINT, highestModSeq: null } }, SAME)).toBe(false)
  })
})

describe('the name of a mailbox', () => {
  const held = { ...HELD, isSubscribed: true }
  const seen: MailboxSeen = { kind: 'mailbox', path: 'Work', delimiter: '/', isSelectable: true, isSubscribed: true, role: null }

  it('is news when it is a new one, or no mailbox any more, or subscribed otherwise', () => {
    expect(tellsName(undefined, seen)).toBe(true)
    expect(tellsName(held, { ...seen, isSelectable: false })).toBe(true)
    expect(tellsName(held, { ...seen, isSubscribed: false })).toBe(true)
  })

  it('is none when all of it is known, or was never here and is not there', () => {
    expect(tellsName(held, seen)).toBe(false)
    expect(tellsName(undefined, { ...seen, isSelectable: false })).toBe(false)
  })
})
