import type { EntrySeq, MessageReference } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { ME } from '../engine-lab.ts'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused, synchronised } from './review-world.ts'

describe('a mailbox that goes away while an answer is missing', () => {
  it('does not make the engine commit for ever, when a move from it had taken effect', async () => {
    // Verifies: I-SYNC-3, FIELD-20, H-16
    const world = new ReviewWorld()
    world.arrive('Work', 1)
    const engine = await synchronised(world)
    await engine.move(await referencesIn(world, engine, 'Work'), await idOf(engine, 'Archive')).accepted
    world.remote.fault = (step) => (step.kind === 'move' ? 'lose-answer' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    world.account.delete('Work')
    expect(await world.settle(engine)).toBe('done')
    expect(await world.waiting(engine)).toEqual([])
  })

  it('parks what was being stored in it', async () => {
    // Verifies: I-LOG-2, DC-4549-5.1-3, FIELD-13
    const world = new ReviewWorld()
    world.arrive('Work', 1)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'Work'), { add: ['seen'] }).accepted
    // As on Dovecot, which drops the connection of whoever has the mailbox open.
    world.remote.fault = (step) => (step.kind === 'store' ? 'lose-request' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    world.account.delete('Work')
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['flag parked (mailbox-gone)'])
  })

  it('parks what is accepted for it in the moment in which it is removed', async () => {
    // Verifies: I-LOG-2, I-STORE-2
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const [references, work] = [await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Work')]
    world.account.delete('Work')
    world.beforeCommit = async ({ writes }) => {
      if (!writes.some(({ kind }) => kind === 'remove-mailbox')) return
      world.beforeCommit = () => {}
      await engine.move(references, work).accepted
    }
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['move parked (mailbox-gone)'])
    expect(await world.messages(engine, 'INBOX')).toHaveLength(1)
  })
})

describe('a claim that could not be written, for what it was decided on had changed', () => {
  it('is not sent: nothing leaves without its claim', async () => {
    // Verifies: I-LOG-3, H-16
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const store = world.store()
    let conflicts = 1
    const commit: typeof store.commit = async (change) =>
      change.reason.startsWith('claim') && conflicts-- > 0
        ? { kind: 'conflict', on: 'entry', what: 'It changed.' }
        : store.commit(change)
    const engine = await world.open({ store: { ...store, commit } })
    await world.settle(engine)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['flagged'] }).accepted
    const claimsAtStore: number[] = []
    world.bend = {
      beforeStep: async ({ kind }) => {
        if (kind === 'store') claimsAtStore.push((await store.planning.claims(ME.id)).length)
      },
    }
    expect(await world.settle(engine)).toBe('done')
    expect([conflicts < 1, claimsAtStore]).toEqual([true, [1]])
  })
})

describe('operations that follow one another', () => {
  it('go on when a flag change before them is parked', async () => {
    // Verifies: I-LOG-5, FIELD-13
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['seen'] }).accepted
    world.remote.fault = (step) =>
      step.kind === 'store' ? { kind: 'reject', rejection: { status: 'NO', code: 'NOPERM', text: 'No.' } } : 'pass'
    await world.settle(engine, 2)
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    await world.settle(engine)
    expect(world.account.open('Archive').messages).toHaveLength(1)
  })

  it('keep a flag that was refused for now, when the message moved on meanwhile', async () => {
    // Verifies: I-LOG-4, H-18
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.flag(references, { add: ['flagged'] }).accepted
    await engine.move(references, await idOf(engine, 'Archive')).accepted
    let busy = 1
    world.remote.fault = (step) =>
      step.kind === 'store' && busy-- > 0 ? { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } } : 'pass'
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'Archive')).toEqual(['\\Flagged'])
  })

  it('reach the messages that a cut-short MOVE did move', async () => {
    // Verifies: DC-6851-3.3a, H-1
    const world = new ReviewWorld()
    world.arrive('INBOX', 3)
    const engine = await synchronised(world)
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    await engine.flag(await referencesIn(world, engine, 'Archive'), { add: ['flagged'] }).accepted
    world.account.moveStopsAfter = 1
    await engine.syncOnce()
    world.account.moveStopsAfter = null
    world.clock.advance(100_000)
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'Archive')).toEqual(['\\Flagged', '\\Flagged', '\\Flagged'])
    const outcomes = (await engine.receipts()).flatMap((receipt) => receipt.outcomes.map(({ outcome }) => outcome))
    expect(outcomes).not.toContain('skipped')
  })

  it('reach a moved message on a server that names no UIDs, although the target is replayed in too', async () => {
    // Verifies: I-LOG-2, H-9, H-11, DC-4315-3b
    const world = new ReviewWorld({ without: ['UIDPLUS'] })
    world.arrive('INBOX', 1)
    world.arrive('Archive', 1)
    const engine = await synchronised(world)
    const [old] = await referencesIn(world, engine, 'Archive')
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    const local = (await referencesIn(world, engine, 'Archive')).filter(({ kind }) => kind === 'local')
    await engine.flag(local, { add: ['flagged'] }).accepted
    await engine.flag([old as MessageReference], { add: ['seen'] }).accepted
    await world.settle(engine)
    expect(flagsOf(world.account, 'Archive')).toEqual(['\\Seen', '\\Flagged'])
  })
})

