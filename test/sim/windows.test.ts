/** Which messages of a mailbox are here when a policy holds some of them only: what is fetched, what leaves, and what never does. */

import { type Change, type CommitResult, type MessageView, type Step, UidSet } from '@tidemail/core'
import type { Hold, MailEngine, MailEngineOptions, SyncReport } from '@tidemail/engine'
import { MemoryMessageStore, SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dyingStore } from './dying-store.ts'
import { EngineLab, ME, message, messagesOf } from './engine-lab.ts'

const DAY_MS = 86_400_000
const TIERS = { qresync: [], condstore: ['QRESYNC'], plain: ['CONDSTORE'] } as const
type Tier = keyof typeof TIERS

let lab: EngineLab
let remote: SimulatedRemote

beforeEach(() => {
  lab = new EngineLab()
  use('qresync')
})
afterEach(() => lab.close())

function use(tier: Tier): void {
  remote = new SimulatedRemote({ account: lab.account, clock: lab.clock, without: TIERS[tier] })
}

/** One message a day, the last of them today. */
function fillDays(path: string, days: number): void {
  const mailbox = lab.account.open(path)
  for (let ago = days - 1; ago >= 0; ago -= 1) arrive(path, `Message ${mailbox.uidNext}`, ago)
}

function arrive(path: string, subject: string, daysAgo = 0): void {
  const internalDate = lab.clock.now() - daysAgo * DAY_MS
  lab.account.open(path).append([{ bytes: message(subject), flags: [], internalDate }])
}

function open(hold: Hold, more: MailEngineOptions['policy'] = {}): Promise<MailEngine> {
  return lab.open({ remote, policy: { bodies: 'none', mailboxes: { Work: { hold } }, ...more } })
}

async function synchronised(hold: Hold, more: MailEngineOptions['policy'] = {}): Promise<MailEngine> {
  const mail = await open(hold, more)
  expect(await mail.syncOnce()).toMatchObject({ outcome: 'done' })
  remote.sent.length = 0
  return mail
}

const uidsOf = (messages: readonly MessageView[]): UidSet =>
  UidSet.from(messages.flatMap(({ reference }) => (reference.kind === 'stored' ? [reference.uid] : [])))

const held = async (mail: MailEngine): Promise<string> => uidsOf(await messagesOf(mail, 'Work')).toString()

/** What the store knows, beside what it holds. */
async function known(): Promise<string | undefined> {
  const store = new MemoryMessageStore({ disk: lab.disk })
  return (await store.planning.mailboxes(ME.id)).find(({ path }) => path === 'Work')?.checkpoint?.known.toString()
}

const sent = <K extends Step['kind']>(kind: K): Extract<Step, { kind: K }>[] =>
  remote.sent.flatMap(({ step }) => (step.kind === kind ? [step as Extract<Step, { kind: K }>] : []))

const kinds = (): string[] => remote.sent.map(({ step }) => step.kind)

async function reference(mail: MailEngine, uid: number): Promise<MessageView['reference']> {
  const found = (await messagesOf(mail, 'Work')).find((view) => view.reference.kind === 'stored' && view.reference.uid === uid)
  if (found === undefined) throw new Error(`${uid} is not held.`)
  return found.reference
}

async function expectEqual(mail: MailEngine): Promise<void> {
  expect(await mail.verify()).toMatchObject({ outcome: 'equal', leftOut: [] })
}

