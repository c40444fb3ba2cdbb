/** A removal marks what is to go; where it is not carried out the mark comes off, for anybody's EXPUNGE would take the message along. */

import { type EntrySeq, type MessageReference, type StoreStep, UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { flagsOf, ReviewWorld, referencesIn, refused, synchronised } from './review/review-world.ts'

type Without = NonNullable<ConstructorParameters<typeof ReviewWorld>[0]>['without']

interface Lab {
  readonly world: ReviewWorld
  readonly engine: MailEngine
  readonly seq: EntrySeq
  /** STOREs that were sent. */
  readonly stores: StoreStep[]
}

/** The newest of three messages is to be removed, and the server refuses EXPUNGE with this code. */
async function refusedRemoval(code: string, without: Without = []): Promise<Lab> {
  const world = new ReviewWorld({ without: without ?? [] })
  world.arrive('INBOX', 3)
  const engine = await synchronised(world)
  const [newest] = await referencesIn(world, engine, 'INBOX')
  const stores: StoreStep[] = []
  world.bend = {
    answer: (step) => (step.kind === 'expunge' || step.kind === 'expunge-all' ? refused(step, code) : null),
    beforeStep: (step) => void (step.kind === 'store' && stores.push(step)),
  }
  const [seq] = await engine.expunge([newest as MessageReference]).accepted
  return { world, engine, seq: seq as EntrySeq, stores }
}

function flags({ world }: Lab): readonly string[] {
  return world.account.inbox.messages.map((message) => message.flags.join(' '))
}

describe.each<[string, Without]>([
  ['UIDPLUS', []],
  ['nothing but EXPUNGE', ['UIDPLUS']],
])('a removal that is refused, with %s', (_, without) => {
  it('for good leaves no mark', async () => {
    // Verifies: I-STORE-2
    const lab = await refusedRemoval('CANNOT', without)
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['', '', ''])
    const [shown] = await lab.world.messages(lab.engine, 'INBOX')
    expect(shown?.flags).toEqual([])
    const sent = lab.stores.length
    await lab.world.settle(lab.engine)
    expect(lab.stores).toHaveLength(sent)
  })

  it('bears no mark while the user has to decide, and is made when the user says so', async () => {
    // Verifies: I-STORE-2
    const lab = await refusedRemoval('NOPERM', without)
    await lab.world.settle(lab.engine)
    expect(await lab.world.waiting(lab.engine)).toEqual(['expunge parked (not-permitted)'])
    expect(flags(lab)).toEqual(['', '', ''])
    lab.world.bend = {}
    await lab.engine.retry(lab.seq)
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['', ''])
  })

  it('for now keeps its mark until it is tried again, or taken back', async () => {
    // Verifies: I-STORE-2
    const lab = await refusedRemoval('INUSE', without)
    await lab.engine.syncOnce()
    expect(flags(lab)).toEqual(['', '', '\\Deleted'])
    await lab.engine.undo(lab.seq)
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['', '', ''])
  })
})

describe('a mark', () => {
  it('that others made before stays', async () => {
    // Verifies: I-STORE-2
    const lab = await refusedRemoval('CANNOT')
    lab.world.account.inbox.store(UidSet.of(2, 3), { direction: 'add', flags: ['\\Deleted'] })
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['', '\\Deleted', '\\Deleted'])
  })

  it('that the user makes meanwhile stays', async () => {
    const lab = await refusedRemoval('INUSE')
    await lab.engine.syncOnce()
    await lab.engine.undo(lab.seq)
    await lab.engine.flag(await referencesIn(lab.world, lab.engine, 'INBOX'), { add: ['\\Deleted'] }).accepted
    lab.world.bend = { answer: (step) => (step.kind === 'store' && step.direction === 'remove' ? refused(step) : null) }
    await lab.engine.syncOnce()
    lab.world.bend = {}
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['\\Deleted', '\\Deleted', '\\Deleted'])
  })

  it('whose coming off is refused is tried once a pass, and holds nothing up', async () => {
    // Verifies: I-LOG-5
    const lab = await refusedRemoval('CANNOT')
    const { answer } = lab.world.bend
    let tries = 0
    lab.world.bend = {
      answer: (step) => {
        if (step.kind !== 'store' || step.direction !== 'remove') return answer?.(step) ?? null
        tries += 1
        return refused(step)
      },
    }
    await lab.engine.flag(await referencesIn(lab.world, lab.engine, 'INBOX'), { add: ['seen'] }).accepted
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flags(lab)).toEqual(['\\Seen', '\\Seen', '\\Deleted'])
    expect(tries).toBe(1)
    await lab.engine.syncOnce()
    expect(tries).toBe(2)
  })

  it('comes off though the answer to that is lost', async () => {
    // Verifies: I-SYNC-3
    const lab = await refusedRemoval('CANNOT')
    let isFirst = true
    lab.world.remote.fault = (step) => {
      if (step.kind !== 'store' || step.direction !== 'remove' || !isFirst) return 'pass'
      isFirst = false
      return 'lose-request'
    }
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(isFirst).toBe(false)
    expect(flags(lab)).toEqual(['', '', ''])
  })

  it.each([
    ['copy', ['', '', '']],
    ['move', ['', '']],
  ] as const)('that a %s of ours takes along comes off there', async (kind, left) => {
    // Verifies: I-STORE-2
    const lab = await refusedRemoval('CANNOT')
    const { answer } = lab.world.bend
    lab.world.bend = {
      answer: (step) => (step.kind === 'store' && step.direction === 'remove' ? refused(step) : (answer?.(step) ?? null)),
    }
    expect(await lab.world.settle(lab.engine)).toBe('done')
    const [newest] = await referencesIn(lab.world, lab.engine, 'INBOX')
    await lab.engine[kind]([newest as MessageReference], (await lab.engine.mailbox('Archive')).id).accepted
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flagsOf(lab.world.account, 'Archive')).toEqual(['\\Deleted'])
    lab.world.bend = {}
    expect(await lab.world.settle(lab.engine)).toBe('done')
    expect(flagsOf(lab.world.account, 'Archive')).toEqual([''])
    expect(flags(lab)).toEqual(left)
  })
})
