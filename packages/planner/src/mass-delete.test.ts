/** Verifies: FIELD-12 */

import { accountId, boxEpoch, entrySeq, localId, type MailboxRecord, type MailboxRole, mailboxId, UidSet } from '@tidemail/core'
import { acceptOperation, type Entry, transition } from '@tidemail/replay-log'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { asksBefore, massExpunges } from './mass-delete.ts'
import { DEFAULT_POLICY, type Policy, policyOf } from './policy.ts'

describe('before messages go, the app is asked', () => {
  it.each<[number, number, Partial<Policy>, boolean]>([
    [101, 101, {}, true],
    [100, 100, {}, false],
    [101, 102, {}, false],
    [5_000, 5_000, { massDelete: 'allow' }, false],
    [51, 100, { massDeleteMessagesMax: 50, massDeletePercentMin: 50 }, true],
    [51, 103, { massDeleteMessagesMax: 50, massDeletePercentMin: 50 }, false],
    [1, 9, { massDeleteMessagesMax: 0, massDeletePercentMin: 0 }, true],
    [0, 9, { massDeleteMessagesMax: 0, massDeletePercentMin: 0 }, false],
  ])('%d of %d, %j: %s', (going, of, policy, expected) => {
    expect(asksBefore({ going, of }, { ...DEFAULT_POLICY, ...policy })).toBe(expected)
  })
})

describe('the policy of a mailbox', () => {
  const ofMailbox = (path: string, role: MailboxRole | null, mailboxes: Policy['mailboxes'] = {}): Policy =>
    policyOf({ path, role }, { ...DEFAULT_POLICY, mailboxes })

  it('is that of the account, unless something else is said of its path or its role', () => {
    const mailboxes = { 'role:junk': { bodies: 'none', hold: { lastDays: 7 } }, Spam: { bodies: 'all' } } as const
    expect(ofMailbox('INBOX', 'inbox', mailboxes)).toMatchObject({ bodies: 'text', hold: 'whole' })
    expect(ofMailbox('Junk', 'junk', mailboxes)).toMatchObject({ bodies: 'none', hold: { lastDays: 7 } })
    expect(ofMailbox('Spam', 'junk', mailboxes)).toMatchObject({ bodies: 'all', hold: { lastDays: 7 } })
  })

  it('lets Trash and Junk be emptied, unless something else is said of them', () => {
    expect(ofMailbox('Trash', 'trash').massDelete).toBe('allow')
    expect(ofMailbox('Junk', 'junk').massDelete).toBe('allow')
    expect(ofMailbox('Trash', 'trash', { 'role:trash': { massDelete: 'ask' } }).massDelete).toBe('ask')
    expect(ofMailbox('Work', null).massDelete).toBe('ask')
  })
})

describe('what is to be expunged', () => {
  const mailbox: MailboxRecord = {
    ...sampleMailbox(mailboxId(1), { accountId: accountId('a') }),
    checkpoint: { uidNext: 201, highestModSeq: null, known: UidSet.range(1, 200), covered: UidSet.range(1, 200) },
  }
  const expunge = (seq: number, uids: UidSet, box = mailbox.box): Entry => {
    const targets = [{ kind: 'stored' as const, mailboxId: mailbox.id, box, uids }]
    const context = { seq: entrySeq(seq), firstLocal: localId(1), targets }
    return acceptOperation({ kind: 'expunge' }, context, { accountId: accountId('a'), now: 5 }).entry
  }
  const stopped = (entries: readonly Entry[], allowed: readonly (typeof mailbox.id)[] = []): number[] =>
    massExpunges(entries, { mailboxes: new Map([[mailbox.id, mailbox]]), policy: DEFAULT_POLICY, allowed: new Set(allowed) }).map(
      ({ seq, going }) => seq * 1_000 + going,
    )

  it('is stopped when it is the whole of a mailbox, by however many operations', () => {
    expect(stopped([expunge(1, UidSet.range(1, 120)), expunge(2, UidSet.range(121, 200))])).toEqual([1_200, 2_200])
  })

  it('goes on when it is less, was allowed, or is of a box that is no more', () => {
    const whole = UidSet.range(1, 200)
    expect(stopped([expunge(1, UidSet.range(1, 199))])).toEqual([])
    expect(stopped([expunge(1, whole)], [mailbox.id])).toEqual([])
    expect(stopped([expunge(1, whole, boxEpoch(77))])).toEqual([])
  })

  it('is no more what waits for an answer already', () => {
    const first = expunge(1, UidSet.range(1, 150))
    const parked = first.progress.map(
      ({ targets }) => transition(first, targets, { kind: 'park', parkedFor: 'mass-delete' }).entry,
    )
    expect(stopped([...parked, expunge(2, UidSet.range(151, 200))])).toEqual([])
  })
})
