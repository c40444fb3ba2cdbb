import { UidSet } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { ModelAccount } from './account.ts'
import type { ModelMailbox } from './mailbox.ts'
import type { MailboxEvent } from './mailbox-answers.ts'

const text = (words: string): Uint8Array => new TextEncoder().encode(`Subject: ${words}\r\n\r\n${words}\r\n`)
const message = (words: string, flags: readonly string[] = []) => ({ flags, internalDate: 1_767_225_600_000, bytes: text(words) })

function inboxOf(count: number): ModelMailbox {
  const { inbox } = new ModelAccount()
  for (let i = 1; i <= count; i += 1) inbox.append([message(`m${i}`)])
  return inbox
}

const flagsOf = (mailbox: ModelMailbox) => mailbox.messages.map(({ uid, flags }) => [uid, ...flags].join(' '))

describe('ModelMailbox', () => {
  it('numbers messages upwards, one mod-sequence for one append', () => {
    const { inbox } = new ModelAccount()
    const added = inbox.append([message('a'), message('b', ['\\seen', '\\Recent', 'Work'])])
    expect(added.map(({ uid }) => uid)).toEqual([1, 2])
    expect(added.map(({ modSeq }) => modSeq)).toEqual([2n, 2n])
    expect(added[1]?.flags).toEqual(['\\Seen', 'Work'])
    expect(inbox.uidNext).toBe(3)
    expect(inbox.highestModSeq).toBe(2n)
    expect(inbox.append([])).toEqual([])
    expect(inbox.highestModSeq).toBe(2n)
  })

  it('never gives a UID again', () => {
    const inbox = inboxOf(3)
    inbox.remove(UidSet.of(3))
    expect(inbox.append([message('again')])[0]?.uid).toBe(4)
  })

  it('leaves mod-sequence and listeners alone when a store changes nothing', () => {
    const inbox = inboxOf(2)
    inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
    const before = inbox.highestModSeq
    const events: MailboxEvent[] = []
    inbox.listen((event) => events.push(event))
    expect(inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\seen'] }).changed).toEqual([])
    expect(inbox.store(UidSet.of(9), { direction: 'add', flags: ['\\Seen'] }).changed).toEqual([])
    expect(inbox.highestModSeq).toBe(before)
    expect(events).toEqual([])
  })

  it('adds, removes and replaces flags, and keeps the first spelling of a keyword', () => {
    const inbox = inboxOf(2)
    inbox.store(UidSet.range(1, 2), { direction: 'add', flags: ['Project', '\\Flagged'] })
    inbox.store(UidSet.of(2), { direction: 'add', flags: ['PROJECT', 'x'] })
    inbox.store(UidSet.of(1), { direction: 'remove', flags: ['\\flagged'] })
    expect(flagsOf(inbox)).toEqual(['1 Project', '2 \\Flagged Project x'])
    inbox.store(UidSet.of(2), { direction: 'replace', flags: ['\\Seen'] })
    expect(flagsOf(inbox)).toEqual(['1 Project', '2 \\Seen'])
    expect(inbox.keywords).toEqual(['Project', 'x'])
  })

  it('stores only what did not change since, and names the rest', () => {
    const inbox = inboxOf(3)
    const since = inbox.highestModSeq
    inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Answered'] })
    const { changed, modified } = inbox.store(UidSet.range(1, 9), { direction: 'add', flags: ['\\Seen'], unchangedSince: since })
    expect(changed.map(({ uid }) => uid)).toEqual([1, 3])
    expect(modified.toString()).toBe('2')
    expect(flagsOf(inbox)).toEqual(['1 \\Seen', '2 \\Answered', '3 \\Seen'])
  })

  it('drops flags that are not permanent', () => {
    const inbox = inboxOf(1)
    inbox.permanentFlags = ['\\Seen']
    inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen', '\\Flagged', 'keyword'] })
    expect(flagsOf(inbox)).toEqual(['1 \\Seen'])
  })

  it('expunges only what is marked and named', () => {
    const inbox = inboxOf(4)
    inbox.store(UidSet.of(1, 3, 4), { direction: 'add', flags: ['\\Deleted'] })
    expect(inbox.expunge(UidSet.range(1, 3)).toString()).toBe('1,3')
    expect(inbox.expunge().toString()).toBe('4')
    expect(flagsOf(inbox)).toEqual(['2'])
  })

  it('tells exactly what changed and vanished since a mod-sequence', () => {
    const inbox = inboxOf(5)
    inbox.remove(UidSet.of(1))
    const since = inbox.highestModSeq
    inbox.store(UidSet.of(3), { direction: 'add', flags: ['\\Seen'] })
    inbox.remove(UidSet.of(2, 5))
    const changes = inbox.changesSince(since)
    expect(changes.changed.map(({ uid }) => uid)).toEqual([3])
    expect(changes.vanished.toString()).toBe('2,5')
    expect(inbox.changesSince(inbox.highestModSeq)).toEqual({ changed: [], vanished: UidSet.EMPTY, isRemembered: true })
  })

  it('tells every absent UID once the expunges are forgotten, but is exact for what follows', () => {
    const inbox = inboxOf(5)
    inbox.remove(UidSet.of(1))
    const since = inbox.highestModSeq
    inbox.remove(UidSet.of(5))
    inbox.forgetExpunges()
    expect(inbox.changesSince(since).vanished.toString()).toBe('1,5')
    const later = inbox.highestModSeq
    inbox.remove(UidSet.of(2))
    expect(inbox.changesSince(later).vanished.toString()).toBe('2')
  })

  it('numbers the messages anew under a new UIDVALIDITY', () => {
    const inbox = inboxOf(3)
    inbox.remove(UidSet.of(1))
    const events: MailboxEvent[] = []
    inbox.listen((event) => events.push(event))
    const before = inbox.uidValidity
    inbox.bumpUidValidity()
    expect(inbox.uidValidity).toBe(before + 1)
    expect(flagsOf(inbox)).toEqual(['1', '2'])
    expect(inbox.uidNext).toBe(3)
    expect(inbox.changesSince(1n).vanished.isEmpty).toBe(true)
    expect(inbox.changesSince(inbox.highestModSeq).changed).toEqual([])
    expect(events).toEqual([{ kind: 'reset' }])
    inbox.bumpUidValidity(77)
    expect(inbox.uidValidity).toBe(77)
  })

  it('raises its counters and never lowers them', () => {
    const inbox = inboxOf(1)
    inbox.raiseCounters({ uidNext: 500, highestModSeq: 9_000_000_000_000_000_000n })
    inbox.raiseCounters({ uidNext: 2, highestModSeq: 1n })
    expect(inbox.append([message('far')])[0]).toMatchObject({ uid: 500, modSeq: 9_000_000_000_000_000_001n })
  })

  it('tells listeners of every kind of change, until they stop', () => {
    const inbox = inboxOf(1)
    const kinds: string[] = []
    const stop = inbox.listen(({ kind }) => kinds.push(kind))
    inbox.append([message('x')])
    inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Deleted'] })
    inbox.expunge()
    stop()
    inbox.append([message('y')])
    expect(kinds).toEqual(['appended', 'flags', 'expunged'])
  })
})