describe.each(['qresync', 'condstore', 'plain'] as const)('the newest messages, %s', (tier) => {
  beforeEach(() => use(tier))

  // Verifies: I-SYNC-2, I-SYNC-5, H-13
  it('fetches no others, and knows the UIDs of all', async () => {
    lab.fill('Work', 300)
    const mail = await open({ lastMessages: 20 })
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 20 })
    expect([await held(mail), await known()]).toEqual(['281:300', '1:300'])
    expect(await mail.mailbox('Work')).toMatchObject({ total: 20, toFetch: 0, leftOut: 280 })
    await expectEqual(mail)
  })

  it('holds as many when others come and go', async () => {
    lab.fill('Work', 30)
    const mail = await synchronised({ lastMessages: 5 })
    lab.fill('Work', 3)
    lab.account.open('Work').remove(UidSet.of(2, 30))
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 3 })
    expect([await held(mail), await known()]).toEqual(['28:29,31:33', '1,3:29,31:33'])
    lab.account.open('Work').remove(UidSet.of(33))
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
    expect(await held(mail)).toBe('27:29,31:32')
    await expectEqual(mail)
  })

  it('takes in the flags of what is held, and passes over those of what is not', async () => {
    lab.fill('Work', 30)
    const mail = await synchronised({ lastMessages: 5 })
    lab.account.open('Work').store(UidSet.of(2, 28), { direction: 'add', flags: ['\\Flagged'] })
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', flagsChanged: 1, messagesFetched: 0 })
    const flagged = (await messagesOf(mail, 'Work')).filter(({ flags }) => flags.includes('\\Flagged'))
    expect(uidsOf(flagged).toString()).toBe('28')
    const asked = sent('fetch').filter(({ mailbox }) => mailbox.path === 'Work')
    if (tier !== 'qresync') expect(asked.map(({ uids }) => uids.min)).toEqual([26])
    await expectEqual(mail)
  })

  it('costs one LIST, and writes nothing, when nothing has changed', async () => {
    lab.fill('Work', 30)
    const mail = await synchronised({ lastMessages: 5 })
    await mail.syncOnce()
    // Without mod-sequences only a look tells: at the flags of what is held.
    const ofWork = remote.sent.filter(({ step }) => 'mailbox' in step && step.mailbox.path === 'Work').map(({ step }) => step)
    expect(ofWork.map((step) => ('uids' in step ? `${step.kind} ${step.uids}` : step.kind))).toEqual(
      tier === 'plain' ? ['search 1:4294967295', 'fetch 26:30'] : [],
    )
    if (tier !== 'plain') expect(kinds().filter((kind) => kind !== 'leave')).toEqual(['list'])
    expect(await held(mail)).toBe('26:30')
  })
})

describe('the messages of the last days', () => {
  it.each(['qresync', 'condstore', 'plain'] as const)(
    'are asked for by their date, and no others are fetched: %s',
    async (tier) => {
      use(tier)
      fillDays('Work', 60)
      const mail = await open({ lastDays: 7 })
      expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 8 })
      expect([await held(mail), await known()]).toEqual(['53:60', '1:60'])
      expect(sent('search').filter(({ since }) => since !== undefined)).toHaveLength(1)
      await expectEqual(mail)
    },
  )

  it('leave when their day is over, with one search in all', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastDays: 7 })
    const counts: string[] = []
    for (let day = 0; day < 4; day += 1) {
      lab.clock.advance(DAY_MS)
      arrive('Work', `of day ${day}`)
      expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
      counts.push(await held(mail))
    }
    // One day more than asked for: the server's days need not be ours.
    expect(counts).toEqual(['24:31', '25:32', '26:33', '27:34'])
    expect(sent('search')).toEqual([])
    await expectEqual(mail)
  })

  it('leave when nothing else happens, and once that is done it costs one LIST again', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastDays: 3 })
    lab.clock.advance(2 * DAY_MS)
    await mail.syncOnce()
    expect(await held(mail)).toBe('29:30')
    remote.sent.length = 0
    const { revision } = lab
    await mail.syncOnce()
    expect([kinds().filter((kind) => kind !== 'leave'), revision]).toEqual([['list'], lab.revision - 1])
  })

  it('come in whatever their date is when they are new, and leave the day after', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastDays: 3 })
    arrive('Work', 'an old one, moved here', 200)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
    expect(await held(mail)).toBe('27:31')
    lab.clock.advance(DAY_MS)
    await mail.syncOnce()
    expect(await held(mail)).toBe('28:30')
  })
})

describe('new messages only', () => {
  it('begin with the first look, and stay', async () => {
    fillDays('Work', 30)
    const mail = await synchronised('new-only')
    expect([await held(mail), await known()]).toEqual(['', '1:30'])
    arrive('Work', 'new')
    lab.clock.advance(90 * DAY_MS)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
    expect(await held(mail)).toBe('31')
    await expectEqual(mail)
  })

  it('are among them that were moved into a mailbox made with them', async () => {
    const mail = await synchronised('whole', { mailboxes: { 'Work/New': { hold: 'new-only' } } })
    lab.fill('INBOX', 3)
    await mail.syncOnce()
    const made = await mail.createMailbox('Work/New').mailbox
    const references = (await messagesOf(mail, 'INBOX')).map((view) => view.reference)
    await mail.move(references, made).accepted
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done' })
    expect(await mail.mailbox('Work/New')).toMatchObject({ total: 3, leftOut: 0 })
  })

  it('are found again by their date under a new UIDVALIDITY', async () => {
    fillDays('Work', 30)
    const mail = await synchronised('new-only')
    lab.clock.advance(9 * DAY_MS)
    arrive('Work', 'new')
    await mail.syncOnce()
    lab.account.open('Work').bumpUidValidity()
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', problems: [] })
    // The day of the first look and the one before it.
    expect(await held(mail)).toBe('29:31')
    await expectEqual(mail)
  })
})

