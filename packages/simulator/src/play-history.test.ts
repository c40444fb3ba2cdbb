import { describe, expect, it } from 'vitest'
import { playHistory } from './play-history.ts'
import { readScenario } from './scenario.ts'
import { SWEEP_SCENARIOS } from './sweep-scenarios.ts'
import { writeHistory } from './write-history.ts'

describe('a history', () => {
  it.each(['qresync', 'bare'])('goes the same way each time it is played, %s', async (tier) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const [once, again] = [await playHistory(writeHistory(seed, tier)), await playHistory(writeHistory(seed, tier))]
      expect(again.story).toEqual(once.story)
      expect(once.story.length).toBeGreaterThan(10)
    }
  })

  it('keeps its meaning when events are left out', async () => {
    const history = writeHistory(3, 'condstore')
    for (let i = 0; i < history.events.length; i += 5) {
      const played = await playHistory({ ...history, events: history.events.toSpliced(i, 5) })
      expect(played.findings).toEqual([])
    }
  })
})

it('reads every scenario of the sweep', () => {
  expect(SWEEP_SCENARIOS.length).toBeGreaterThanOrEqual(25)
  for (const text of SWEEP_SCENARIOS) expect(readScenario(text).events.length).toBeGreaterThan(1)
  expect(() => readScenario('server INBOX: a\nuser | dance a\nend INBOX: a')).toThrow('dance')
  expect(() => readScenario('server INBOX: a\nuser | flag a +seen')).toThrow('end')
})
