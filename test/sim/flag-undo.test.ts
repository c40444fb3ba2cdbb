/** What an undo of a change of flags takes back is what the change did, in whatever steps and however often it was sent (H-3). */

import { type AccountId, type ClaimRecord, type Flag, type MessageReference, type MessageStore, UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { MemoryMessageStore } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { flagsOf, idOf, ReviewWorld, referencesIn, refused } from './review/review-world.ts'

interface Lab {
  readonly world: ReviewWorld
  readonly engine: MailEngine
  readonly messages: readonly MessageReference[]
}

/** Messages in INBOX, of which the first has the flags. */
async function lab(count: number, flags: readonly Flag[] = [], store?: MessageStore): Promise<Lab> {
  const world = new ReviewWorld()
  world.arrive('INBOX', count)
  if (flags.length > 0) world.account.open('INBOX').store(UidSet.of(1), { direction: 'add', flags })
  const engine = await world.open(store === undefined ? {} : { store })
  expect(await world.settle(engine)).toBe('done')
  return { world, engine, messages: (await referencesIn(world, engine, 'INBOX')).toReversed() }
}

async function synchronise({ engine, world }: Lab): Promise<void> {
  expect(await world.settle(engine)).toBe('done')
}

describe.each(['sent together', 'sent one after the other'])('of changes on the same messages that are %s', (how) => {
  // Verifies: H-3
  const between = async (one: Lab): Promise<void> => {
    if (how === 'sent one after the other') await synchronise(one)
  }

  it('the undo of the second leaves what the first had done', async () => {
    const one = await lab(2)
    await one.engine.flag(one.messages.slice(0, 1), { add: ['\\Seen'] }).accepted
    await between(one)
    const second = one.engine.flag(one.messages, { add: ['\\Seen'] })
    await second.accepted
    await synchronise(one)
    await second.undo()
    await synchronise(one)
    expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Seen', ''])
  })

  it('the undo of the second brings back what the first had done', async () => {
    const one = await lab(1)
    await one.engine.flag(one.messages, { add: ['\\Seen'] }).accepted
    await between(one)
    const second = one.engine.flag(one.messages, { remove: ['\\Seen'] })
    await second.accepted
    await synchronise(one)
    await second.undo()
    await synchronise(one)
    expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Seen'])
  })

  it('the undo of both leaves what had been there before', async () => {
    const one = await lab(1, ['\\Seen'])
    const first = one.engine.flag(one.messages, { add: ['\\Seen'] })
    await first.accepted
    await between(one)
    const second = one.engine.flag(one.messages, { remove: ['\\Seen'] })
    await second.accepted
    await synchronise(one)
    await second.undo()
    await synchronise(one)
    await first.undo().catch(() => {})
    await synchronise(one)
    expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Seen'])
  })
})

describe('the undo of a change of flags', () => {
  // Verifies: H-3
  it('leaves alone what had the flag before, though it was sent under the name of before a move', async () => {
    const one = await lab(2, ['\\Seen'])
    await one.engine.move(one.messages, await idOf(one.engine, 'Archive')).accepted
    const change = one.engine.flag(await referencesIn(one.world, one.engine, 'Archive'), { add: ['\\Seen'] })
    await change.accepted
    await synchronise(one)
    await change.undo()
    await synchronise(one)
    expect(flagsOf(one.world.account, 'Archive')).toEqual(['\\Seen', ''])
  })

  it('leaves alone what had the flag before, though the message got another name while a part of the change was refused', async () => {
    const one = await lab(1, ['\\Seen'])
    one.world.arrive('Archive', 3)
    await synchronise(one)
    let refusals = 0
    one.world.bend = {
      answer: (step) => {
        if (step.kind !== 'store' || step.direction === 'add' || refusals > 0) return null
        refusals += 1
        return refused(step, 'INUSE')
      },
    }
    const change = one.engine.flag(one.messages, { add: ['\\Seen'], remove: ['\\Draft'] })
    await change.accepted
    await one.engine.move(one.messages, await idOf(one.engine, 'Archive')).accepted
    await synchronise(one)
    await change.undo().catch(() => {})
    await synchronise(one)
    expect(flagsOf(one.world.account, 'Archive')).toEqual(['', '', '', '\\Seen'])
  })

  it.each([Number.POSITIVE_INFINITY, 2])(
    'on a condition, of two steps, takes both back: with %d stores taken before one is refused',
    async (taken) => {
      const one = await lab(1, ['\\Seen'])
      let stores = 0
      one.world.bend = {
        answer: (step) => {
          if (step.kind === 'store') stores += 1
          return step.kind === 'store' && stores > taken ? refused(step, 'INUSE') : null
        },
      }
      const change = one.engine.flag(one.messages, { add: ['\\Flagged'], remove: ['\\Seen'], when: 'unchanged' })
      await change.accepted
      await one.engine.syncOnce()
      one.world.bend = {}
      await change.undo()
      await synchronise(one)
      expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Seen'])
    },
  )

  it('takes back what was done before the connection ended, though the rest was never sent', async () => {
    const one = await lab(1, ['$Work'])
    let stores = 0
    one.world.remote.fault = (step) => {
      if (step.kind === 'store') stores += 1
      return step.kind === 'store' && stores === 2 ? 'cut' : 'pass'
    }
    const change = one.engine.flag(one.messages, { add: ['\\Flagged'], remove: ['$Work'] })
    await change.accepted
    await one.engine.syncOnce().catch(() => null)
    await change.undo()
    await synchronise(one)
    expect([stores > 1, flagsOf(one.world.account, 'INBOX')]).toEqual([true, ['$Work']])
  })

  it('is made though the change is settled while the undo looks at it', async () => {
    const store = new MemoryMessageStore()
    const one = await lab(2, ['\\Seen'], store)
    const change = one.engine.flag(one.messages, { add: ['\\Seen'] })
    await change.accepted
    const claims = store.planning.claims.bind(store.planning)
    let undone: Promise<unknown> = Promise.resolve()
    const looking = (): Promise<void> =>
      new Promise((resolve) => {
        const onceSettled = async (account: AccountId): Promise<readonly ClaimRecord[]> => {
          Object.assign(store.planning, { claims })
          resolve()
          await change.settled
          return claims(account)
        }
        Object.assign(store.planning, { claims: onceSettled })
        undone = change.undo()
      })
    one.world.bend = { beforeStep: (step) => (step.kind === 'store' ? looking() : undefined) }
    await synchronise(one)
    one.world.bend = {}
    expect(await undone).toMatchObject([{ kind: 'compensated' }])
    await synchronise(one)
    expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Seen', ''])
  })
})

it('a change on a condition that is sent alone is not overtaken by the next one on the same condition', async () => {
  // Verifies: H-4, I-LOG-2
  const one = await lab(1, ['\\Seen'])
  let refusals = 0
  one.world.bend = {
    answer: (step) => {
      if (step.kind !== 'store' || refusals > 0) return null
      refusals += 1
      return refused(step, 'INUSE')
    },
  }
  await one.engine.flag(one.messages, { add: ['\\Flagged'], remove: ['\\Seen'], when: 'unchanged' }).accepted
  await one.engine.flag(one.messages, { add: ['\\Seen'], when: 'unchanged' }).accepted
  await synchronise(one)
  expect(flagsOf(one.world.account, 'INBOX')).toEqual(['\\Flagged \\Seen'])
})
