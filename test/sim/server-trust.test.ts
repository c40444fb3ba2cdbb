import { type AccountRecord, type ServerProfile, UidSet } from '@tidemail/core'
import type { LogEvent, MailEngine } from '@tidemail/engine'
import { MemoryMessageStore } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab } from './engine-lab.ts'
import { type Lies, lying, noLies } from './lying-remote.ts'

const DAY_MS = 86_400_000

let lab: EngineLab
let lies: Lies
let engine: MailEngine
let log: LogEvent[]

beforeEach(async () => {
  lab = new EngineLab()
  lies = noLies()
  log = []
  for (const path of ['INBOX', 'Work', 'Archive']) lab.fill(path, 3)
  engine = await open()
})
afterEach(() => lab.close())

function open(serverProfile?: ServerProfile): Promise<MailEngine> {
  const options = { remote: lying(lab.remote, lies), log: (event: LogEvent) => log.push(event) }
  return lab.openSynchronised({ ...options, ...(serverProfile === undefined ? {} : { serverProfile }) })
}

async function account(): Promise<AccountRecord> {
  const store = new MemoryMessageStore({ disk: lab.disk })
  const [record] = await store.planning.accounts()
  await store.close()
  return record as AccountRecord
}

async function distrusted(): Promise<readonly string[]> {
  return (await account()).server?.distrusted.map(({ capability }) => capability) ?? []
}

/** Lets messages come of which the mod-sequence does not tell. */
async function catchLying(path: string): Promise<void> {
  lies.stillAt.add(path)
  await engine.syncOnce()
  lab.fill(path, 1)
  await engine.syncOnce()
}

/** How the mailbox is looked at when a message has come. */
async function tierNow(path: string): Promise<string> {
  lab.fill(path, 1)
  lab.remote.sent.length = 0
  await engine.syncOnce()
  const steps = lab.remote.sent.map(({ step }) => step)
  if (steps.some((step) => step.kind === 'open' && step.path === path && step.known !== undefined)) return 'qresync'
  const isWhole = steps.some(
    (step) => step.kind === 'fetch' && step.mailbox.path === path && step.items === 'flags' && step.changedSince === undefined,
  )
  return isWhole ? 'plain' : 'condstore'
}

// Verifies: FIELD-4, FIELD-5
describe('a mailbox whose mod-sequence stands still', () => {
  it('is looked at whole from then on, with its flags, while others are not', async () => {
    await catchLying('Work')
    lab.account.open('Work').store(UidSet.of(1), { direction: 'add', flags: ['\\Flagged'] })
    await engine.syncOnce()
    const { messages } = await engine.page({ mailboxId: (await engine.mailbox('Work')).id, limit: 9 })
    expect(messages.filter(({ flags }) => flags.includes('\\Flagged'))).toHaveLength(1)
    expect(await tierNow('INBOX')).toBe('qresync')
    expect(await distrusted()).toEqual([])
    expect(log.filter(({ event }) => event === 'server.distrusted')).toHaveLength(1)
  })

  it('writes only the flags that changed', async () => {
    await catchLying('Work')
    lab.account.open('Work').store(UidSet.of(1), { direction: 'add', flags: ['\\Flagged'] })
    expect((await engine.syncOnce()).flagsChanged).toBe(1)
    expect((await engine.syncOnce()).flagsChanged).toBe(0)
  })

  it('is believed again after a week', async () => {
    await catchLying('Work')
    expect(await tierNow('Work')).toBe('plain')
    lies.stillAt.clear()
    lab.clock.advance(6 * DAY_MS)
    expect(await tierNow('Work')).toBe('plain')
    lab.clock.advance(DAY_MS)
    expect(await tierNow('Work')).toBe('qresync')
  })
})

describe('a server with two mailboxes whose mod-sequences stand still', () => {
  beforeEach(async () => {
    await catchLying('Work')
    await catchLying('Archive')
  })

  it('is not asked for changes in any mailbox, and the profile says why', async () => {
    expect(await tierNow('INBOX')).toBe('plain')
    const { server } = await account()
    expect(server?.distrusted).toEqual(
      ['QRESYNC', 'CONDSTORE'].map((capability) => ({
        capability,
        reason: '2 mailboxes contradict it: messages came or went and HIGHESTMODSEQ did not move',
        learntBy: 'synchronisation',
        since: lab.clock.now(),
        expiresAt: lab.clock.now() + 7 * DAY_MS,
      })),
    )
  })

  it('stays so through reconnects and for the next engine, until it expires', async () => {
    lab.remote.disconnectAll()
    await engine.syncOnce().catch(() => undefined)
    await engine.syncOnce()
    expect(await distrusted()).toEqual(['QRESYNC', 'CONDSTORE'])
    await engine.close()
    engine = await open()
    expect(await tierNow('INBOX')).toBe('plain')
    lies.stillAt.clear()
    lab.clock.advance(7 * DAY_MS)
    expect(await tierNow('INBOX')).toBe('qresync')
    expect(await distrusted()).toEqual([])
  })

  it('is planned for as it is dealt with', async () => {
    lab.fill('INBOX', 1)
    const { steps } = await engine.plan()
    const open = steps.find(({ mailbox, step }) => mailbox === 'INBOX' && step.kind === 'open')
    expect(open?.step).not.toHaveProperty('known')
  })
})

describe('a profile that the app gives', () => {
  it('counts as what was learnt, and is kept', async () => {
    await engine.close()
    const now = lab.clock.now()
    const { server } = await account()
    if (server === null) throw new Error('The server is not known.')
    const entry = {
      capability: 'QRESYNC',
      reason: 'it was examined',
      learntBy: 'examination' as const,
      since: now,
      expiresAt: now + DAY_MS,
    }
    engine = await open({ ...server, distrusted: [entry], measured: { measuredAt: now, listingLagMs: 40, idleMs: null } })
    expect(await tierNow('INBOX')).toBe('condstore')
    expect((await account()).server).toMatchObject({ distrusted: [entry], measured: { listingLagMs: 40 } })
    lab.clock.advance(DAY_MS)
    expect(await tierNow('INBOX')).toBe('qresync')
  })
})
