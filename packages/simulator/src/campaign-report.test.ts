import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addToReport, type CampaignChunk } from './campaign-report.ts'

const CHUNK: CampaignChunk = {
  firstSeed: 1,
  tier: 'all',
  histories: 600,
  places: 10,
  undecided: 3,
  failures: 0,
  tookMs: 60_000,
  coverage: { cut: { queued: 900, sending: 2 }, BAD: { queued: 1 } },
}

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function reportOf(...chunks: readonly Partial<CampaignChunk>[]): string {
  const path = join(folder, 'coverage')
  for (const chunk of chunks) addToReport(path, { ...CHUNK, ...chunk })
  return readFileSync(`${path}.md`, 'utf8')
}

it('adds up chunks, each once, and writes them as a table', () => {
  const written = reportOf(
    {},
    { firstSeed: 601, coverage: { cut: { queued: 200 } } },
    { firstSeed: 601, coverage: { cut: { queued: 100, parked: 4 } } },
  )
  expect(written).toContain('| 1,200 | 6 | 20 | 0 | 2.0 |')
  expect(written).toContain('| cut | 0 | 1,000 | 2 | 0 | 0 | 0 | 4 |')
  expect(written).toContain('| BAD | 0 | 1 | 0 | 0 | 0 | 0 | 0 |')
})

it.each<[string, Partial<CampaignChunk>, string]>([
  ['takes the place of runs whose histories are among its own', { histories: 1_200 }, '1,200'],
  ['takes the place of a longer run', { firstSeed: 150, histories: 6 }, '606'],
  ['takes the place of a run on all servers', { firstSeed: 200, histories: 1, tier: 'bare' }, '601'],
  ['adds to runs of other histories', { firstSeed: 201 }, '1,800'],
])('a run %s', (_, chunk, histories) => {
  expect(reportOf({}, { firstSeed: 101 }, chunk)).toContain(`| ${histories} | `)
})

it('adds runs on single servers from the same seed', () => {
  expect(reportOf({ tier: 'bare' }, { tier: 'plain' })).toContain('| 1,200 | ')
})
