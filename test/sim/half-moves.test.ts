/** A move without MOVE is a copy and then a removal: until that, and where the user gives it up, the original is a message of its own (H-18). */

import type { MessageReference } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused, synchronised } from './review/review-world.ts'

interface HalfMove {
  readonly world: ReviewWorld
  readonly engine: MailEngine
  /** The message as it is called in INBOX. */
  readonly original: readonly MessageReference[]
}

/** The copy is in Archive, named by the server; to remove the original was refused for good. */
async function halfMoved(): Promise<HalfMove> {
  const world = new ReviewWorld({ without: ['MOVE'] })
  world.arrive('INBOX')
  const engine = await synchronised(world)
  const original = await referencesIn(world, engine, 'INBOX')
  world.bend = { answer: (step) => (step.kind === 'expunge' ? refused(step, 'NOPERM') : null) }
  await engine.move(original, await idOf(engine, 'Archive')).accepted
  await world.settle(engine)
  world.bend = {}
  expect(await world.waiting(engine)).toEqual(['move parked (not-permitted)'])
  return { world, engine, original }
}

async function decided(decision: 'retry' | 'discard'): Promise<HalfMove> {
  const half = await halfMoved()
  const { engine, world } = half
  for (const { seq } of await engine.entries()) await engine[decision](seq)
  expect(await world.settle(engine)).toBe('done')
  return half
}

describe('of a move whose copy was made and whose original stays', () => {
  // Verifies: H-18, I-STORE-2
  it('a removal of the original is not one of the copy', async () => {
    const { engine, original, world } = await decided('discard')
    expect(await referencesIn(world, engine, 'INBOX')).toEqual(original)
    await engine.expunge(original).accepted
    expect(await world.settle(engine)).toBe('done')
    expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([[''], []])
  })

  it('a change of flags of the original is not one of the copy', async () => {
    const { engine, original, world } = await decided('discard')
    await engine.flag(original, { add: ['\\Seen'] }).accepted
    expect(await world.settle(engine)).toBe('done')
    expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([[''], ['\\Seen']])
  })

  it('the original is read by its own name, also once the copy is gone', async () => {
    const { engine, original, world } = await decided('discard')
    await engine.expunge(await referencesIn(world, engine, 'Archive')).accepted
    expect(await world.settle(engine)).toBe('done')
    expect((await engine.message(original[0] as never))?.reference).toEqual(original[0])
  })
})

it('whoever knows the original of a move is led to the copy once it is gone', async () => {
  // Verifies: H-18
  const { engine, original, world } = await decided('retry')
  expect((await engine.message(original[0] as never))?.reference).toEqual((await referencesIn(world, engine, 'Archive'))[0])
  await engine.flag(original, { add: ['\\Seen'] }).accepted
  expect(await world.settle(engine)).toBe('done')
  expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([['\\Seen'], []])
})