describe('another policy', () => {
  const LATER: readonly [string, Hold, string, number][] = [
    ['everything', 'whole', '1:30', 25],
    ['more messages', { lastMessages: 8 }, '23:30', 3],
    ['fewer messages', { lastMessages: 2 }, '29:30', 0],
    ['days', { lastDays: 3 }, '27:30', 0],
    ['more days', { lastDays: 9 }, '21:30', 5],
    ['new messages', 'new-only', '', 0],
  ]

  it.each(LATER)('fetches and evicts: %s', async (_, hold, expected, fetched) => {
    fillDays('Work', 30)
    await (await synchronised({ lastMessages: 5 })).close()
    const mail = await open(hold)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: fetched })
    expect([await held(mail), await known()]).toEqual([expected, '1:30'])
    await expectEqual(mail)
  })

  it.each<[Hold, readonly string[]]>([
    [{ lastDays: 9 }, ['open', 'search 1:4294967295']],
    [{ lastMessages: 8 }, ['open', 'fetch 23:25']],
    [{ lastMessages: 2 }, []],
    [{ lastMessages: 5 }, []],
  ])('is in the plan: %j', async (hold, expected) => {
    fillDays('Work', 30)
    await (await synchronised({ lastMessages: 5 })).close()
    const { steps } = await (await open(hold)).plan()
    const ofWork = steps.flatMap(({ mailbox, step }) => (mailbox === 'Work' ? [step] : []))
    expect(ofWork.map((step) => ('uids' in step ? `${step.kind} ${step.uids}` : step.kind))).toEqual(expected)
  })

  it('holds by role, and by path before that', async () => {
    fillDays('Archive', 9)
    fillDays('Work', 9)
    const mail = await open({ lastMessages: 4 }, { mailboxes: { 'role:archive': { hold: { lastMessages: 2 } } } })
    await mail.syncOnce()
    expect(await mail.mailboxes()).toMatchObject([{ path: 'INBOX' }, { path: 'Archive', total: 2 }, { path: 'Work', total: 9 }])
    await mail.close()
    const both = { 'role:archive': { hold: { lastMessages: 2 } }, Archive: { hold: { lastMessages: 3 } } } as const
    const other = await open('whole', { mailboxes: both })
    await other.syncOnce()
    expect((await other.mailbox('Archive')).total).toBe(3)
  })

  // Verifies: DC-4549-4.4
  it('holds envelopes only, of the mailboxes of which it says so', async () => {
    lab.fill('INBOX', 2)
    lab.fill('Work', 2)
    const mail = await synchronised('whole', { bodies: 'text', mailboxes: { Work: { bodies: 'none' } } })
    const sections = async (path: string): Promise<readonly string[]> =>
      (await messagesOf(mail, path)).flatMap(({ heldSections }) => heldSections)
    expect([await sections('INBOX'), await sections('Work')]).toEqual([['1', '1'], []])
    await mail.close()
    const other = await open('whole', { bodies: 'none', mailboxes: { Work: { bodies: 'text' } } })
    expect(await other.syncOnce()).toMatchObject({ outcome: 'done', partsFetched: 2 })
  })

  it.each([{ lastDays: 0 }, { lastMessages: 1.5 }])('is refused where it is none: %j', async (hold) => {
    await expect(open(hold)).rejects.toMatchObject({ code: 'input.usage' })
  })
})

/** Lets something happen just before the first eviction is written, and remembers what became of each. */
class RacingStore extends MemoryMessageStore {
  readonly evictions: string[] = []
  readonly #meanwhile: () => Promise<unknown>

  constructor(meanwhile: () => Promise<unknown>) {
    super({ disk: lab.disk })
    this.#meanwhile = meanwhile
  }

  override async commit(change: Change): Promise<CommitResult> {
    if (!change.writes.some(({ kind }) => kind === 'evict-messages')) return super.commit(change)
    if (this.evictions.length === 0) await this.#meanwhile()
    const result = await super.commit(change)
    this.evictions.push(result.kind)
    return result
  }
}

