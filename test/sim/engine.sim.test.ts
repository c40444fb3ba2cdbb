/** A small share of the simulated histories, and all that ever went wrong; test/campaign and `npm run sim` play many more. */

import { describeEvent, type History, playHistory, TIERS, writeHistory } from '@tidemail/simulator'
import { describe, expect, it } from 'vitest'
import regressions from '../../fixtures/sim/regressions.json' with { type: 'json' }

const RUNS = Number(process.env['TIDEMAIL_SIM_RUNS'] ?? 20)
const FIRST_SEED = Number(process.env['TIDEMAIL_SIM_SEED'] ?? 5_000)

async function livesWell(history: History): Promise<void> {
  const { findings, story } = await playHistory(history)
  expect(findings, `${history.events.map(describeEvent).join('\n')}\n---\n${story.join('\n')}`).toEqual([])
}

describe.each(Object.keys(TIERS))('simulated histories, %s', (tier) => {
  it(`converge without loss, repetition or resurrection, from seed ${FIRST_SEED}, ${RUNS} times`, async () => {
    // Verifies: I-SYNC-1, I-SYNC-3, I-LOG-1, I-LOG-2, I-LOG-3, I-STORE-1, I-STORE-2, I-STORE-3, I-NET-2, H-1, H-2, H-7, H-8, H-9
    // Verifies: DC-4549-2.1, DC-4549-5.1-1a, DC-4549-5.1-1b, DC-4549-5.2-1, FIELD-14
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) await livesWell(writeHistory(seed, tier))
  })
})

it.each(regressions)('a history that went wrong once goes well: $was', async ({ history }) => {
  await livesWell(history as History)
})
