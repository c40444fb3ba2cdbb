import { UidSet } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { ModelAccount } from './account.ts'

const message = (words: string, flags: readonly string[] = []) => ({
  flags,
  internalDate: 1_767_225_600_000,
  bytes: new TextEncoder().encode(`Subject: ${words}\r\n\r\n${words}\r\n`),
})

const names = (account: ModelAccount): string[] => account.mailboxes.map(({ path }) => path)

describe('ModelAccount', () => {
  it('starts with INBOX and the usual mailboxes, each with its use, subscribed', () => {
    const account = new ModelAccount()
    expect(names(account)).toEqual(['INBOX', 'Archive', 'Drafts', 'Junk', 'Sent', 'Trash'])
    expect(account.open('Trash').role).toBe('trash')
    expect(account.subscriptions.has('Sent')).toBe(true)
    expect(account.mailbox('inbox')).toBe(account.inbox)
    expect(new ModelAccount({ mailboxes: { Work: null } }).mailboxes.map(({ path }) => path)).toEqual(['INBOX', 'Work'])
  })

  it('appends all or nothing', () => {
    const account = new ModelAccount()
    expect(account.append('INBOX', [message('a'), message('b')])).toMatchObject({ kind: 'appended' })
    account.quotaOctets = account.usedOctets + 30
    expect(account.append('INBOX', [message('c'), message('d')])).toMatchObject({ kind: 'refused', code: 'OVERQUOTA' })
    expect(account.inbox.messages).toHaveLength(2)
    account.appendLimitOctets = 10
    expect(account.append('INBOX', [message('e')])).toMatchObject({ code: 'TOOBIG' })
    expect(account.append('Nope', [message('e')])).toMatchObject({ code: 'TRYCREATE' })
    account.open('Sent').isReadOnly = true
    expect(account.append('Sent', [message('e')])).toMatchObject({ code: 'NOPERM' })
  })

  it('copies what exists, with flags, date and EMAILID, and pairs the UIDs', () => {
    const account = new ModelAccount()
    account.append('INBOX', [message('a', ['\\Seen']), message('b'), message('c')])
    account.append('Archive', [message('old')])
    const copied = account.copy(account.inbox, UidSet.of(1, 3, 9), 'Archive')
    if (copied.kind !== 'copied') throw new Error('The copy was refused.')
    expect(copied.pairs.ranges).toEqual([
      { from: 1, to: 2, length: 1 },
      { from: 3, to: 3, length: 1 },
    ])
    expect(copied.target.get(2)).toMatchObject({ flags: ['\\Seen'], emailId: account.inbox.get(1)?.emailId })
    expect(account.inbox.messages).toHaveLength(3)
  })

  it('moves: the source forgets the messages and logs them as expunged', () => {
    const account = new ModelAccount()
    account.append('INBOX', [message('a'), message('b'), message('c')])
    const since = account.inbox.highestModSeq
    const moved = account.move(account.inbox, UidSet.range(1, 2), 'Trash')
    expect(moved).toMatchObject({ kind: 'copied', pairs: { ranges: [{ from: 1, to: 1, length: 2 }] } })
    expect(account.inbox.uids.toString()).toBe('3')
    expect(account.inbox.changesSince(since).vanished.toString()).toBe('1:2')
    expect(account.move(account.inbox, UidSet.of(3), 'Nope')).toMatchObject({ code: 'TRYCREATE' })
    expect(account.inbox.uids.toString()).toBe('3')
  })

  it('moves a part only, and says why, when it is made to stop', () => {
    const account = new ModelAccount()
    account.append('INBOX', [message('a'), message('b'), message('c')])
    account.moveStopsAfter = 2
    expect(account.move(account.inbox, UidSet.ALL, 'Trash')).toMatchObject({
      kind: 'copied',
      pairs: { ranges: [{ from: 1, to: 1, length: 2 }] },
      interruption: { kind: 'refused' },
    })
    expect(account.inbox.uids.toString()).toBe('3')
    account.moveStopsAfter = null
    expect(account.move(account.inbox, UidSet.ALL, 'Trash')).toMatchObject({ kind: 'copied', interruption: null })
  })

  it('creates with superiors that cannot be selected, and refuses what exists', () => {
    const account = new ModelAccount()
    expect(account.create('p/q/r')).toMatchObject({ kind: 'done' })
    expect(account.containers).toEqual(['p', 'p/q'])
    expect(account.hasChildren('p')).toBe(true)
    expect(account.create('p/q/r')).toMatchObject({ code: 'ALREADYEXISTS' })
    expect(account.create('INBOX')).toMatchObject({ code: 'ALREADYEXISTS' })
    expect(account.create('a//b')).toMatchObject({ code: 'CANNOT' })
    expect(account.create('Trash2', { role: 'trash' })).toMatchObject({ code: 'USEATTR' })
  })

  it('gives a mailbox that is created again another UIDVALIDITY and MAILBOXID', () => {
    const account = new ModelAccount()
    const before = account.open('Archive')
    expect(account.delete('Archive')).toMatchObject({ kind: 'done' })
    expect(account.delete('Archive')).toMatchObject({ code: 'NONEXISTENT' })
    account.create('Archive')
    expect(account.open('Archive').uidValidity).not.toBe(before.uidValidity)
    expect(account.open('Archive').objectId).not.toBe(before.objectId)
    expect(account.delete('INBOX')).toMatchObject({ kind: 'refused' })
  })

  it('renames with inferiors, and keeps UIDVALIDITY and MAILBOXID', () => {
    const account = new ModelAccount({ mailboxes: { a: null, 'a/b': null, ab: null } })
    const { uidValidity, objectId } = account.open('a')
    expect(account.rename('a', 'ab')).toMatchObject({ code: 'ALREADYEXISTS' })
    expect(account.rename('nope', 'x')).toMatchObject({ code: 'NONEXISTENT' })
    expect(account.rename('a', 'a/b/c')).toMatchObject({ code: 'CANNOT' })
    expect(account.rename('a', 'z')).toMatchObject({ kind: 'done' })
    expect(names(account)).toEqual(['INBOX', 'ab', 'z', 'z/b'])
    expect(account.open('z')).toMatchObject({ uidValidity, objectId })
  })

  it('renames INBOX by giving its messages away, and has an empty INBOX after', () => {
    const account = new ModelAccount()
    account.append('INBOX', [message('a')])
    account.rename('INBOX', 'old')
    expect(account.open('old').messages).toHaveLength(1)
    expect(account.open('old').role).toBeNull()
    expect(account.inbox.messages).toHaveLength(0)
    expect(account.inbox.role).toBe('inbox')
  })

  it('tells listeners which mailbox an event is about', () => {
    const account = new ModelAccount()
    const heard: string[] = []
    account.listen(({ mailbox, event }) => heard.push(`${mailbox.path} ${event.kind}`))
    account.append('INBOX', [message('a')])
    account.move(account.inbox, UidSet.of(1), 'Trash')
    account.create('New')
    account.rename('New', 'Newer')
    account.delete('Newer')
    expect(heard).toEqual(['INBOX appended', 'Trash appended', 'INBOX expunged', 'New created', 'Newer renamed', 'Newer deleted'])
  })
})
