/** What would delete many messages at once stops, and goes on when the app says so. Verifies: FIELD-12 */

import { type EntrySeq, type MessageReference, UidSet } from '@tidemail/core'
import type { MailEngine, MailEngineOptions, SyncReport } from '@tidemail/engine'
import { SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab, messagesOf, subjectsOf } from './engine-lab.ts'

const TIERS = { qresync: [], condstore: ['QRESYNC'], plain: ['CONDSTORE'] } as const
const HOUR_MS = 3_600_000

let lab: EngineLab
beforeEach(() => {
  lab = new EngineLab()
})
afterEach(() => lab.close())

async function synchronised(messages: number, options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
  lab.fill('Work', messages)
  lab.fill('INBOX', 3)
  return lab.openSynchronised(options)
}

/** Somebody else removes messages; left out: all. */
function rivalRemoves(uids: UidSet = UidSet.ALL): void {
  lab.account.open('Work').remove(uids)
}

const total = async (mail: MailEngine, path = 'Work'): Promise<number> => (await mail.mailbox(path)).total

const stops = ({ outcome, problems }: SyncReport): string[] => [
  outcome,
  ...problems.map(({ code, mailbox, seq }) => `${code} ${mailbox}${seq === null ? '' : ` #${seq}`}`),
]
const STOPPED = ['incomplete', 'sync.mass-delete Work']

async function allOf(mail: MailEngine): Promise<readonly MessageReference[]> {
  return (await messagesOf(mail, 'Work')).map(({ reference }) => reference)
}

describe.each(['qresync', 'condstore', 'plain'] as const)('a mailbox that somebody emptied, %s', (tier) => {
  it('keeps its messages until that is allowed; other mailboxes go on', async () => {
    const remote = new SimulatedRemote({ account: lab.account, clock: lab.clock, without: TIERS[tier] })
    const mail = await synchronised(150, { remote })
    rivalRemoves()
    lab.fill('INBOX', 2)
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
    expect([await total(mail), await total(mail, 'INBOX')]).toEqual([150, 5])
    expect(mail.status.getSnapshot().problem?.code).toBe('sync.mass-delete')
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
    await mail.allowDeletions({ mailbox: 'Work' })
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesRemoved: 150 })
    expect(await total(mail)).toBe(0)
  })
})

