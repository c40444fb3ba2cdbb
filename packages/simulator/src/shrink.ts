/** Makes a failing history small: leaves out whatever it fails without. */

import type { History, HistoryEvent } from './history.ts'
import { type Played, playHistory } from './play-history.ts'

/** Histories that are tried; a small one is worth a minute, not an hour. */
const TRIES_MAX = 3_000

/** The smallest history found in which the same check fails first, when played in this way. */
export async function shrinkHistory(played: Played, play: (history: History) => Promise<Played> = playHistory): Promise<Played> {
  const check = played.findings[0]?.check
  let smallest = played
  let tries = 0
  const attempt = async (events: readonly HistoryEvent[]): Promise<boolean> => {
    if (tries >= TRIES_MAX) return false
    tries += 1
    const again = await play({ ...smallest.history, events })
    if (again.findings[0]?.check !== check) return false
    smallest = again
    return true
  }
  for (let size = -1; size !== weightOf(smallest.history) && tries < TRIES_MAX; ) {
    size = weightOf(smallest.history)
    await leaveOutEvents(() => smallest.history.events, attempt)
    await leaveOutParts(() => smallest.history.events, attempt)
  }
  return smallest
}

type Attempt = (events: readonly HistoryEvent[]) => Promise<boolean>

/** Halves first, then quarters, down to single events. */
async function leaveOutEvents(events: () => History['events'], attempt: Attempt): Promise<void> {
  for (let length = Math.ceil(events().length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let at = 0; at < events().length; ) {
      const isGone = await attempt(events().toSpliced(at, length))
      if (!isGone) at += length
    }
  }
}

async function leaveOutParts(events: () => History['events'], attempt: Attempt): Promise<void> {
  for (let at = 0; at < events().length; at += 1) {
    for (let part = 0; ; ) {
      const event = events()[at]
      const smaller = event === undefined ? undefined : simplerForms(event)[part]
      if (smaller === undefined) break
      if (!(await attempt(events().with(at, smaller)))) part += 1
    }
  }
}

/** The event with one thing less. */
function simplerForms(event: HistoryEvent): HistoryEvent[] {
  if (event.kind === 'user') return event.kill === null ? [] : [{ ...event, kill: null }]
  if (event.kind !== 'sync') return []
  return [
    ...event.faults.map((_, i) => ({ ...event, faults: event.faults.toSpliced(i, 1) })),
    ...event.meanwhile.map((_, i) => ({ ...event, meanwhile: event.meanwhile.toSpliced(i, 1) })),
    ...event.meanwhile.flatMap(({ event: inner, ...place }, i) =>
      simplerForms(inner).map((simpler) => ({
        ...event,
        meanwhile: event.meanwhile.with(i, { ...place, event: simpler as typeof inner }),
      })),
    ),
    ...(event.kill === null ? [] : [{ ...event, kill: null }]),
    ...(event.moveStopsAfter === null ? [] : [{ ...event, moveStopsAfter: null }]),
  ]
}

function weightOf({ events }: History): number {
  return events.reduce((sum, event) => sum + 1 + simplerForms(event).length, 0)
}