describe('a change of flags that a server makes in part', () => {
  it('is taken back on the server too when it is undone', async () => {
    // Verifies: I-LOG-2, DC-5530-3
    const world = new ReviewWorld()
    world.account.inbox.append([{ bytes: world.message(), flags: ['\\Seen'], internalDate: world.clock.now() }])
    const engine = await synchronised(world)
    const handle = engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['flagged'], remove: ['seen'] })
    await handle.accepted
    let refusals = 1
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'store' || step.direction !== 'remove' || refusals === 0) return null
        refusals -= 1
        return refused(step, 'UNAVAILABLE')
      },
    }
    await engine.syncOnce()
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Flagged \\Seen'])
    await handle.undo()
    await world.settle(engine)
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Seen'])
  })
})

describe('an entry that is sent alone after a refusal', () => {
  it('does not come after what the user wanted later', async () => {
    // Verifies: I-LOG-4, DC-4549-3.1
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.flag(references, { add: ['flagged'] }).accepted
    await engine.flag(references, { add: ['$Bad'] }).accepted
    let stores = 0
    world.remote.fault = (step) => {
      if (step.kind !== 'store') return 'pass'
      stores += 1
      if (stores === 2) return 'cut'
      return step.flags.includes('$Bad') ? { kind: 'reject', rejection: { status: 'NO', code: 'CANNOT', text: 'Bad.' } } : 'pass'
    }
    await engine.syncOnce().catch(() => {})
    await engine.flag(references, { remove: ['flagged'] }).accepted
    await world.settle(engine)
    expect(flagsOf(world.account, 'INBOX')).toEqual([''])
  })
})

describe('a user who goes on working', () => {
  it('does not keep the engine from settling what was answered', async () => {
    // Verifies: I-LOG-2, FIELD-20
    const world = new ReviewWorld()
    world.arrive('INBOX', 2)
    const engine = await synchronised(world)
    const [first, second] = await referencesIn(world, engine, 'INBOX')
    await engine.move([first as MessageReference], await idOf(engine, 'Archive')).accepted
    let operations = 0
    world.beforeCommit = async ({ reason }) => {
      if (!reason.startsWith('settle what the server answered') || operations >= 100) return
      operations += 1
      await engine.flag([second as MessageReference], { add: [`$n${operations}`] }).accepted
    }
    await expect(engine.syncOnce()).resolves.toBeDefined()
    expect((await world.waiting(engine)).filter((entry) => entry.startsWith('move'))).toEqual([])
  })
})

