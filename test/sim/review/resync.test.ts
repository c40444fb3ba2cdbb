import { UidSet } from '@tidemail/core'
import { ModelAccount, type ModelMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { ME, message } from '../engine-lab.ts'
import { serverForm, storeForm } from '../equality.ts'
import { flagsOf, ReviewWorld, refused } from './review-world.ts'

describe('a mailbox that does not add up, looked at together with others', () => {
  it('is verified, and not taken for one with a new UIDVALIDITY', async () => {
    // Verifies: I-SYNC-2, DC-4549-6.1c
    const world = new ReviewWorld({ without: ['QRESYNC'] })
    for (const path of ['INBOX', 'Archive', 'Work']) world.arrive(path, 3)
    const engine = await world.open({ remote: world.remote })
    await world.settle(engine)
    for (const path of ['INBOX', 'Archive', 'Work']) world.account.open(path).remove(UidSet.of(2))
    await engine.syncOnce()
    expect(world.commits.filter((reason) => reason.includes('UIDVALIDITY'))).toEqual([])
  })
})

describe('an operation that waits for its next try', () => {
  it('is not given up because another look at its mailbox did not add up', async () => {
    // Verifies: I-LOG-2, I-SYNC-2
    const world = new ReviewWorld({ without: ['QRESYNC'] })
    for (const path of ['INBOX', 'Archive']) world.arrive(path, 3)
    const engine = await world.open({ remote: world.remote })
    await world.settle(engine)
    const references = (await world.messages(engine, 'INBOX')).map(({ reference }) => reference)
    await engine.flag(references.slice(0, 1), { add: ['flagged'] }).accepted
    let busy = 1
    world.remote.fault = (step) =>
      step.kind === 'store' && busy-- > 0 ? { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } } : 'pass'
    await engine.syncOnce()
    for (const path of ['INBOX', 'Archive']) world.account.open(path).remove(UidSet.of(1))
    expect(await world.settle(engine)).toBe('done')
    expect(await world.waiting(engine)).toEqual([])
    expect(flagsOf(world.account, 'INBOX')).toEqual(['', '\\Flagged'])
  })
})

describe('a list of UIDs that contradicts EXISTS', () => {
  it('removes nothing, and settles no operation', async () => {
    // Verifies: I-SYNC-2, FIELD-7, I-LOG-2
    const world = new ReviewWorld({ without: ['QRESYNC'], mailboxes: [] })
    world.arrive('INBOX', 3)
    const engine = await world.open()
    await world.settle(engine)
    const references = (await world.messages(engine, 'INBOX')).map(({ reference }) => reference)
    await engine.flag(references, { add: ['flagged'] }).accepted
    let searches = 0
    world.bend = {
      hear: (item) => {
        if (item.kind !== 'uids') return [item]
        searches += 1
        return [searches === 1 ? { ...item, uids: UidSet.EMPTY } : item]
      },
    }
    const removals: string[] = []
    world.beforeCommit = ({ writes, reason }) =>
      void (writes.some(({ kind }) => kind === 'remove-messages') && removals.push(reason))
    expect(await world.settle(engine)).toBe('done')
    expect(removals).toEqual([])
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Flagged', '\\Flagged', '\\Flagged'])
  })
})

