/** A move without MOVE is a copy and then a removal: what becomes of both when the removal is refused, given up, taken back or sent elsewhere (H-18). */

import type { MessageReference } from '@tidemail/core'
import type { MailEngine, MailEngineOptions } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused } from './review/review-world.ts'

interface HalfMove {
  readonly world: ReviewWorld
  readonly engine: MailEngine
  /** The message as it is called in INBOX. */
  readonly original: readonly MessageReference[]
}

type Policy = NonNullable<MailEngineOptions['policy']>

/** The copy is in Archive, named by the server; the server does not remove the original. */
async function halfMoved(code: 'NOPERM' | 'INUSE', policy: Policy = {}): Promise<HalfMove> {
  const world = new ReviewWorld({ without: ['MOVE'] })
  world.arrive('INBOX')
  const engine = await world.open({ policy: { bodies: 'none', ...policy } })
  expect(await world.settle(engine)).toBe('done')
  const original = await referencesIn(world, engine, 'INBOX')
  world.bend = { answer: (step) => (step.kind === 'expunge' ? refused(step, code) : null) }
  await engine.move(original, await idOf(engine, 'Archive')).accepted
  await engine.syncOnce()
  world.bend = {}
  expect(await world.waiting(engine)).toEqual([code === 'INUSE' ? 'move copied' : 'move parked (not-permitted)'])
  return { world, engine, original }
}

async function decided(decision: 'retry' | 'discard'): Promise<HalfMove> {
  const half = await halfMoved('NOPERM')
  for (const { seq } of await half.engine.entries()) await half.engine[decision](seq)
  expect(await half.world.settle(half.engine)).toBe('done')
  return half
}

function counts({ account }: ReviewWorld): Readonly<Record<string, number>> {
  return Object.fromEntries(account.mailboxes.map(({ path, messages }) => [path, messages.length]))
}

function messageAt(engine: MailEngine, [reference]: readonly MessageReference[]): Promise<MessageReference | undefined> {
  return engine.message(reference as MessageReference).then((view) => view?.reference)
}

describe('the original of a move that is given up when its copy is made', () => {
  // Verifies: H-18, I-STORE-2
  it('is removed by its name, and not the copy', async () => {
    const { engine, original, world } = await decided('discard')
    expect(await referencesIn(world, engine, 'INBOX')).toEqual(original)
    await engine.expunge(original).accepted
    expect(await world.settle(engine)).toBe('done')
    expect(counts(world)).toEqual({ INBOX: 0, Archive: 1, Work: 0 })
  })

  it('is flagged by its name, and not the copy', async () => {
    const { engine, original, world } = await decided('discard')
    await engine.flag(original, { add: ['\\Seen'] }).accepted
    expect(await world.settle(engine)).toBe('done')
    expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([[''], ['\\Seen']])
  })

  it('is read by its name, also once the copy is gone', async () => {
    const { engine, original, world } = await decided('discard')
    await engine.expunge(await referencesIn(world, engine, 'Archive')).accepted
    expect(await world.settle(engine)).toBe('done')
    expect(await messageAt(engine, original)).toEqual(original[0])
  })
})

describe('whoever knows the original of a move', () => {
  // Verifies: H-18
  it('is led to the copy while the original is to be removed', async () => {
    const { engine, original, world } = await halfMoved('INUSE')
    const [copy] = await referencesIn(world, engine, 'Archive')
    expect(await messageAt(engine, original)).toEqual(copy)
    await engine.flag(original, { add: ['\\Seen'] }).accepted
    expect(await world.settle(engine)).toBe('done')
    expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([['\\Seen'], []])
  })

  it('is led to the copy once the original is gone', async () => {
    const { engine, original, world } = await decided('retry')
    expect(counts(world)).toEqual({ INBOX: 0, Archive: 1, Work: 0 })
    expect(await messageAt(engine, original)).toEqual((await referencesIn(world, engine, 'Archive'))[0])
  })
})

it('a move whose copy is made is taken back by a move of the copy', async () => {
  // Verifies: H-3
  const { engine, world } = await halfMoved('INUSE')
  const [entry] = await engine.entries()
  expect(await engine.undo(entry?.seq as never)).toMatchObject({ kind: 'compensated' })
  expect((await referencesIn(world, engine, 'INBOX')).length).toBe(1)
  expect(await world.settle(engine)).toBe('done')
  expect(counts(world)).toEqual({ INBOX: 1, Archive: 0, Work: 0 })
})

describe('a move whose copy is made, and lost with its mailbox', () => {
  // Verifies: I-STORE-2, I-LOG-2
  const policies: readonly (readonly [string, Policy])[] = [
    ['is not sent to another mailbox', { missingMailbox: { other: 'Work' } }],
    ['is not sent to one of the same name', { missingMailbox: 'create' }],
    ['is not passed over as done', { missingMailbox: 'skip' }],
  ]

  it.each(policies)('%s: the original would go with nothing in its place', async (_, policy) => {
    const { engine, world } = await halfMoved('INUSE', policy)
    world.account.delete('Archive')
    await world.settle(engine)
    expect([await world.waiting(engine), counts(world)]).toEqual([['move parked (mailbox-gone)'], { INBOX: 1, Work: 0 }])
    const [entry] = await engine.entries()
    await expect(engine.retarget(entry?.seq as never, await idOf(engine, 'Work'))).rejects.toMatchObject({
      code: 'input.not-retargetable',
    })
    await engine.discard(entry?.seq as never)
    expect(await world.settle(engine)).toBe('done')
    expect((await referencesIn(world, engine, 'INBOX')).length).toBe(1)
  })

  it('is not sent elsewhere while the copy stands', async () => {
    const { engine } = await halfMoved('NOPERM')
    const [entry] = await engine.entries()
    const elsewhere = engine.retarget(entry?.seq as never, await idOf(engine, 'Work'))
    await expect(elsewhere).rejects.toMatchObject({ code: 'input.not-retargetable' })
  })
})

it('a move that waits for the user goes on under the new UIDs of its mailbox', async () => {
  // Verifies: DC-4549-4.1.1
  const { engine, world } = await halfMoved('NOPERM')
  world.account.inbox.bumpUidValidity()
  expect(await world.settle(engine)).toBe('done')
  expect(await world.waiting(engine)).toEqual(['move parked (not-permitted)'])
  for (const { seq } of await engine.entries()) await engine.retry(seq)
  expect(await world.settle(engine)).toBe('done')
  expect([await world.waiting(engine), counts(world)]).toEqual([[], { INBOX: 0, Archive: 1, Work: 0 }])
})
