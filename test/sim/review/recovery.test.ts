import { SyncError, UidSet, uid } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { MemoryMessageStore, ModelAccount } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { ME } from '../engine-lab.ts'
import { serverForm, storeForm } from '../equality.ts'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused, synchronised } from './review-world.ts'

const utf8 = new TextEncoder()

/** An upload on which the connection ended, after the server took note of it or before. */
async function withLostUpload(
  world: ReviewWorld,
  bytes: Uint8Array,
  fault: 'lose-answer' | 'lose-request' = 'lose-answer',
): Promise<MailEngine> {
  const engine = await synchronised(world)
  await engine.append({ to: await idOf(engine, 'Archive'), bytes }).accepted
  world.remote.fault = (step) => (step.kind === 'append' ? fault : 'pass')
  await engine.syncOnce().catch(() => {})
  world.remote.fault = () => 'pass'
  return engine
}

/** A transfer to Archive whose answer was lost, of a server that has given UIDs there and does not list what they name: `hide` are those UIDs. */
async function withUndecidedTransfer(world: ReviewWorld, kind: 'copy' | 'move') {
  world.arrive('INBOX', 1)
  world.arrive('Archive', 1)
  const engine = await synchronised(world)
  const hide = new Set<number>()
  world.bend = {
    hear: (item) => {
      if (item.kind === 'row' && item.mailbox.path === 'Archive' && hide.has(item.uid)) return []
      if (item.kind === 'uids' && item.mailbox.path === 'Archive')
        return [{ ...item, uids: item.uids.difference(UidSet.from([...hide].map(uid))) }]
      return [item]
    },
  }
  await engine[kind](await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
  world.remote.fault = (step) => (step.kind === kind ? 'lose-answer' : 'pass')
  hide.add(2)
  const shown: number[] = []
  await engine.syncOnce().catch(() => {})
  world.remote.fault = () => 'pass'
  world.beforeCommit = async () => void shown.push((await world.messages(engine, 'Archive')).length)
  await world.settle(engine)
  return { engine, hide, shown }
}

describe('moves that were sent as one', () => {
  it.each<['lose-request' | 'lose-answer', NonNullable<ConstructorParameters<typeof ReviewWorld>[0]>['without']]>([
    ['lose-request', []],
    ['lose-answer', []],
    ['lose-request', ['MOVE']],
    ['lose-answer', ['MOVE']],
  ])('are done once, and put to nobody, after a fault (%s; without %j)', async (fault, without = []) => {
    // Verifies: H-9, I-LOG-3
    const world = new ReviewWorld({ without })
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    for (const [from, to] of [
      ['INBOX', 'Archive'],
      ['Archive', 'Work'],
    ] as const)
      await engine.move(await referencesIn(world, engine, from), await idOf(engine, to)).accepted
    let faults = 0
    world.remote.fault = ({ kind }) => ((kind === 'move' || kind === 'copy') && faults++ === 0 ? fault : 'pass')
    expect(await world.settle(engine)).toBe('done')
    expect(await world.waiting(engine)).toEqual([])
    expect(['INBOX', 'Archive', 'Work'].map((path) => flagsOf(world.account, path).length)).toEqual([0, 0, 1])
  })
})

describe('an upload whose answer was lost', () => {
  it('is not sent again while the server may still carry it out, when the loss itself could not be written', async () => {
    // Verifies: I-LOG-3, H-7
    const world = new ReviewWorld()
    const engine = await synchronised(world)
    world.clock.beforeMove = () => void world.remote.releaseGhosts()
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    world.remote.fault = (step) => (step.kind === 'append' ? 'ghost' : 'pass')
    world.beforeCommit = ({ reason }) => {
      if (reason.startsWith('settle')) throw new SyncError('store.full', 'The disk is full.')
    }
    await engine.syncOnce().catch(() => {})
    world.beforeCommit = () => {}
    world.remote.fault = () => 'pass'
    await world.settle(engine)
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('is not sent again by another engine on the same store while the first still waits for its answer', async () => {
    // Verifies: I-LOG-3, I-SYNC-4, H-8
    const world = new ReviewWorld()
    const [engine, other] = [await synchronised(world), await world.open()]
    world.clock.advance(60_000)
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    let isFirst = true
    world.bend = {
      beforeStep: async (step) => {
        if (step.kind !== 'append' || !isFirst) return
        isFirst = false
        await other.syncOnce().catch(() => {})
      },
    }
    await engine.syncOnce().catch(() => {})
    await world.settle(engine)
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('is decided soon, not only when it could have been sent at the latest, when the loss itself could not be written', async () => {
    // Verifies: I-NET-1, H-7
    const world = new ReviewWorld()
    const engine = await synchronised(world)
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    world.remote.fault = (step) => (step.kind === 'append' ? 'lose-request' : 'pass')
    world.beforeCommit = ({ reason }) => {
      if (reason.startsWith('settle')) throw new SyncError('store.full', 'The disk is full.')
    }
    await engine.syncOnce().catch(() => {})
    world.beforeCommit = () => {}
    world.remote.fault = () => 'pass'
    const freeAt = world.clock.now()
    await engine.syncOnce()
    expect(world.clock.now() - freeAt).toBeLessThan(10_000)
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('is not sent again because the server did not list it at once', async () => {
    // Verifies: I-LOG-3, H-9
    const world = new ReviewWorld()
    const archive = world.account.open('Archive')
    archive.isListingLate = true
    const engine = await withLostUpload(world, world.message())
    let looks = 0
    world.bend = {
      beforeStep: (step) => {
        if (step.kind !== 'fetch' || step.items !== 'identity') return
        looks += 1
        if (looks === 2) archive.listArrivals()
      },
    }
    expect(await world.settle(engine)).toBe('done')
    expect([looks, archive.messages.length]).toEqual([3, 1])
    expect(await world.waiting(engine)).toEqual([])
  })

  it('is found although the server does not understand its Message-ID', async () => {
    // Verifies: I-LOG-3, H-9
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message())
    world.bend = {
      hear: (item) =>
        item.kind === 'row' && item.summary !== null
          ? [{ ...item, summary: { ...item.summary, envelope: { ...item.summary.envelope, messageId: null } } }]
          : [item],
    }
    await world.settle(engine)
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('stays undecided while the server cannot open the target just now', async () => {
    // Verifies: H-9, DC-5530-3
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message())
    let busy = 2
    world.bend = {
      answer: (step) => (step.kind === 'open' && step.path === 'Archive' && busy-- > 0 ? refused(step, 'UNAVAILABLE') : null),
    }
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('is shown when the server will not open the target any more', async () => {
    // Verifies: H-9, H-11, I-LOG-2
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message())
    world.bend = { answer: (step) => (step.kind === 'open' && step.path === 'Archive' ? refused(step, 'NOPERM') : null) }
    await world.settle(engine, 8)
    expect(await world.waiting(engine)).toEqual(['append parked (uncertain)'])
  })

  it('is shown, and frees its mailbox, when the bytes that would tell cannot be read', async () => {
    // Verifies: H-9, H-11, FIELD-20
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, utf8.encode('From: a@b.example\r\nSubject: no id\r\n\r\nText\r\n'))
    world.bend = { hear: (item) => [item.kind === 'body' ? { ...item, bytes: null } : item] }
    world.arrive('Archive', 1)
    await world.settle(engine, 8)
    expect(await world.waiting(engine)).toEqual(['append parked (uncertain)'])
  })

  it('is done when the server said OK without a UID, though somebody took the message away since', async () => {
    // Verifies: I-LOG-2, H-9, DC-4315-3b
    const world = new ReviewWorld({ without: ['UIDPLUS'] })
    const engine = await synchronised(world)
    const archive = world.account.open('Archive')
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    world.bend = {
      beforeStep: (step) => {
        if (step.kind === 'fetch' && step.items === 'identity') archive.remove(UidSet.ALL)
      },
    }
    expect(await world.settle(engine)).toBe('done')
    expect([await world.waiting(engine), archive.messages.length]).toEqual([[], 0])
    expect(world.remote.sent.filter(({ step }) => step.kind === 'append')).toHaveLength(1)
  })

  it('is found by its bytes where it has no Message-ID', async () => {
    // Verifies: I-LOG-3, H-9, H-10
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, utf8.encode('From: a@b.example\r\nSubject: no id\r\n\r\nText\r\n'))
    expect(await world.settle(engine)).toBe('done')
    expect(await world.waiting(engine)).toEqual([])
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('is decided within a bounded time after the clock was set back', async () => {
    // Verifies: I-NET-1, H-11
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message())
    world.clock.setBack(86_400_000)
    const setBackAt = world.clock.now()
    expect(await world.settle(engine, 10)).toBe('done')
    expect(world.clock.now() - setBackAt).toBeLessThan(3_600_000)
  })
})

describe('a copy that was answered with OK, and left nothing behind', () => {
  it('is shown, and not sent again: the same would come of it', async () => {
    // Verifies: I-LOG-3, I-NET-1, H-14
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.copy(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    let copies = 0
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'copy') return null
        copies += 1
        return [{ kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists: null }]
      },
    }
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['copy parked (uncertain)'])
    expect(copies).toBe(1)
  })
})

describe('a move whose answer was lost', () => {
  it('is not said to be needless when the source has new UIDs', async () => {
    // Verifies: H-9, DC-4549-3.3, I-LOG-2
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    world.remote.fault = (step) => (step.kind === 'move' ? 'lose-request' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    world.account.inbox.bumpUidValidity()
    await world.settle(engine)
    expect(world.account.inbox.messages).toHaveLength(1)
    const outcomes = (await engine.receipts()).flatMap((receipt) => receipt.outcomes.map(({ outcome }) => outcome))
    expect(outcomes).not.toContain('skipped')
    expect(await world.waiting(engine)).toEqual([expect.stringMatching(/^move parked/)])
  })
})

describe('an operation that nobody could decide', () => {
  it('is settled when its mailbox can be opened again and shows the message', async () => {
    // Verifies: H-11, I-LOG-2
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message())
    world.bend = { answer: (step) => (step.kind === 'open' && step.path === 'Archive' ? refused(step, 'NOPERM') : null) }
    await world.settle(engine, 8)
    expect(await world.waiting(engine)).toEqual(['append parked (uncertain)'])
    world.bend = {}
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
    expect(await world.messages(engine, 'Archive')).toHaveLength(1)
    expect(world.account.open('Archive').messages).toHaveLength(1)
    expect((await engine.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['applied']])
    expect(await new MemoryMessageStore({ disk: world.disk }).planning.claims(ME.id)).toEqual([])
  })

  it.each(['copy', 'move'] as const)('never shows a %s twice when it turns up after all', async (kind) => {
    // Verifies: H-11, I-LOG-2, I-STORE-1
    const world = new ReviewWorld()
    const { engine, shown } = await withUndecidedTransfer(world, kind)
    expect(await world.waiting(engine)).toEqual([`${kind} parked (uncertain)`])
    world.bend = {}
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
    expect(await world.messages(engine, 'Archive')).toHaveLength(2)
    expect(Math.max(...shown)).toBe(2)
    expect(await storeForm(new MemoryMessageStore({ disk: world.disk }), ME.id)).toEqual(serverForm(world.account))
  })

  it('stays parked while only others bring messages', async () => {
    // Verifies: H-11, I-LOG-3
    const world = new ReviewWorld()
    const { engine, hide } = await withUndecidedTransfer(world, 'copy')
    world.arrive('Archive', 2)
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['copy parked (uncertain)'])
    hide.clear()
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
  })

  it.each([
    ['append', []],
    ['copy', []],
    ['move', []],
    ['move', ['MOVE']],
  ] as const)('is not sent again when the server carries the %s out late, without %j', async (kind, without) => {
    // Verifies: I-LOG-3, H-10, H-11
    const world = new ReviewWorld({ without })
    const sentAs = without.length === 0 ? kind : 'copy'
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const to = await idOf(engine, 'Archive')
    if (kind === 'append') await engine.append({ to, bytes: world.message() }).accepted
    else await engine[kind](await referencesIn(world, engine, 'INBOX'), to).accepted
    world.remote.fault = (step) => (step.kind === sentAs ? 'ghost' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    let probes = 0
    const sentAgain: string[] = []
    world.bend = {
      beforeStep: (step) => {
        if (step.kind === 'fetch' && step.items === 'identity') probes += 1
        // Two looks have not found it, and it is queued again.
        if (step.kind === 'list' && probes === 2) world.remote.releaseGhosts()
        if (step.kind === sentAs) sentAgain.push(step.kind)
      },
    }
    await world.settle(engine)
    expect(probes).toBe(3)
    expect(sentAgain).toEqual([])
    expect(world.account.open('Archive').messages).toHaveLength(1)
    expect(world.account.inbox.messages).toHaveLength(kind === 'move' ? 0 : 1)
    expect(await world.waiting(engine)).toEqual([])
    expect(await storeForm(new MemoryMessageStore({ disk: world.disk }), ME.id)).toEqual(serverForm(world.account))
  })

  it('shows once what turns up while the pass changes its mailbox', async () => {
    // Verifies: H-11, I-STORE-1
    const world = new ReviewWorld()
    const { engine, hide, shown } = await withUndecidedTransfer(world, 'copy')
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    world.bend = {
      ...world.bend,
      beforeStep: (step) => {
        if (step.kind === 'append') hide.clear()
      },
    }
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
    expect(world.account.open('Archive').messages).toHaveLength(3)
    expect(Math.max(...shown)).toBe(3)
  })

  it('is not looked for while its mailbox has given no new UID', async () => {
    // Verifies: H-11, I-NET-1
    const world = new ReviewWorld()
    const engine = await withLostUpload(world, world.message(), 'lose-request')
    world.bend = { answer: (step) => (step.kind === 'open' && step.path === 'Archive' ? refused(step, 'NOPERM') : null) }
    await world.settle(engine, 8)
    world.bend = {}
    const sentBefore = world.remote.sent.length
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['append parked (uncertain)'])
    expect(world.remote.sent.slice(sentBefore).filter(({ step }) => step.kind === 'fetch' && step.items === 'identity')).toEqual(
      [],
    )
  })

  it('is forgotten as soon as it is given up', async () => {
    // Verifies: H-11
    const world = new ReviewWorld()
    const { engine } = await withUndecidedTransfer(world, 'copy')
    const claims = async () => new MemoryMessageStore({ disk: world.disk }).planning.claims(ME.id)
    expect(await claims()).toHaveLength(1)
    for (const { seq } of await engine.entries()) await engine.discard(seq)
    await world.settle(engine)
    expect(await claims()).toEqual([])
  })

  it.each(['append', 'copy'] as const)(
    'tells in its receipt of all that matches an %s, when it was carried out twice',
    async (kind) => {
      // Verifies: H-10, I-STORE-2
      const world = new ReviewWorld()
      world.arrive('INBOX', 1)
      const engine = await synchronised(world)
      const to = await idOf(engine, 'Archive')
      if (kind === 'append') await engine.append({ to, bytes: world.message() }).accepted
      else await engine.copy(await referencesIn(world, engine, 'INBOX'), to).accepted
      world.remote.fault = (step) => (step.kind === kind ? 'lose-answer' : 'pass')
      await engine.syncOnce().catch(() => {})
      world.remote.fault = () => 'pass'
      const archive = world.account.open('Archive')
      archive.append(archive.messages)
      await world.settle(engine)
      expect((await engine.receipts()).flatMap(({ outcomes }) => outcomes.map(({ evidence }) => evidence))).toEqual([
        { kind: 'probe', verdict: 'certain', found: [1, 2] },
      ])
      expect(archive.messages).toHaveLength(2)
    },
  )

  it.each(['retry', 'discard'] as const)('is no business of ours any more after a %s', async (decision) => {
    // Verifies: H-11, I-LOG-2
    const world = new ReviewWorld()
    const { engine } = await withUndecidedTransfer(world, 'copy')
    const [entry] = await engine.entries()
    expect(entry?.progress.map(({ parkedFor }) => parkedFor)).toEqual(['uncertain'])
    if (entry !== undefined) await engine[decision](entry.seq)
    world.bend = {}
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual([])
    // What was to be sent again had turned up.
    expect(world.account.open('Archive').messages).toHaveLength(2)
    expect(await new MemoryMessageStore({ disk: world.disk }).planning.claims(ME.id)).toEqual([])
    expect(await storeForm(new MemoryMessageStore({ disk: world.disk }), ME.id)).toEqual(serverForm(world.account))
  })
})

describe('a draft that took the place of another, of which the server told no UID', () => {
  it('is there once, and the version before is not', async () => {
    // Verifies: DC-8508-3.4, I-LOG-3, H-9
    const account = new ModelAccount({ mailboxes: { Drafts: 'drafts' } })
    const world = new ReviewWorld({ account })
    const engine = await synchronised(world)
    await engine.saveDraft({ bytes: world.message() }).accepted
    await world.settle(engine)
    const [replaces] = await referencesIn(world, engine, 'Drafts')
    await engine.saveDraft({ bytes: world.message(), ...(replaces === undefined ? {} : { replaces }) }).accepted
    world.bend = { hear: (item) => (item.kind === 'appended' ? [] : [item]) }
    expect(await world.settle(engine)).toBe('done')
    expect(account.open('Drafts').messages.map(({ uid }) => uid)).toEqual([2])
    expect(world.remote.sent.map(({ step }) => step.kind).filter((kind) => kind === 'replace')).toHaveLength(1)
  })
})

describe('a removal that was cut short while the marks of others were off', () => {
  it('puts them back before anything else, also when the answer to that is lost', async () => {
    // Verifies: DC-4549-4.2.4a, H-8
    const world = new ReviewWorld({ without: ['UIDPLUS'] })
    world.arrive('INBOX', 2)
    const { inbox } = world.account
    inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Deleted'] })
    const engine = await synchronised(world)
    const [newest] = await referencesIn(world, engine, 'INBOX')
    await engine.expunge(newest === undefined ? [] : [newest]).accepted
    let [cuts, restores] = [1, 1]
    world.remote.fault = (step) => {
      if (step.kind === 'expunge-all' && cuts-- > 0) return 'lose-answer'
      return cuts < 1 && step.kind === 'store' && step.direction === 'add' && restores-- > 0 ? 'lose-request' : 'pass'
    }
    expect(await world.settle(engine)).toBe('done')
    expect(inbox.messages.map(({ uid, flags }) => `${uid} ${flags.join(' ')}`)).toEqual(['1 \\Deleted'])
  })
})

describe('a flag change and the move behind it, of both of which the answer was lost', () => {
  it('are both said to be done, and the flag is on the message that moved', async () => {
    // Verifies: H-2, H-18, I-LOG-2
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.flag(references, { add: ['flagged'] }).accepted
    await engine.move(references, await idOf(engine, 'Archive')).accepted
    world.bend = { hear: (item, steps) => (steps.some(({ kind }) => kind === 'store' || kind === 'move') ? [] : [item]) }
    await engine.syncOnce().catch(() => {})
    world.bend = {}
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'Archive')).toEqual(['\\Flagged'])
    const outcomes = (await engine.receipts()).flatMap((receipt) => receipt.outcomes.map(({ outcome }) => outcome))
    expect(outcomes).toEqual(['applied', 'applied'])
  })
})

describe('an upload that landed in a mailbox that was never taken in', () => {
  it('goes from the view when somebody removes it', async () => {
    // Verifies: I-SYNC-1, I-STORE-1
    const world = new ReviewWorld()
    world.arrive('Archive', 2)
    const engine = await synchronised(world)
    const to = await idOf(engine, 'Archive')
    // The new UIDVALIDITY is written, and the connection ends before the mailbox is looked at again.
    world.account.open('Archive').bumpUidValidity()
    world.remote.fault = (step) => (step.kind === 'search' || step.kind === 'fetch' ? 'cut' : 'pass')
    await engine.syncOnce().catch(() => {})
    await engine.append({ to, bytes: world.message() }).accepted
    world.remote.fault = (step) => (step.kind === 'open' ? 'cut' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    world.account.open('Archive').remove(UidSet.of(3))
    expect(await world.settle(engine)).toBe('done')
    expect(await storeForm(new MemoryMessageStore({ disk: world.disk }), ME.id)).toEqual(serverForm(world.account))
  })
})
