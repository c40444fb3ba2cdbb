/** Adds up the runs of a campaign, chunk by chunk, and writes what they met as a table: `FILE.md`, with the numbers beside it in `FILE.json`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Coverage, type CoverageTable } from './coverage.ts'
import { TIERS } from './history.ts'

/** One run. Another run that lived through some of the same histories takes its place. */
export interface CampaignChunk {
  readonly firstSeed: number
  /** `all`, or the one that was played. */
  readonly tier: string
  readonly histories: number
  readonly places: number
  readonly undecided: number
  readonly failures: number
  readonly tookMs: number
  readonly coverage: CoverageTable
}

/** @param path without `.md` and `.json` */
export function addToReport(path: string, chunk: CampaignChunk): void {
  const known = existsSync(`${path}.json`) ? (JSON.parse(readFileSync(`${path}.json`, 'utf8')) as readonly CampaignChunk[]) : []
  const chunks = [...known.filter((other) => !overlaps(other, chunk)), chunk]
  writeFileSync(`${path}.json`, `${JSON.stringify(chunks)}\n`)
  writeFileSync(`${path}.md`, reportOf(chunks))
}

function overlaps(one: CampaignChunk, other: CampaignChunk): boolean {
  const isOtherTier = one.tier !== other.tier && one.tier !== 'all' && other.tier !== 'all'
  return !isOtherTier && one.firstSeed <= lastSeedOf(other) && other.firstSeed <= lastSeedOf(one)
}

function lastSeedOf({ firstSeed, histories, tier }: CampaignChunk): number {
  const perSeed = tier === 'all' ? Object.keys(TIERS).length : 1
  return firstSeed + Math.max(1, Math.ceil(histories / perSeed)) - 1
}

/** The document, of all chunks together. */
export function reportOf(chunks: readonly CampaignChunk[]): string {
  const coverage = new Coverage()
  for (const { coverage: table } of chunks) coverage.add(table)
  const sum = (of: (chunk: CampaignChunk) => number): number => chunks.reduce((total, chunk) => total + of(chunk), 0)
  const seeds = chunks.map(({ firstSeed, tier }) => (tier === 'all' ? `${firstSeed}` : `${firstSeed} (${tier})`)).join(', ')
  return `# What the histories met

Written by \`npm run sim -- --report\`, not by hand. What happened, and in how many cases while entries of the replay log stood so; seeds from ${seeds}.

${totals({
  histories: sum(({ histories }) => histories),
  undecided: sum(({ undecided }) => undecided),
  places: sum(({ places }) => places),
  failures: sum(({ failures }) => failures),
  tookMs: sum(({ tookMs }) => tookMs),
})}

${coverage.toMarkdown()}
`
}

/** The sums, as a table. */
export function totals(sums: Omit<CampaignChunk, 'firstSeed' | 'tier' | 'coverage'>): string {
  const count = (number: number): string => number.toLocaleString('en-US')
  const { failures, histories, places, tookMs, undecided } = sums
  const cells = [histories, undecided, places, failures].map(count)
  return `| histories | entries put to the user | places of the crash sweep | harm | minutes |
| ---: | ---: | ---: | ---: | ---: |
| ${cells.join(' | ')} | ${(tookMs / 60_000).toFixed(1)} |`
}
