/** The crash sweep: every scenario on every server, disturbed at a share of its writes and steps; all of them with TIDEMAIL_CAMPAIGN=all. */

import { SWEEP_SCENARIOS, sweepScenario, TIERS } from '@tidemail/simulator'
import { describe, expect, it } from 'vitest'

const STRIDE = process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 9 : 1

describe.each(Object.keys(TIERS))('the crash sweep, %s', (tier) => {
  it.each(SWEEP_SCENARIOS.map((scenario, number) => ({ number, scenario, title: scenario.replaceAll(/\s+/g, ' ') })))(
    'ends as it must: $title',
    async ({ number, scenario }) => {
      // Verifies: I-SYNC-3, I-SYNC-5, I-LOG-1, I-LOG-3, H-2, H-20
      const { count, failures } = await sweepScenario(scenario, { tier, stride: STRIDE, offset: number })
      expect(failures.map(({ blow, story, what }) => `${blow}\n${what}\n${story.join('\n')}`)).toEqual([])
      expect(count).toBeGreaterThan(1)
    },
  )
})
