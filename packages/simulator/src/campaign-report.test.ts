import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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

it('adds up chunks, each once, and writes them as a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'))
  try {
    const path = join(folder, 'coverage')
    addToReport(path, CHUNK)
    addToReport(path, { ...CHUNK, firstSeed: 601, coverage: { cut: { queued: 200 } } })
    addToReport(path, { ...CHUNK, firstSeed: 601, coverage: { cut: { queued: 100, parked: 4 } } })
    const written = readFileSync(`${path}.md`, 'utf8')
    expect(written).toContain('| 1,200 | 6 | 20 | 0 | 2.0 |')
    expect(written).toContain('| cut | 0 | 1,000 | 2 | 0 | 0 | 0 | 4 |')
    expect(written).toContain('| BAD | 0 | 1 | 0 | 0 | 0 | 0 | 0 |')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
