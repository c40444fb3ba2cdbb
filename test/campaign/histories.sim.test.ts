/** The share of the simulated histories that every change must pass, and a look at whether they still meet everything that can go wrong. */

import { FAULT_NAMES, RIVAL_ACTS, runCampaign, USER_ACTS } from '@tidemail/simulator'
import { expect, it } from 'vitest'

const RUNS = 2_004

/** Where a process can die, and what else is no fault of a step. */
const MOMENTS = [
  'killed before commit',
  'killed after commit',
  'killed before step',
  'killed after step',
  'killed late step',
  'killed between events',
  'late listing',
  'MOVE stops part way',
  'meanwhile: another tab',
  'meanwhile: rival',
  'meanwhile: user',
  'meanwhile: wait',
  'offline',
]

it(`lives through ${RUNS} histories without harm, and meets every kind of fault while entries wait and while they are sent`, async () => {
  // Verifies: I-SYNC-1, I-SYNC-3, I-SYNC-4, I-LOG-1, I-LOG-2, I-LOG-3, I-STORE-1, I-STORE-2, I-STORE-3, I-NET-2, H-2, H-7, H-8, H-17, H-20
  const { coverage, failures, histories } = await runCampaign({ runs: RUNS, firstSeed: 1, sweepStride: null, workers: 1 })
  expect(failures).toEqual([])
  expect(histories).toBe(RUNS)
  const { table } = coverage
  const happened = (what: string, state: 'queued' | 'sending'): boolean => (table[what]?.[state] ?? 0) > 0
  expect(FAULT_NAMES.filter((what) => !happened(what, 'sending'))).toEqual([])
  const kinds = [
    ...FAULT_NAMES,
    ...MOMENTS,
    ...RIVAL_ACTS.map(({ name }) => `rival: ${name}`),
    ...USER_ACTS.map(({ name }) => `user: ${name}`),
  ]
  expect(kinds.filter((what) => !happened(what, 'queued'))).toEqual([])
})