describe('what others deleted', () => {
  it.each<[string, number, UidSet, MailEngineOptions['policy']]>([
    ['a hundred messages', 100, UidSet.ALL, {}],
    ['all but one', 151, UidSet.range(1, 150), {}],
    ['everything, where the policy allows it', 150, UidSet.ALL, { massDelete: 'allow' }],
    ['everything, where it allows that of the mailbox', 150, UidSet.ALL, { mailboxes: { Work: { massDelete: 'allow' } } }],
  ])('goes unasked: %s', async (_, messages, gone, policy) => {
    const mail = await synchronised(messages, { policy: { bodies: 'none', ...policy } })
    rivalRemoves(gone)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', problems: [] })
  })

  it('stops at the bound that the policy sets', async () => {
    const mail = await synchronised(20, { policy: { bodies: 'none', massDeleteMessagesMax: 9, massDeletePercentMin: 50 } })
    rivalRemoves(UidSet.range(1, 9))
    expect(stops(await mail.syncOnce())).toEqual(['done'])
    rivalRemoves(UidSet.range(10, 19))
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
    expect(await total(mail)).toBe(11)
  })

  it('goes unasked from Trash', async () => {
    lab.account.create('Bin', { role: 'trash' })
    lab.fill('Bin', 150)
    const mail = await synchronised(1)
    lab.account.open('Bin').remove(UidSet.ALL)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesRemoved: 150 })
  })

  it('is nothing that a new UIDVALIDITY says', async () => {
    const mail = await synchronised(150)
    lab.account.open('Work').bumpUidValidity()
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', problems: [] })
    expect(await total(mail)).toBe(150)
  })

  it('is nothing that we did ourselves', async () => {
    const mail = await synchronised(150)
    await mail.move(await allOf(mail), (await mail.mailbox('Archive')).id).accepted
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', problems: [] })
    expect([await total(mail), await total(mail, 'Archive')]).toEqual([0, 150])
  })

  it('counts rows that are held: those that a policy leaves out are not lost', async () => {
    const mail = await synchronised(300, { policy: { bodies: 'none', hold: { lastMessages: 50 } } })
    rivalRemoves()
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesRemoved: 300 })
  })

  it('is asked about again an hour after it was allowed', async () => {
    const mail = await synchronised(150)
    await mail.allowDeletions({ mailbox: 'Work' })
    lab.clock.advance(HOUR_MS)
    rivalRemoves()
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
  })

  it('is not removed by a repair either', async () => {
    const mail = await synchronised(150)
    rivalRemoves()
    expect(await mail.verify({ repair: true })).toMatchObject({ outcome: 'different' })
    expect(await total(mail)).toBe(150)
    await mail.allowDeletions({ mailbox: 'Work' })
    expect(await mail.verify({ repair: true })).toMatchObject({ outcome: 'equal' })
    expect(await total(mail)).toBe(0)
  })

  it('stops for a mailbox that is gone altogether', async () => {
    const mail = await synchronised(150)
    lab.account.delete('Work')
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
    expect(await subjectsOf(mail, 'Work')).toHaveLength(150)
    await mail.allowDeletions({ mailbox: 'Work' })
    expect(stops(await mail.syncOnce())).toEqual(['done'])
    await expect(mail.mailbox('Work')).rejects.toMatchObject({ code: 'input.unknown-mailbox' })
  })

  it('keeps an operation on it waiting, not lost', async () => {
    const mail = await synchronised(150)
    const [first] = await allOf(mail)
    rivalRemoves()
    await mail.flag(first ?? [], { add: ['\\Flagged'] }).accepted
    expect(stops(await mail.syncOnce())).toEqual(STOPPED)
    expect(await mail.entries()).toHaveLength(1)
    await mail.allowDeletions({ mailbox: 'Work' })
    await mail.syncOnce()
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['skipped']])
  })
})

describe('what is to be expunged here', () => {
  async function expunged(): Promise<{ mail: MailEngine; seq: EntrySeq }> {
    const mail = await synchronised(150)
    const [seq] = await mail.expunge(await allOf(mail)).accepted
    const report = await mail.syncOnce()
    expect(stops(report)).toEqual(['incomplete', `sync.mass-delete Work #${seq}`])
    expect([report.entriesParked, lab.account.open('Work').messages.length, lab.mutations]).toEqual([1, 150, []])
    return { mail, seq: seq as EntrySeq }
  }

  it.each(['allowDeletions', 'retry'] as const)('stops, and goes on by %s', async (by) => {
    const { mail, seq } = await expunged()
    if (by === 'retry') await mail.retry(seq)
    else await mail.allowDeletions({ mailbox: 'Work' })
    expect(stops(await mail.syncOnce())).toEqual(['done'])
    expect([lab.account.open('Work').messages.length, await total(mail)]).toEqual([0, 0])
  })

  it('comes back when it is discarded', async () => {
    const { mail, seq } = await expunged()
    expect(await total(mail)).toBe(0)
    await mail.discard(seq)
    expect(stops(await mail.syncOnce())).toEqual(['done'])
    expect([lab.account.open('Work').messages.length, await total(mail)]).toEqual([150, 150])
  })

  it('goes unasked when it is not the whole of a mailbox', async () => {
    const mail = await synchronised(151)
    await mail.expunge((await allOf(mail)).slice(1)).accepted
    expect(stops(await mail.syncOnce())).toEqual(['done'])
    expect(lab.account.open('Work').messages).toHaveLength(1)
  })
})

it('nothing is allowed of a mailbox that is not there', async () => {
  const mail = await synchronised(1)
  await expect(mail.allowDeletions({ mailbox: 'Nowhere' })).rejects.toMatchObject({ code: 'input.unknown-mailbox' })
})
