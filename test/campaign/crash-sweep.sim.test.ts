/** The crash sweep: every scenario on every server, disturbed at a share of its writes and steps; all of them with TIDEMAIL_CAMPAIGN=all. */

import { playScenario, readScenario, SWEEP_SCENARIOS, sweepLine, TIERS } from '@tidemail/simulator'
import { describe, expect, it } from 'vitest'

const STRIDE = process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 9 : 1

describe.each(Object.keys(TIERS))('the crash sweep, %s', (tier) => {
  it.each(SWEEP_SCENARIOS.map((line, number) => ({ line, number })))('ends the same: $line', async ({ line, number }) => {
    // Verifies: I-SYNC-3, I-SYNC-5, I-LOG-1, I-LOG-3, H-2, H-20
    const { count, failures } = await sweepLine(line, { tier, stride: STRIDE, offset: number })
    expect(failures.map(({ blow, story, what }) => `${blow}\n${what}\n${story.join('\n')}`)).toEqual([])
    expect(count).toBeGreaterThan(1)
  })
})

it.each(SWEEP_SCENARIOS)('ends the same on every server: %s', async (line) => {
  // Verifies: I-SYNC-5
  const ends: string[] = []
  for (const tier of Object.keys(TIERS)) {
    const { content, findings, parkedFor } = await playScenario(readScenario(line), tier, null)
    expect(findings, tier).toEqual([])
    ends.push(JSON.stringify({ content, parkedFor }))
  }
  expect([...new Set(ends)]).toEqual(ends.slice(0, 1))
})
