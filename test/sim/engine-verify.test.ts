import { type MailboxRecord, type Step, SyncError, UidSet, uid, type Write } from '@tidemail/core'
import type { MailEngine, VerifiedMailbox, VerifyReport } from '@tidemail/engine'
import { MemoryMessageStore } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab, ME, messagesOf, subjectsOf } from './engine-lab.ts'
import { type Lies, lying, noLies } from './lying-remote.ts'

let lab: EngineLab
let lies: Lies
let engine: MailEngine

beforeEach(async () => {
  lab = new EngineLab()
  lies = noLies()
  lab.fill('INBOX', 6)
  lab.fill('Work', 3)
  engine = await lab.openSynchronised({ remote: lying(lab.remote, lies), policy: { bodies: 'all' } })
  lab.remote.sent.length = 0
})
afterEach(() => lab.close())

/** What differs, of the mailboxes in which something does: `INBOX: missing 3, flags 5; repaired`. */
function sketch({ mailboxes }: VerifyReport): readonly string[] {
  return mailboxes.flatMap((mailbox) => {
    const { missing, extra, flagsDiffer, identityDiffers, isRepaired } = mailbox
    const sets = { missing, extra, flags: flagsDiffer, identity: identityDiffers }
    const found = Object.entries(sets).flatMap(([name, uids]) => (uids.isEmpty ? [] : [`${name} ${uids}`]))
    return found.length === 0 ? [] : [`${mailbox.path}: ${found.join(', ')}${isRepaired ? '; repaired' : ''}`]
  })
}

function inboxOf({ mailboxes }: VerifyReport): VerifiedMailbox {
  const inbox = mailboxes.find(({ path }) => path === 'INBOX')
  if (inbox === undefined) throw new Error('INBOX was not verified.')
  return inbox
}

/** Damages the store behind the engine's back. */
async function damage(writes: (inbox: MailboxRecord) => readonly Write[]): Promise<void> {
  const store = new MemoryMessageStore({ disk: lab.disk })
  const inbox = (await store.planning.mailboxes(ME.id)).find(({ path }) => path === 'INBOX') as MailboxRecord
  await store.commit({ reason: 'damage', expect: {}, writes: writes(inbox) })
  await store.close()
}

const known = (inbox: MailboxRecord, uids: string, covered = uids): Write => ({
  kind: 'put-mailbox',
  mailbox: {
    ...inbox,
    checkpoint: {
      ...(inbox.checkpoint as NonNullable<MailboxRecord['checkpoint']>),
      known: UidSet.parse(uids),
      covered: UidSet.parse(covered),
    },
  },
})

const remove = ({ id }: MailboxRecord, uids: string): Write => ({
  kind: 'remove-messages',
  mailboxId: id,
  uids: UidSet.parse(uids),
})

/** Puts the row of one message in place of another's. */
async function put(into: number, change: { readonly from: number; readonly later?: boolean }): Promise<void> {
  const [source] = (await messagesOf(engine, 'INBOX')).filter(
    ({ reference }) => reference.kind === 'stored' && reference.uid === change.from,
  )
  if (source === undefined) throw new Error('There is no such message.')
  const { flags, sizeBytes, envelope, parts, emailId, internalDate } = source
  const message = {
    ...{ uid: uid(into), flags, modSeq: null, sizeBytes, envelope, parts, emailId },
    internalDate: internalDate + (change.later === true ? 60_000 : 0),
  }
  await damage(({ id }) => [{ kind: 'put-messages', mailboxId: id, messages: [message] }])
}

/** Somebody removes message 6, the last of INBOX. */
async function removeLast(): Promise<void> {
  lab.account.inbox.remove(UidSet.of(6))
  await engine.syncOnce()
}

const sent = (kind: Step['kind']): Step[] => lab.remote.sent.flatMap(({ step }) => (step.kind === kind ? [step] : []))