describe('what an operation waits on', () => {
  // Verifies: I-STORE-2, FIELD-14
  it('is not evicted before the operation is settled', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastMessages: 5 })
    const [flagged, moved] = [await reference(mail, 26), await reference(mail, 27)]
    await mail.flag(flagged, { add: ['\\Flagged'] }).accepted
    await mail.move(moved, (await mail.mailbox('Archive')).id).accepted
    remote.fault = ({ kind }) => (kind === 'store' || kind === 'move' ? 'reject' : 'pass')
    for (let n = 0; n < 4; n += 1) arrive('Work', `later ${n}`)
    await mail.syncOnce()
    expect(await held(mail)).toBe('26,30:34')
    expect((await mail.message(moved))?.envelope.subject).toBe('Message 27')
    remote.fault = () => 'pass'
    lab.clock.advance(600_000)
    await mail.syncOnce()
    await mail.syncOnce()
    expect(await held(mail)).toBe('30:34')
    expect(lab.account.open('Work').messages.find(({ uid }) => uid === 26)?.flags).toContain('\\Flagged')
    expect(await messagesOf(mail, 'Archive')).toHaveLength(1)
  })

  it('is not evicted either when the operation was accepted while the pass was about to', async () => {
    fillDays('Work', 30)
    await (await synchronised({ lastMessages: 5 })).close()
    const tab = await open({ lastMessages: 2 })
    const target = await reference(tab, 26)
    const store = new RacingStore(() => tab.flag(target, { add: ['\\Flagged'] }).accepted)
    const mail = await lab.open({
      remote,
      store,
      policy: { bodies: 'none', mailboxes: { Work: { hold: { lastMessages: 2 } } } },
    })
    await mail.syncOnce()
    await mail.syncOnce()
    expect(store.evictions).toEqual(['conflict', 'committed'])
    expect(lab.account.open('Work').messages.find(({ uid }) => uid === 26)?.flags).toContain('\\Flagged')
    expect(await held(mail)).toBe('29:30')
  })

  it('comes back where it was evicted before the operation was accepted, and leaves with it', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastMessages: 5 })
    const [flagged, moved] = [await reference(mail, 26), await reference(mail, 27)]
    for (let n = 0; n < 4; n += 1) arrive('Work', `later ${n}`)
    await mail.syncOnce()
    expect([await held(mail), await mail.message(moved)]).toEqual(['30:34', null])
    await mail.flag(flagged, { add: ['\\Flagged'] }).accepted
    await mail.move(moved, (await mail.mailbox('Archive')).id).accepted
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', entriesPending: 0 })
    expect(await held(mail)).toBe('30:34')
    expect(lab.account.open('Work').messages.find(({ uid }) => uid === 26)?.flags).toContain('\\Flagged')
    expect((await messagesOf(mail, 'Archive')).map(({ envelope }) => envelope.subject)).toEqual(['Message 27'])
    await expectEqual(mail)
  })

  it('is not evicted while a draft is to take its place', async () => {
    lab.account.create('Drafts', { role: 'drafts' })
    fillDays('Drafts', 3)
    const mail = await synchronised('whole', { hold: { lastMessages: 3 } })
    const shown = async (): Promise<(string | null)[]> =>
      (await messagesOf(mail, 'Drafts')).map(({ envelope }) => envelope.subject).toSorted()
    const [oldest] = (await messagesOf(mail, 'Drafts')).slice(-1)
    remote.fault = ({ kind }) => (kind === 'append' || kind === 'replace' ? 'reject' : 'pass')
    const options = oldest === undefined ? {} : { replaces: oldest.reference }
    await mail.saveDraft({ bytes: message('newer version'), ...options }).accepted
    for (let n = 0; n < 3; n += 1) arrive('Drafts', `later ${n}`)
    await mail.syncOnce()
    expect(await shown()).toEqual(['later 0', 'later 1', 'later 2', 'newer version'])
    remote.fault = () => 'pass'
    lab.clock.advance(600_000)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done' })
    expect(await shown()).toEqual(['later 1', 'later 2', 'newer version'])
    expect(lab.account.open('Drafts').messages.map(({ uid }) => uid)).not.toContain(1)
  })

  it('a message made here stays, whatever the window', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastMessages: 2 })
    remote.fault = ({ kind }) => (kind === 'append' ? 'reject' : 'pass')
    const work = await mail.mailbox('Work')
    await mail.append({ to: work.id, bytes: message('mine'), internalDate: 0 }).accepted
    for (let n = 0; n < 4; n += 1) arrive('Work', `later ${n}`)
    await mail.syncOnce()
    const subjects = (await messagesOf(mail, 'Work')).map(({ envelope }) => envelope.subject)
    expect(subjects.toSorted()).toEqual(['later 2', 'later 3', 'mine'])
  })
})

