import {
  bodyId,
  type Clock,
  type Done,
  type MailboxIdentity,
  modSeq,
  type Observation,
  type RemoteSession,
  type Step,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { ModelAccount } from './model/account.ts'
import type { Extension } from './model/extensions.ts'
import { sampleMessages } from './sample-mail.ts'
import type { StepFault } from './simulated-fault.ts'
import { SimulatedRemote } from './simulated-remote.ts'

const FAR = 9_999
const signal = new AbortController().signal
const letter = new TextEncoder().encode('Subject: outgoing\r\n\r\nhello\r\n')
const options = { bodies: { bytes: async () => letter }, signal }

class StillClock implements Clock {
  time = 1000
  now(): number {
    return this.time
  }
  async sleep(delayMs: number): Promise<void> {
    this.time += delayMs
  }
}

interface World {
  readonly account: ModelAccount
  readonly remote: SimulatedRemote
  readonly clock: StillClock
  readonly inbox: MailboxIdentity
}

function world(settings: { count?: number; without?: readonly Extension[]; inFlightMax?: number } = {}): World {
  const account = new ModelAccount()
  account.append(
    'INBOX',
    sampleMessages({ count: settings.count ?? 5, seed: 1 }).map((sample) => ({ ...sample, flags: [] })),
  )
  const clock = new StillClock()
  const { without = [], inFlightMax = 1 } = settings
  const remote = new SimulatedRemote({ account, clock, without, inFlightMax })
  return { account, remote, clock, inbox: { path: 'INBOX', uidValidity: uidValidity(account.inbox.uidValidity) } }
}

const open = (path = 'INBOX', known?: Step & { kind: 'open' } extends { known?: infer K } ? K : never): Step => ({
  kind: 'open',
  id: `open ${path}`,
  reason: 'test',
  path,
  access: 'select',
  ...(known === undefined ? {} : { known }),
})
const planned = (id: string) => ({ id, reason: 'test', notAfter: FAR })
const flag = (mailbox: MailboxIdentity, id = 'flag', uids = UidSet.of(1)): Step => ({
  ...planned(id),
  kind: 'store',
  mailbox,
  uids,
  direction: 'add',
  flags: ['\\Flagged'],
})
const move = (mailbox: MailboxIdentity, id = 'move'): Step => ({
  ...planned(id),
  kind: 'move',
  mailbox,
  uids: UidSet.of(1, 2),
  target: 'Archive',
})
const append = (id = 'append', count = 1): Step => ({
  ...planned(id),
  kind: 'append',
  target: 'Drafts',
  messages: Array.from({ length: count }, () => ({
    bodyId: bodyId('b'),
    sizeBytes: letter.length,
    flags: ['\\Draft'],
    internalDate: 5_000,
  })),
})

async function run(session: RemoteSession, ...steps: readonly Step[]): Promise<Observation[]> {
  const seen: Observation[] = []
  for await (const observation of session.run(steps, options)) seen.push(observation)
  return seen
}

const outcomes = (seen: readonly Observation[]): string[] =>
  seen.filter((observation): observation is Done => observation.kind === 'done').map(({ id, outcome }) => `${id}: ${outcome}`)
const kinds = (seen: readonly Observation[]): string[] => seen.map(({ kind }) => kind)

describe('SimulatedRemote', () => {
  it('lists mailboxes with status, and answers one done a step', async () => {
    const { remote } = world()
    const session = await remote.connect(signal)
    const seen = await run(session, { kind: 'list', id: 'list', reason: 'test', withStatus: true })
    expect(kinds(seen)).toEqual([...Array(6).fill(['mailbox', 'status']).flat(), 'done'])
    expect(seen[0]).toMatchObject({ path: 'INBOX', role: 'inbox', isSelectable: true, isSubscribed: false })
    expect(seen[1]).toMatchObject({ path: 'INBOX', messages: 5, uidNext: 6 })
  })

  it('tells on a QRESYNC open what changed and vanished since', async () => {
    const { remote, account, inbox } = world()
    const known = { uidValidity: inbox.uidValidity, modSeq: modSeq(account.inbox.highestModSeq) }
    account.inbox.remove(UidSet.of(2, 5))
    account.inbox.store(UidSet.of(3), { direction: 'add', flags: ['\\Seen'] })
    const seen = await run(await remote.connect(signal), open('INBOX', known))
    expect(seen).toMatchObject([
      { kind: 'opened', exists: 3, uidNext: 6, isResynced: true, isReadOnly: false },
      { kind: 'vanished', isEarlier: true },
      { kind: 'row', uid: 3, flags: ['\\Seen'] },
      { kind: 'done', outcome: 'ok', exists: 3 },
    ])
    expect(seen[1]).toMatchObject({ uids: UidSet.of(2, 5) })
  })

  it('opens plainly under another UIDVALIDITY, and without QRESYNC', async () => {
    const { remote, inbox } = world()
    const other = { uidValidity: uidValidity(inbox.uidValidity + 1), modSeq: modSeq(1n) }
    const [opened, end] = await run(await remote.connect(signal), open('INBOX', other))
    expect(opened).toMatchObject({ kind: 'opened', isResynced: false })
    expect(end).toMatchObject({ kind: 'done' })
    const plain = world({ without: ['CONDSTORE'] })
    const [plainOpened] = await run(
      await plain.remote.connect(signal),
      open('INBOX', { ...other, uidValidity: inbox.uidValidity }),
    )
    expect(plainOpened).toMatchObject({ isResynced: false, highestModSeq: null })
    expect(plain.remote.profile.enabled).toEqual([])
  })

  it('fetches summaries, changes since, and bodies by section', async () => {
    const { remote, account, inbox } = world()
    const since = modSeq(account.inbox.highestModSeq)
    account.inbox.store(UidSet.of(4), { direction: 'add', flags: ['\\Seen'] })
    account.inbox.remove(UidSet.of(5))
    const common = { reason: 'test', mailbox: inbox }
    const seen = await run(
      await remote.connect(signal),
      open(),
      { ...common, kind: 'fetch', id: 'all', uids: UidSet.ALL, items: 'summary' },
      { ...common, kind: 'fetch', id: 'news', uids: UidSet.ALL, items: 'flags', changedSince: { modSeq: since, vanished: true } },
      {
        ...common,
        kind: 'fetch-body',
        id: 'body',
        parts: [
          { uid: uid(1), section: '', sizeBytes: 1 },
          { uid: uid(1), section: '9', sizeBytes: 1 },
        ],
      },
      { ...common, kind: 'search', id: 'uids', uids: UidSet.range(2, 99) },
    )
    const rows = seen.filter((observation) => observation.kind === 'row')
    expect(rows.map((row) => row.uid)).toEqual([1, 2, 3, 4, 4])
    const first = account.inbox.get(1)
    expect(rows[0]?.summary).toMatchObject({ sizeBytes: first?.bytes.length, emailId: first?.emailId })
    expect(rows[0]?.summary?.parts.length).toBeGreaterThan(0)
    expect(rows[4]).toMatchObject({ flags: ['\\Seen'], summary: null })
    expect(seen.find(({ kind }) => kind === 'vanished')).toMatchObject({ isEarlier: true, uids: UidSet.of(5) })
    expect(seen.filter(({ kind }) => kind === 'body')).toMatchObject([{ bytes: first?.bytes }, { bytes: null }])
    expect(seen.find(({ kind }) => kind === 'uids')).toMatchObject({ uids: UidSet.range(2, 4) })
  })

  // Verifies: H-5, I-NET-2
  it('answers stale instead of acting on a mailbox that is not the one planned against', async () => {
    const { remote, account, inbox } = world()
    const session = await remote.connect(signal)
    expect(outcomes(await run(session, flag(inbox)))).toEqual(['flag: stale'])
    await run(session, open())
    expect(outcomes(await run(session, flag({ ...inbox, path: 'Archive' })))).toEqual(['flag: stale'])
    const wrong = { path: 'INBOX', uidValidity: uidValidity(inbox.uidValidity + 1) }
    expect(outcomes(await run(session, flag(wrong), flag(inbox, 'right')))).toEqual(['flag: stale', 'right: ok'])
    expect(account.inbox.get(1)?.flags).toEqual(['\\Flagged'])
    expect(remote.stepCount).toBe(2)
  })

  // Verifies: H-4, H-5
  it('skips what requires a step that did not succeed, and sends the rest', async () => {
    const { remote, inbox, account } = world()
    remote.fault = (step) => (step.id === 'copy' ? 'reject' : 'pass')
    const copy: Step = { ...planned('copy'), kind: 'copy', mailbox: inbox, uids: UidSet.of(1), target: 'Archive' }
    const seen = await run(
      await remote.connect(signal),
      open(),
      copy,
      { ...flag(inbox, 'then'), requires: ['copy'] },
      flag(inbox, 'other', UidSet.of(2)),
    )
    expect(outcomes(seen)).toEqual(['open INBOX: ok', 'copy: rejected', 'then: skipped', 'other: ok'])
    expect(account.inbox.messages.map(({ flags }) => flags.length)).toEqual([0, 1, 0, 0, 0])
  })

  // Verifies: H-5, H-8
  it('sends nothing after notAfter or abort', async () => {
    const { remote, inbox, clock } = world()
    const session = await remote.connect(signal)
    await run(session, open())
    clock.time = FAR + 1
    expect(outcomes(await run(session, flag(inbox)))).toEqual(['flag: not-sent'])
    const aborted = AbortSignal.abort()
    const seen: Observation[] = []
    for await (const observation of session.run([open()], { ...options, signal: aborted })) seen.push(observation)
    expect(outcomes(seen)).toEqual(['open INBOX: not-sent'])
  })

  it('gives COPYUID and APPENDUID as evidence, and neither without UIDPLUS', async () => {
    const { remote, inbox, account } = world()
    const seen = await run(await remote.connect(signal), open(), move(inbox), append('drafts', 2))
    expect(seen.map(({ kind }) => kind)).toEqual(['opened', 'done', 'copied', 'vanished', 'done', 'appended', 'done'])
    expect(seen[2]).toMatchObject({ target: { path: 'Archive' }, pairs: { ranges: [{ from: 1, to: 1, length: 2 }] } })
    expect(seen[3]).toMatchObject({ uids: UidSet.range(1, 2), isEarlier: false })
    expect(seen[5]).toMatchObject({ target: { path: 'Drafts' }, uids: [1, 2] })
    expect(account.open('Drafts').get(2)).toMatchObject({ flags: ['\\Draft'], internalDate: 5000 })

    const bare = world({ without: ['UIDPLUS', 'MOVE', 'MULTIAPPEND'] })
    const expunge: Step = { ...planned('expunge'), kind: 'expunge', mailbox: inbox, uids: UidSet.of(1) }
    const poor = await run(await bare.remote.connect(signal), open(), move(inbox), expunge, append('two', 2), append('one'))
    expect(outcomes(poor)).toEqual(['open INBOX: ok', 'move: rejected', 'expunge: rejected', 'two: rejected', 'one: ok'])
    expect(poor.some(({ kind }) => kind === 'appended')).toBe(false)
  })

  it('tells a silent store by MODSEQ alone, and the changes of others in full', async () => {
    const { remote, inbox, account } = world()
    const session = await remote.connect(signal)
    await run(session, open())
    expect(await run(session, flag(inbox))).toMatchObject([
      { kind: 'row', uid: 1, flags: null },
      { kind: 'done', exists: 5 },
    ])
    account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
    account.inbox.remove(UidSet.of(4))
    const seen = await run(session, flag(inbox, 'again', UidSet.of(2)))
    expect(seen).toMatchObject([
      { kind: 'vanished', uids: UidSet.of(4) },
      { kind: 'row', uid: 1, flags: ['\\Flagged', '\\Seen'] },
      { kind: 'row', uid: 2, flags: null },
      { kind: 'done', exists: 4 },
    ])
  })

  it('shows what went only in EXISTS where there is no QRESYNC', async () => {
    const { remote, inbox, account } = world({ without: ['QRESYNC'] })
    const session = await remote.connect(signal)
    await run(session, open())
    account.inbox.remove(UidSet.of(4))
    expect(await run(session, { kind: 'search', id: 's', reason: 'test', mailbox: inbox, uids: UidSet.ALL })).toMatchObject([
      { kind: 'uids' },
      { kind: 'done', exists: 4 },
    ])
  })

  // Verifies: H-5
  it.each<[StepFault, string, boolean]>([
    ['cut', 'move: not-sent', false],
    ['lose-request', 'move: unknown', false],
    ['lose-answer', 'move: unknown', true],
    ['lose-tail', 'move: unknown', true],
  ])('ends the connection on %s', async (fault, outcome, isDone) => {
    const { remote, inbox, account } = world()
    remote.fault = (step) => (step.kind === 'move' ? fault : 'pass')
    const session = await remote.connect(signal)
    const seen = await run(session, open(), move(inbox), append())
    expect(outcomes(seen)).toEqual(['open INBOX: ok', outcome, 'append: not-sent'])
    expect(account.open('Archive').messages).toHaveLength(isDone ? 2 : 0)
    expect(account.open('Drafts').messages).toHaveLength(0)
    expect(session.ended).toMatchObject({ code: 'remote.disconnected' })
    expect(outcomes(await run(session, open()))).toEqual(['open INBOX: not-sent'])
    expect(seen.some(({ kind }) => kind === 'copied')).toBe(fault === 'lose-tail')
  })

  // Verifies: H-7
  it('carries a ghost out only when it is released, and only if its mailbox is still the same', async () => {
    const { remote, inbox, account } = world()
    remote.fault = (step) => (step.kind === 'open' ? 'pass' : 'ghost')
    expect(outcomes(await run(await remote.connect(signal), append()))).toEqual(['append: unknown'])
    expect(outcomes(await run(await remote.connect(signal), open(), flag(inbox)))).toEqual(['open INBOX: ok', 'flag: unknown'])
    expect(account.open('Drafts').messages).toHaveLength(0)
    expect(remote.releaseGhosts()).toBe(2)
    expect(account.open('Drafts').messages).toHaveLength(1)
    expect(account.inbox.get(1)?.flags).toEqual(['\\Flagged'])
    await run(await remote.connect(signal), open(), move(inbox))
    account.inbox.bumpUidValidity()
    expect(remote.releaseGhosts()).toBe(1)
    expect(account.open('Archive').messages).toHaveLength(0)
    expect(remote.ghostCount).toBe(0)
  })

  it('takes the steps that were under way along when the connection ends', async () => {
    const { remote, inbox, account } = world({ inFlightMax: 3 })
    remote.fault = (step) => (step.id === 'a' ? 'lose-answer' : 'pass')
    const session = await remote.connect(signal)
    const seen = await run(session, open(), flag(inbox, 'a'), flag(inbox, 'b', UidSet.of(2)), append('c'), append('d'))
    expect(outcomes(seen)).toEqual(['open INBOX: ok', 'a: unknown', 'b: unknown', 'c: unknown', 'd: not-sent'])
    expect(account.inbox.get(2)?.flags).toEqual(['\\Flagged'])
    expect(account.open('Drafts').messages).toHaveLength(1)
  })

  it('loses the connection when the open mailbox is deleted or loses its UIDs', async () => {
    const { remote, account } = world()
    const session = await remote.connect(signal)
    await run(session, open())
    account.inbox.bumpUidValidity()
    expect(session.ended).not.toBeNull()
    const second = await remote.connect(signal)
    await run(second, open('Archive'))
    account.delete('Archive')
    expect(second.ended).not.toBeNull()
  })

  it('stirs a watch when something happens, and ends it on abort or cut', async () => {
    const { remote, account } = world()
    const session = await remote.connect(signal)
    const stop = new AbortController()
    const watching = session.watch({ path: 'INBOX', beside: [] }, stop.signal)[Symbol.asyncIterator]()
    expect((await watching.next()).value).toMatchObject({ kind: 'status', path: 'INBOX', messages: 5 })
    expect((await watching.next()).value).toEqual({ kind: 'watching', way: 'idle' })
    const first = news(watching)
    account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
    expect((await first).value).toEqual({ kind: 'stirred', path: 'INBOX' })
    const second = news(watching)
    stop.abort()
    expect((await second).done).toBe(true)
    const again = session.watch({ path: 'INBOX', beside: [] }, signal)[Symbol.asyncIterator]()
    await again.next()
    await again.next()
    const cut = news(again)
    remote.disconnectAll()
    expect((await cut).done).toBe(true)
  })

  // Verifies: DC-5465-5.4
  it('tells of every mailbox where it has NOTIFY, and of their names', async () => {
    const { remote, account } = world()
    const session = await remote.connect(signal)
    const watching = session.watch({ path: 'INBOX', beside: 'personal' }, signal)[Symbol.asyncIterator]()
    for (const { path } of account.mailboxes) expect((await watching.next()).value).toMatchObject({ kind: 'status', path })
    expect((await watching.next()).value).toEqual({ kind: 'watching', way: 'notify' })
    account.open('Archive').append([{ bytes: new Uint8Array([10]), flags: [], internalDate: 0 }])
    expect((await news(watching)).value).toEqual({ kind: 'stirred', path: 'Archive' })
    account.rename('Archive', 'Old')
    expect((await news(watching)).value).toEqual({ kind: 'stirred', path: null })
  })

  it('says nothing over a connection that is half open, until it was asked and waited for', async () => {
    const { remote, account } = world()
    const session = await remote.connect(signal)
    const watching = session.watch({ path: 'INBOX', beside: [] }, signal)[Symbol.asyncIterator]()
    await watching.next()
    await watching.next()
    remote.silenceAll()
    account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
    const next = news(watching)
    await session.ping?.()
    expect((await next).done).toBe(true)
    expect(session.ended?.code).toBe('remote.timeout')
  })

  it('refuses connections while offline', async () => {
    const { remote } = world()
    remote.goOffline()
    await expect(remote.connect(signal)).rejects.toMatchObject({ code: 'remote.unreachable' })
    remote.goOnline()
    expect((await remote.connect(signal)).ended).toBeNull()
    expect(remote.connectionCount).toBe(1)
  })
})

/** The next thing that is told, but for how it is watched: here time passes at once. */
async function news(watching: AsyncIterator<Observation>): Promise<IteratorResult<Observation>> {
  for (;;) {
    const next = await watching.next()
    if (next.done === true || next.value.kind !== 'watching') return next
  }
}
