import { expect, it } from 'vitest'
import type { History } from './history.ts'
import { type Played, playHistory } from './play-history.ts'
import { shrinkHistory } from './shrink.ts'
import { writeHistory } from './write-history.ts'

/** Plays the history, and complains of every removal. */
async function playWithPlantedCheck(history: History): Promise<Played> {
  const played = await playHistory(history)
  const removal = played.story.find((line) => line.startsWith('  > expunge '))
  return removal === undefined ? played : { ...played, findings: [{ check: 'planted', what: removal }] }
}

it('leaves out of a failing history whatever it fails without', async () => {
  const found = await playWithPlantedCheck(writeHistory(3, 'qresync'))
  expect(found.findings.map(({ check }) => check)).toEqual(['planted'])
  expect(found.history.events.length).toBeGreaterThan(30)
  const { findings, history } = await shrinkHistory(found, playWithPlantedCheck)
  expect(findings.map(({ check }) => check)).toEqual(['planted'])
  expect(history.events.length).toBeLessThanOrEqual(3)
  for (const event of history.events) {
    if (event.kind === 'sync') expect(event).toMatchObject({ faults: [], meanwhile: [], kill: null, moveStopsAfter: null })
  }
})
