/** Simulated histories in which only some messages are held, until the world comes to rest: then all of them are, and everything is as it should be. */

import type { Hold } from '@tidemail/engine'
import { describeEvent, playHistory, TIERS, writeHistory } from '@tidemail/simulator'
import { describe, expect, it } from 'vitest'

const RUNS = Number(process.env['TIDEMAIL_SIM_RUNS'] ?? 6)
const FIRST_SEED = Number(process.env['TIDEMAIL_SIM_SEED'] ?? 7_000)
const HOLDS: readonly Hold[] = [{ lastMessages: 1 }, { lastMessages: 3 }, 'new-only', { lastDays: 1 }]

describe.each(Object.keys(TIERS))('simulated histories with windows, %s', (tier) => {
  // Verifies: I-SYNC-1, I-SYNC-2, I-SYNC-3, I-STORE-1, I-STORE-2, I-STORE-3
  it.each(HOLDS)(`lose nothing, holding %j, from seed ${FIRST_SEED}, ${RUNS} times`, async (hold) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
      const { circumstances, ...history } = writeHistory(seed, tier)
      const { findings, story } = await playHistory({ ...history, circumstances: { ...circumstances, hold } })
      expect(findings, `seed ${seed}\n${history.events.map(describeEvent).join('\n')}\n---\n${story.join('\n')}`).toEqual([])
    }
  })
})
