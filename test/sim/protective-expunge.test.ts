/** Removes one message where everything that is marked goes at once, and dies or loses the connection at every place: what a rival marked stays, and stays marked. */

import type { MailEngine } from '@tidemail/engine'
import type { StepFault } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { type Death, dyingStore, ProcessDied } from './dying-store.ts'
import { ReviewWorld, refused } from './review/review-world.ts'

/** More places than the removal has. */
const PLACES_MAX = 60

/** Message 1 is to be removed; of 2 and 3, which stay, a rival has marked the last for deletion. */
async function withRemovalQueued(): Promise<{ readonly world: ReviewWorld; readonly engine: MailEngine }> {
  const world = new ReviewWorld({ without: ['UIDPLUS', 'MOVE'] })
  world.arrive('INBOX', 3)
  const engine = await world.open()
  expect(await world.settle(engine)).toBe('done')
  const oldest = (await world.messages(engine, 'INBOX')).at(-1)
  if (oldest === undefined) throw new Error('INBOX is empty.')
  await engine.expunge(oldest.reference).accepted
  const { inbox } = world.account
  inbox.store(inbox.uids.highest(1), { direction: 'add', flags: ['\\Deleted'] })
  return { world, engine }
}

async function expectSpared(world: ReviewWorld, engine: MailEngine, place: string): Promise<void> {
  await world.settle(engine, 12)
  const left = world.account.inbox.messages.map(({ uid, flags }) => [uid, ...flags].join(' '))
  expect({ place, left, waiting: await world.waiting(engine) }).toEqual({ place, left: ['2', '3 \\Deleted'], waiting: [] })
  await engine.close()
}

// Verifies: DC-4549-4.2.4b, I-LOG-3
describe('a removal without UIDPLUS', () => {
  it.each(['before', 'after'] as const)(
    'leaves to others what they marked, when the process dies %s any commit',
    async (moment) => {
      for (let atCommit = 0; ; atCommit += 1) {
        expect(atCommit).toBeLessThan(PLACES_MAX)
        const { world, engine } = await withRemovalQueued()
        await engine.close()
        const death: Death = { atCommit, moment }
        const store = dyingStore(world.store(), death)
        const dying = await world.open({ store }).catch(() => null)
        await dying?.syncOnce().catch(() => null)
        world.remote.disconnectAll()
        await dying?.close().catch(() => null)
        world.clock.advance(120_000)
        await expectSpared(world, await world.open(), `${moment} commit ${atCommit}`)
        if (!store.hasDied) break
      }
    },
    60_000,
  )

  it('leaves to others what they marked, when the server is busy as their marks are to be put back', async () => {
    const { engine, world } = await withRemovalQueued()
    let restores = 0
    world.bend = {
      answer: (step) => {
        if (step.kind === 'expunge-all') return refused(step, 'INUSE')
        if (step.kind !== 'store' || step.direction === 'remove' || !step.uids.has(3)) return null
        restores += 1
        return restores > 3 ? null : refused(step, 'INUSE')
      },
    }
    await engine.syncOnce()
    const marked = world.account.inbox.messages.filter(({ flags }) => flags.includes('\\Deleted')).map(({ uid }) => uid)
    expect([marked, restores > 0]).toEqual([[1], true])
    world.clock.advance(120_000)
    await engine.syncOnce()
    world.clock.advance(120_000)
    world.bend = {}
    await expectSpared(world, engine, 'busy')
  })

  it('leaves to others what they marked, when the process dies between any two steps', async () => {
    // Verifies: DC-4549-4.2.4c
    for (let at = 0; ; at += 1) {
      expect(at).toBeLessThan(PLACES_MAX)
      const { world, engine } = await withRemovalQueued()
      let step = 0
      const die = (): void => {
        if (step > at) throw new ProcessDied('The process died.')
      }
      world.beforeCommit = die
      world.bend = {
        beforeStep: () => {
          step += 1
          die()
        },
      }
      await engine.syncOnce().catch(() => null)
      world.remote.disconnectAll()
      await engine.close().catch(() => null)
      world.beforeCommit = () => {}
      world.bend = {}
      world.clock.advance(120_000)
      await expectSpared(world, await world.open(), `before step ${at}`)
      if (step <= at) break
    }
  }, 60_000)

  it.each(['cut', 'lose-request', 'lose-answer', 'lose-tail', 'ghost', 'reject'] as const satisfies readonly StepFault[])(
    'leaves to others what they marked, when any step ends so: %s',
    async (fault) => {
      for (let at = 0; ; at += 1) {
        expect(at).toBeLessThan(PLACES_MAX)
        const { world, engine } = await withRemovalQueued()
        let step = 0
        world.remote.fault = () => (step++ === at ? fault : 'pass')
        await expectSpared(world, engine, `${fault} at step ${at}`)
        if (step <= at) break
      }
    },
    60_000,
  )
})