/** UIDs of which summaries were fetched, and of which parts. */
function fetched(): { readonly summaries: string; readonly parts: string } {
  const summaries = lab.remote.sent.flatMap(({ step }) =>
    step.kind === 'fetch' && step.items === 'summary' && !step.uids.has(4_294_967_295) ? [step.uids] : [],
  )
  const parts = sent('fetch-body').flatMap((step) => (step.kind === 'fetch-body' ? step.parts.map((part) => part.uid) : []))
  return {
    summaries: summaries.reduce((all, set) => all.union(set), UidSet.EMPTY).toString(),
    parts: UidSet.from(parts).toString(),
  }
}

describe('verify', () => {
  it('finds a store equal that is, changes nothing, and opens without a chance to change', async () => {
    const before = lab.revision
    const report = await engine.verify()
    expect(report.outcome).toBe('equal')
    expect(report.mailboxes.map(({ path, compared }) => `${path} ${compared}`)).toEqual(['INBOX 6', 'Archive 0', 'Work 3'])
    expect(lab.revision).toBe(before)
    expect(sent('open').every((step) => step.kind === 'open' && step.access === 'examine')).toBe(true)
    expect(lab.mutations).toEqual([])
  })

  it('takes in what is new first, and sends nothing that waits', async () => {
    await engine.flag(
      (await messagesOf(engine, 'Work')).map(({ reference }) => reference),
      { add: ['\\Flagged'] },
    ).accepted
    lab.account.inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Seen'] })
    lab.account.inbox.remove(UidSet.of(5))
    lab.fill('INBOX', 1)
    expect((await engine.verify()).outcome).toBe('equal')
    expect(lab.mutations).toEqual([])
    expect(await subjectsOf(engine, 'INBOX')).toHaveLength(6)
  })

  // Verifies: I-SYNC-2, FIELD-5
  it('finds flags of which the server told nothing, sets them right, and trusts the mailbox no further', async () => {
    lies.stillAt.add('INBOX')
    await engine.syncOnce()
    lab.account.inbox.store(UidSet.of(2, 3), { direction: 'add', flags: ['\\Flagged'] })
    await engine.syncOnce()
    expect((await messagesOf(engine, 'INBOX')).filter(({ flags }) => flags.length > 0)).toEqual([])

    const report = await engine.verify({ repair: true })
    expect([report.outcome, ...sketch(report)]).toEqual(['repaired', 'INBOX: flags 2:3; repaired'])
    expect(inboxOf(report).tierLimit).toMatchObject({ tier: 'plain', reason: expect.stringContaining('flags') })
    expect((await messagesOf(engine, 'INBOX')).filter(({ flags }) => flags.includes('\\Flagged'))).toHaveLength(2)
    lab.account.inbox.store(UidSet.of(4), { direction: 'add', flags: ['\\Flagged'] })
    await engine.syncOnce()
    expect((await messagesOf(engine, 'INBOX')).filter(({ flags }) => flags.includes('\\Flagged'))).toHaveLength(3)
  })

  it('says what differs without a repair, and the next synchronisation looks at everything', async () => {
    lies.stillAt.add('INBOX')
    await engine.syncOnce()
    lab.account.inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Flagged'] })
    const report = await engine.verify()
    expect([report.outcome, ...sketch(report)]).toEqual(['different', 'INBOX: flags 2'])
    expect((await messagesOf(engine, 'INBOX')).filter(({ flags }) => flags.length > 0)).toEqual([])
    await engine.syncOnce()
    expect((await messagesOf(engine, 'INBOX')).filter(({ flags }) => flags.length > 0)).toHaveLength(1)
  })

  it('fetches what is missing and no more, and removes what is proved to be gone', async () => {
    await removeLast()
    // As many as there are on the server, but others: no count tells.
    await damage((inbox) => [remove(inbox, '3'), known(inbox, '1:2,4:6', '1:2,4:5')])
    await damage((inbox) => [known(inbox, '1:2,4:6')])
    await put(6, { from: 5 })
    const report = await engine.verify({ repair: true })
    expect([report.outcome, ...sketch(report)]).toEqual(['repaired', 'INBOX: missing 3, extra 6; repaired'])
    // What was held of it is still here, by its EMAILID.
    expect(fetched()).toEqual({ summaries: '3', parts: '' })
    expect((await engine.verify()).outcome).toBe('equal')
    expect(await subjectsOf(engine, 'INBOX')).toEqual([5, 4, 3, 2, 1].map((number) => `Message ${number}`))
  })

  it('fetches rows that were lost', async () => {
    await damage((inbox) => [remove(inbox, '2')])
    const report = await engine.verify({ repair: true })
    expect([report.outcome, ...sketch(report)]).toEqual(['repaired', 'INBOX: missing 2; repaired'])
    expect(inboxOf(report).tierLimit).toBeNull()
    expect(fetched()).toEqual({ summaries: '2', parts: '' })
    expect(await subjectsOf(engine, 'INBOX')).toHaveLength(6)
  })

  it('fetches anew a row that is of another message, with its parts', async () => {
    await put(2, { from: 5 })
    const report = await engine.verify({ repair: true })
    expect([report.outcome, ...sketch(report)]).toEqual(['repaired', 'INBOX: identity 2; repaired'])
    expect(inboxOf(report).tierLimit).toBeNull()
    expect(fetched()).toEqual({ summaries: '2', parts: '2' })
    expect(await subjectsOf(engine, 'INBOX')).toContain('Message 2')
  })

  it('keeps the parts of a row of which only the date is wrong', async () => {
    await put(2, { from: 2, later: true })
    const report = await engine.verify({ repair: true })
    expect([report.outcome, ...sketch(report)]).toEqual(['repaired', 'INBOX: identity 2; repaired'])
    expect(fetched()).toEqual({ summaries: '2', parts: '' })
  })

  it('does not take for a difference what changed while it looked', async () => {
    const { fault } = lab.remote
    let isDone = false
    lab.remote.fault = (step, index) => {
      if (!isDone && step.kind === 'fetch' && step.items === 'identity') {
        isDone = true
        lab.account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
        lab.account.inbox.remove(UidSet.of(2))
      }
      return fault(step, index)
    }
    const report = await engine.verify({ mailboxes: ['INBOX'] })
    expect([isDone, report.outcome, ...sketch(report)]).toEqual([true, 'equal'])
  })

  it('does not believe a SEARCH that leaves messages out', async () => {
    lies.unsearched.add(4)
    const report = await engine.verify({ repair: true })
    expect(report.outcome).toBe('equal')
    expect(await subjectsOf(engine, 'INBOX')).toHaveLength(6)
  })

  it('compares a sample of the messages, another each time, and all UIDs', async () => {
    await engine.verify({ mailboxes: ['INBOX'], sample: 2 })
    const asked = sent('fetch').flatMap((step) =>
      step.kind === 'fetch' && step.items === 'identity' ? [...step.uids.values()] : [],
    )
    expect(asked).toHaveLength(2)
    await removeLast()
    await damage((inbox) => [remove(inbox, '3'), known(inbox, '1:2,4:6')])
    expect(sketch(await engine.verify({ mailboxes: ['INBOX'], sample: 0 }))).toEqual(['INBOX: missing 3, extra 6'])
  })

  it('leaves out and names mailboxes with steps that have no answer', async () => {
    lab.remote.fault = (step) => (step.kind === 'move' ? 'lose-answer' : 'pass')
    const archive = await engine.mailbox('Archive')
    await engine.move(
      (await messagesOf(engine, 'Work')).map(({ reference }) => reference),
      archive.id,
    ).accepted
    await expect(engine.syncOnce()).rejects.toThrow(SyncError)
    const report = await engine.verify({ repair: true })
    expect(report.outcome).toBe('incomplete')
    expect(report.leftOut.map(({ path }) => path)).toEqual(['Archive', 'Work'])
    expect(report.mailboxes.map(({ path }) => path)).toEqual(['INBOX'])
  })

  it('refuses mailboxes that are not there, and samples that are none', async () => {
    await expect(engine.verify({ mailboxes: ['Nowhere'] })).rejects.toMatchObject({ code: 'input.unknown-mailbox' })
    await expect(engine.verify({ sample: -1 })).rejects.toMatchObject({ code: 'input.usage' })
    await expect(engine.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'engine.aborted' })
  })
})