describe('backfill', () => {
  it('fetches older messages, newest first, and keeps them until they are let go of', async () => {
    fillDays('Work', 30)
    const mail = await synchronised({ lastMessages: 5 }, { bodies: 'text' })
    expect(await mail.backfill({ mailbox: 'Work', messages: 4 })).toEqual({
      messagesFetched: 4,
      messagesToFetch: 0,
      messagesLeftOut: 21,
    })
    expect(await held(mail)).toBe('22:30')
    expect(await mail.backfill({ mailbox: 'Work', messages: 3 })).toMatchObject({ messagesFetched: 3, messagesLeftOut: 18 })
    const [oldest] = (await messagesOf(mail, 'Work')).slice(-1)
    expect(oldest?.heldSections).toEqual(['1'])
    await mail.close()
    const again = await open({ lastMessages: 5 })
    lab.fill('Work', 2)
    await again.syncOnce()
    expect(await held(again)).toBe('19:25,28:32')
    await expectEqual(again)
    expect(await again.backfill({ mailbox: 'Work', messages: 0 })).toEqual({
      messagesFetched: 0,
      messagesToFetch: 0,
      messagesLeftOut: 27,
    })
    expect(await held(again)).toBe('28:32')
  })

  it.each([{ lastDays: 3 }, 'new-only'] as const)('goes beyond %j', async (hold) => {
    fillDays('Work', 30)
    const mail = await synchronised(hold)
    const before = (await mail.mailbox('Work')).total
    await mail.backfill({ mailbox: 'Work', messages: 10 })
    expect((await mail.mailbox('Work')).total).toBe(before + 10)
    lab.clock.advance(5 * DAY_MS)
    await mail.syncOnce()
    expect((await mail.mailbox('Work')).total).toBeGreaterThanOrEqual(10)
    await expectEqual(mail)
  })

  it('has nothing to do in a mailbox that is held whole', async () => {
    fillDays('Work', 3)
    const mail = await synchronised('whole')
    expect(await mail.backfill({ mailbox: 'Work', messages: 4 })).toEqual({
      messagesFetched: 0,
      messagesToFetch: 0,
      messagesLeftOut: 0,
    })
  })

  it.each([-1, 0.5])('refuses %d messages', async (messages) => {
    const mail = await synchronised('whole')
    await expect(mail.backfill({ mailbox: 'Work', messages })).rejects.toMatchObject({ code: 'input.usage' })
  })

  it('refuses a mailbox that is not there', async () => {
    const mail = await synchronised('whole')
    await expect(mail.backfill({ mailbox: 'Nowhere', messages: 1 })).rejects.toMatchObject({ code: 'input.unknown-mailbox' })
  })
})

// Verifies: I-STORE-1, I-SYNC-3
it.each(['before', 'after'] as const)('a window is right however often the process dies %s a write', async (moment) => {
  let deaths = 0
  for (let hasDied = true; hasDied; deaths += Number(hasDied)) {
    lab = new EngineLab()
    use('qresync')
    fillDays('Work', 30)
    await (await synchronised({ lastMessages: 9 })).close()
    const store = dyingStore(new MemoryMessageStore({ disk: lab.disk }), { atCommit: deaths, moment })
    fillDays('Work', 2)
    const policy = { bodies: 'none', mailboxes: { Work: { hold: { lastDays: 3 } } } } as const
    await (await lab.open({ remote, store, policy }).catch(() => null))?.syncOnce().catch(() => null)
    hasDied = store.hasDied
    const mail = await lab.open({ remote, policy })
    const report: SyncReport = await mail.syncOnce()
    expect([deaths, report.outcome, await held(mail), await known()]).toEqual([deaths, 'done', '27:32', '1:32'])
    await expectEqual(mail)
    if (hasDied) await lab.close().catch(() => {})
  }
  expect(deaths).toBeGreaterThan(3)
})

it('a mailbox of ten thousand costs as many rows as are held', { timeout: 60_000 }, async () => {
  lab.fill('Work', 10_000)
  const mail = await open({ lastMessages: 100 })
  expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 100 })
  const rows = sent('fetch').reduce((sum, { uids }) => sum + uids.size, 0)
  expect([rows, sent('search').length]).toEqual([100, 1])
  remote.sent.length = 0
  await mail.syncOnce()
  expect(kinds().filter((kind) => kind !== 'leave')).toEqual(['list'])
})
