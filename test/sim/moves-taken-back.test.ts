/** A move that is taken back before it was sent, with others behind it on the same message (H-3, H-18). */

import type { EntrySeq } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { flagsOf, idOf, ReviewWorld, referencesIn, synchronised } from './review/review-world.ts'

/** A message that is moved from INBOX to Archive, and then elsewhere; the first move is taken back. */
async function movedOn(to: 'INBOX' | 'Work', without: 'with MOVE' | 'without MOVE') {
  const world = new ReviewWorld({ without: without === 'with MOVE' ? [] : ['MOVE'] })
  world.arrive('INBOX')
  const engine = await synchronised(world)
  const [first] = await engine.move(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
  await engine.flag(await referencesIn(world, engine, 'Archive'), { add: ['\\Seen'] }).accepted
  await engine.move(await referencesIn(world, engine, 'Archive'), await idOf(engine, to)).accepted
  const [shown] = await referencesIn(world, engine, to)
  await engine.undo(first as EntrySeq)
  const sent: string[] = []
  world.bend = { beforeStep: ({ kind }) => void sent.push(kind) }
  expect(await world.settle(engine)).toBe('done')
  expect(await world.waiting(engine)).toEqual([])
  return { world, engine, shown, sent }
}

describe.each(['with MOVE', 'without MOVE'] as const)('what follows a move that is taken back, %s', (without) => {
  it('is done to the message where it is', async () => {
    const { world } = await movedOn('Work', without)
    expect([flagsOf(world.account, 'INBOX'), flagsOf(world.account, 'Work')]).toEqual([[], ['\\Seen']])
  })

  it('is no move into the mailbox that the message is in', async () => {
    const { engine, sent, shown, world } = await movedOn('INBOX', without)
    expect(sent.filter((kind) => ['move', 'copy', 'expunge'].includes(kind))).toEqual([])
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Seen'])
    expect((await engine.message(shown as never))?.flags).toEqual(['\\Seen'])
  })
})
