/** What the user changed of a message before copying or moving it is so of the copy, too, on servers without MOVE as on others (H-20). */

import type { MailEngine } from '@tidemail/engine'
import { expect, it } from 'vitest'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused, synchronised } from './review/review-world.ts'

/** One message, flagged, and then moved or copied; not synchronised yet. */
async function flaggedAnd(kind: 'move' | 'copy'): Promise<{ readonly world: ReviewWorld; readonly engine: MailEngine }> {
  const world = new ReviewWorld({ without: ['MOVE'] })
  world.arrive('INBOX')
  const engine = await synchronised(world)
  const message = await referencesIn(world, engine, 'INBOX')
  await engine.flag(message, { add: ['\\Seen'] }).accepted
  await engine[kind](message, await idOf(engine, 'Archive')).accepted
  return { world, engine }
}

it.each(['move', 'copy'] as const)('a %s waits for a change of flags that is refused for now', async (kind) => {
  // Verifies: H-4, H-20, I-LOG-4
  const { engine, world } = await flaggedAnd(kind)
  let isRefused = false
  world.bend = {
    answer: (step) => {
      if (step.kind !== 'store' || isRefused) return null
      isRefused = true
      return refused(step, 'INUSE')
    },
  }
  expect(await world.settle(engine)).toBe('done')
  expect([flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([
    ['\\Seen'],
    kind === 'copy' ? ['\\Seen'] : [],
  ])
})

it('a change of flags follows a message whose copy is proved while its original goes', async () => {
  // Verifies: H-18, I-LOG-2
  const { engine, world } = await flaggedAnd('move')
  let deaths = 0
  world.beforeCommit = ({ reason }) => {
    if (reason !== 'settle what the server answered' || deaths === 2) return
    deaths += 1
    throw new Error('The process dies before it has written what was answered.')
  }
  expect(await world.settle(engine, 10)).toBe('done')
  const receipts = await engine.receipts({ limit: 10 })
  const outcomes = receipts.map(({ operation, outcomes: all }) => `${operation.kind} ${all.map(({ outcome }) => outcome)}`)
  expect(outcomes.toSorted()).toEqual(['flag applied', 'move applied'])
  expect([deaths, flagsOf(world.account, 'Archive'), flagsOf(world.account, 'INBOX')]).toEqual([2, ['\\Seen'], []])
})
