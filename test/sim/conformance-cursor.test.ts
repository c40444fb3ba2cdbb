/** The cursor of a mailbox and the rows that it stands for: a process that dies at any commit leaves no cursor that is ahead of what is held. */

import { UidSet } from '@tidemail/core'
import { MemoryMessageStore } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { type Death, dyingStore } from './dying-store.ts'
import { ME } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'
import { ReviewWorld } from './review/review-world.ts'

const TIERS = [
  ['qresync', []],
  ['condstore', ['QRESYNC']],
  ['plain', ['QRESYNC', 'CONDSTORE']],
] as const
/** More commits than a pass of this size has. */
const COMMITS_MAX = 60

function rivalActs(world: ReviewWorld): void {
  const { inbox } = world.account
  inbox.store(UidSet.parse('1,3'), { direction: 'add', flags: ['\\Flagged'] })
  inbox.remove(UidSet.of(2))
  world.arrive('INBOX', 2)
  world.arrive('Archive', 1)
}

/** What a new process finds on the disk. */
async function expectWholeCursors(world: ReviewWorld): Promise<void> {
  const store = new MemoryMessageStore({ disk: world.disk })
  for (const mailbox of await store.planning.mailboxes(ME.id)) {
    const covered = mailbox.checkpoint?.covered ?? UidSet.EMPTY
    const rows = await store.planning.flags(mailbox.id, covered)
    expect(`${UidSet.from(rows.map(({ uid }) => uid))}`).toBe(`${covered}`)
  }
  await store.close()
}

/** Synchronises in a process that dies so; whether it did. */
async function dieWhileSynchronising(world: ReviewWorld, death: Death): Promise<boolean> {
  const store = dyingStore(world.store(), death)
  const engine = await world.open({ store }).catch(() => null)
  await engine?.syncOnce().catch(() => {})
  await engine?.close().catch(() => {})
  return store.hasDied
}

describe.each(TIERS)('a process that dies at a commit, in the tier %s', (_, without) => {
  it.each(['before', 'after'] as const)('leaves a cursor and the rows of it together, where it dies %s it', async (moment) => {
    // Verifies: FIELD-6, I-STORE-1
    let deaths = 0
    for (let atCommit = 0; atCommit < COMMITS_MAX; atCommit += 1) {
      const world = new ReviewWorld({ without })
      world.arrive('INBOX', 4)
      const first = await world.open()
      expect(await world.settle(first)).toBe('done')
      await first.close()
      rivalActs(world)
      const hasDied = await dieWhileSynchronising(world, { atCommit, moment })
      await expectWholeCursors(world)
      const next = await world.open()
      expect(await world.settle(next)).toBe('done')
      expect(await storeForm(world.store(), ME.id), `${moment} commit ${atCommit}`).toEqual(serverForm(world.account))
      await next.close()
      if (!hasDied) break
      deaths += 1
    }
    expect(deaths).toBeGreaterThan(2)
    expect(deaths).toBeLessThan(COMMITS_MAX)
  })
})