describe('a refusal', () => {
  it('of one keyword does not take along the flag that was folded into the same STORE', async () => {
    // Verifies: I-LOG-4, H-20
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.flag(references, { add: ['seen'] }).accepted
    await engine.flag(references, { add: ['$Bad'] }).accepted
    world.remote.fault = (step) =>
      step.kind === 'store' && step.flags.includes('$Bad')
        ? { kind: 'reject', rejection: { status: 'NO', code: 'CANNOT', text: 'Bad keyword.' } }
        : 'pass'
    await world.settle(engine)
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Seen'])
  })

  it('that passes after some minutes does not throw away what the user did', async () => {
    // Verifies: I-LOG-2, FIELD-13, DC-5530-3
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    const until = world.clock.now() + 600_000
    world.remote.fault = (step) =>
      step.kind === 'move' && world.clock.now() < until
        ? { kind: 'reject', rejection: { status: 'NO', code: 'UNAVAILABLE', text: 'Down for maintenance.' } }
        : 'pass'
    await world.settle(engine, 30)
    const isMoved = world.account.open('Archive').messages.length === 1
    expect(isMoved || (await world.waiting(engine)).some((entry) => entry.startsWith('move parked'))).toBe(true)
  })

  it('of one upload does not park those that were sent in the same MULTIAPPEND', async () => {
    // Verifies: DC-4549-4.2.2f, FIELD-13
    const world = new ReviewWorld()
    world.account.appendLimitOctets = 400
    const engine = await synchronised(world)
    const to = await idOf(engine, 'Archive')
    await engine.append({ to, bytes: world.message() }).accepted
    await engine.append({ to, bytes: world.message(1_000) }).accepted
    await world.settle(engine)
    expect(world.account.open('Archive').messages).toHaveLength(1)
    expect(await world.waiting(engine)).toEqual(['append parked (rejected-repeatedly)'])
  })

  it('that comes in the middle of a MOVE parks only what was not moved', async () => {
    // Verifies: DC-6851-3.3a, I-LOG-2, I-STORE-3
    const world = new ReviewWorld()
    world.arrive('INBOX', 2)
    const engine = await synchronised(world)
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    world.account.moveStopsAfter = 1
    world.bend = {
      hear: (item) =>
        item.kind === 'done' && item.outcome === 'rejected'
          ? [{ ...item, rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } }]
          : [item],
    }
    await world.settle(engine)
    const [entry] = await engine.entries()
    expect(entry?.settled.map(({ outcome }) => outcome)).toEqual(['applied'])
    expect(await world.waiting(engine)).toEqual(['move parked (over-quota)'])
  })

  it('without an end is not tried for ever: OK to an expunge that has no effect', async () => {
    // Verifies: FIELD-20, DC-9051-6.4.9
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.expunge(await referencesIn(world, engine, 'INBOX')).accepted
    let tries = 0
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'expunge') return null
        tries += 1
        return [{ kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists: 1 }]
      },
    }
    for (let i = 0; i < 12; i += 1) {
      await engine.syncOnce()
      world.clock.advance(3_600_000)
    }
    expect(tries).toBeLessThanOrEqual(3)
  })

  it('to open the target of a move is shown, and costs a bounded number of passes', async () => {
    // Verifies: I-LOG-2, FIELD-13, FIELD-20
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    world.bend = { answer: (step) => (step.kind === 'open' && step.path === 'Work' ? refused(step, 'NOPERM') : null) }
    const engine = await world.open()
    await engine.syncOnce()
    await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Work')).accepted
    world.remote.sent.length = 0
    for (let i = 0; i < 5; i += 1) {
      await engine.syncOnce()
      world.clock.advance(3_600_000)
    }
    expect(await world.waiting(engine)).toEqual([expect.stringMatching(/^move parked/)])
    expect(world.remote.sent.filter(({ step }) => step.kind === 'list').length).toBeLessThanOrEqual(15)
  })
})

describe('an OK that did nothing', () => {
  it('to a STORE does not leave flags in the store that the server has not', async () => {
    // Verifies: H-14, I-SYNC-1
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['seen'] }).accepted
    world.bend = {
      answer: (step) =>
        step.kind === 'store' ? [{ kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists: 1 }] : null,
    }
    expect(await world.settle(engine)).toBe('done')
    expect(await world.settle(engine)).toBe('done')
    expect((await world.messages(engine, 'INBOX')).map(({ flags }) => flags)).toEqual([[]])
  })
})

describe('what is accepted while answers are settled', () => {
  it.each(['INBOX', 'Archive'])('is carried out on the message that moved, seen in %s', async (seenIn) => {
    // Verifies: I-LOG-2, H-18
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    const stored = await referencesIn(world, engine, 'INBOX')
    await engine.move(stored, await idOf(engine, 'Archive')).accepted
    const chosen = seenIn === 'INBOX' ? stored : await referencesIn(world, engine, 'Archive')
    world.beforeCommit = async ({ reason }) => {
      if (!reason.startsWith('settle what the server answered')) return
      world.beforeCommit = () => {}
      await engine.flag(chosen, { add: ['flagged'] }).accepted
    }
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'Archive')).toEqual(['\\Flagged'])
  })

  it('is carried out on an upload that landed', async () => {
    // Verifies: I-LOG-2, DC-4549-5.1c
    const world = new ReviewWorld()
    const engine = await synchronised(world)
    await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    const drafts = await referencesIn(world, engine, 'Archive')
    world.beforeCommit = async ({ reason }) => {
      if (!reason.startsWith('settle what the server answered')) return
      world.beforeCommit = () => {}
      await engine.expunge(drafts).accepted
    }
    expect(await world.settle(engine)).toBe('done')
    expect(world.account.open('Archive').messages).toHaveLength(0)
  })
})

describe('one upload whose bytes are lost', () => {
  it('does not stop the account', async () => {
    // Verifies: FIELD-13, I-LOG-5
    const world = new ReviewWorld()
    const engine = await synchronised(world)
    const [seq] = await engine.append({ to: await idOf(engine, 'Archive'), bytes: world.message() }).accepted
    world.disk.state.bodies.clear()
    world.arrive('INBOX', 1)
    await world.settle(engine)
    expect(await world.messages(engine, 'INBOX')).toHaveLength(1)
    expect((await engine.entries()).map((entry) => entry.seq)).toEqual([seq as EntrySeq])
    expect(await world.waiting(engine)).toEqual(['append parked (bytes-lost)'])
  })
})