describe('a checkpoint', () => {
  it.each([
    ['a flag that changed', (inbox: ModelMailbox) => void inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Flagged'] })],
    [
      'a message that came while another went',
      (inbox: ModelMailbox) => {
        inbox.remove(UidSet.of(1))
        inbox.append([{ bytes: message('late'), flags: [], internalDate: 0 }])
      },
    ],
  ])('does not move past %s between STATUS and SELECT', async (_, rivalActs) => {
    // Verifies: H-12, I-STORE-1
    const world = new ReviewWorld({ without: ['QRESYNC'], mailboxes: [] })
    world.arrive('INBOX', 3)
    // One row is left out at first, so that the mailbox is visited again although its STATUS tells nothing new.
    world.bend = { hear: (item) => (item.kind === 'row' && item.uid === 2 && item.summary !== null ? [] : [item]) }
    const engine = await world.open()
    await world.settle(engine, 1)
    let isDue = true
    world.bend = {
      beforeStep: (step) => {
        if (step.kind !== 'open' || !isDue) return
        isDue = false
        rivalActs(world.account.inbox)
      },
    }
    expect(await world.settle(engine)).toBe('done')
    expect(await storeForm(world.store(), ME.id)).toEqual(serverForm(world.account))
  })

  it('does not move past flags that were never asked for when a mailbox gains mod-sequences', async () => {
    // Verifies: H-12, FIELD-3
    const before = new ReviewWorld({ without: ['CONDSTORE'], mailboxes: [] })
    before.arrive('INBOX', 3)
    const first = await before.open()
    await before.settle(first)
    await first.close()
    before.account.inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Flagged'] })
    const after = new ReviewWorld({ account: before.account })
    Object.assign(after, { disk: before.disk })
    const second = await after.open()
    expect(await after.settle(second)).toBe('done')
    expect(await storeForm(after.store(), ME.id)).toEqual(serverForm(after.account))
  })
})

describe('a server that was restored from a backup', () => {
  it('has its flags taken in although its mod-sequences are lower than before', async () => {
    // Verifies: FIELD-3, I-SYNC-1
    const before = new ReviewWorld({ mailboxes: [] })
    before.arrive('INBOX', 3)
    for (let i = 0; i < 10; i += 1) {
      before.account.inbox.store(UidSet.of(2), { direction: i % 2 === 0 ? 'add' : 'remove', flags: ['\\Seen'] })
    }
    const first = await before.open()
    await before.settle(first)
    await first.close()
    const restored = new ModelAccount({ mailboxes: {} })
    restored.inbox.append(before.account.inbox.messages.map(({ bytes, internalDate }) => ({ bytes, internalDate, flags: [] })))
    restored.inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Flagged'] })
    const after = new ReviewWorld({ account: restored })
    Object.assign(after, { disk: before.disk })
    const second = await after.open()
    expect(await after.settle(second)).toBe('done')
    expect(await storeForm(after.store(), ME.id)).toEqual(serverForm(restored))
    // And what changes from then on, still below the mod-sequences of before.
    restored.inbox.store(UidSet.of(3), { direction: 'add', flags: ['\\Seen'] })
    restored.inbox.store(UidSet.of(2), { direction: 'remove', flags: ['\\Flagged'] })
    expect(await after.settle(second)).toBe('done')
    expect(await storeForm(after.store(), ME.id)).toEqual(serverForm(restored))
  })
})

describe('a mailbox that LIST left out', () => {
  it('is kept while the server only says that it cannot tell now', async () => {
    // Verifies: FIELD-7, I-SYNC-2
    const world = new ReviewWorld({ mailboxes: ['Work'] })
    world.arrive('Work', 3)
    const engine = await world.open()
    await world.settle(engine)
    world.bend = {
      hear: (item) => ((item.kind === 'mailbox' || item.kind === 'status') && item.path === 'Work' ? [] : [item]),
      answer: (step) => ('path' in step && step.path === 'Work' ? refused(step, 'UNAVAILABLE') : null),
    }
    await engine.syncOnce()
    expect((await engine.mailboxes()).map(({ path, total }) => `${path} ${total}`)).toContain('Work 3')
  })
})

describe('a mailbox that became a mere container', () => {
  it('shows no messages any more', async () => {
    // Verifies: I-SYNC-1, 2180 §3
    const world = new ReviewWorld({ mailboxes: ['Work'] })
    world.arrive('Work', 3)
    const engine = await world.open()
    await world.settle(engine)
    world.bend = {
      hear: (item) => {
        if (item.kind === 'mailbox' && item.path === 'Work') return [{ ...item, isSelectable: false }]
        return item.kind === 'status' && item.path === 'Work' ? [] : [item]
      },
      answer: (step) => ('path' in step && step.path === 'Work' ? refused(step, 'NONEXISTENT') : null),
    }
    expect(await world.settle(engine)).toBe('done')
    expect((await engine.mailboxes()).find(({ path }) => path === 'Work')?.total ?? 0).toBe(0)
  })
})

describe('one message that cannot be fetched', () => {
  it('costs a bounded number of passes', async () => {
    // Verifies: FIELD-20, DC-8474-8.4b
    const world = new ReviewWorld({ mailboxes: [] })
    world.arrive('INBOX', 3)
    world.bend = { hear: (item) => (item.kind === 'row' && item.uid === 2 && item.summary !== null ? [] : [item]) }
    const engine = await world.open()
    await engine.syncOnce().catch(() => {})
    const listings = world.remote.sent.filter(({ step }) => step.kind === 'list').length
    expect(listings).toBeLessThanOrEqual(3)
  })
})
