/** The command line of the simulator: `npm run sim -- --seed N`, `--runs N`, `--minutes N`, `--sweep`. */

import { parseArgs } from 'node:util'
import { type CampaignResult, runCampaign } from './campaign.ts'
import { addToReport, totals } from './campaign-report.ts'
import { describeEvent, TIERS } from './history.ts'
import { type Played, playHistory } from './play-history.ts'
import { shrinkHistory } from './shrink.ts'
import { sweepScenario } from './sweep.ts'
import { SWEEP_SCENARIOS } from './sweep-scenarios.ts'
import { writeHistory } from './write-history.ts'

const USAGE = `npm run sim -- [options]
  --runs N        plays N histories over all tiers (2,000)
  --minutes N     stops after N minutes
  --seed N        the first seed; without --runs and --minutes that history alone, shrunk if it fails
  --tier NAME     ${Object.keys(TIERS).join(', ')}
  --sweep         the whole crash sweep too; --sweep-stride N: every Nth place
  --scenario N    the whole crash sweep of one scenario
  --workers N     processes (one a processor)
  --report FILE   writes what was met to FILE.md, added to what earlier runs wrote there (FILE.json)
  --first         stops at the first that fails
  --story         prints what happened in the history of --seed, also when it ends well`

const RUNS = 2_000
const FAILURES_SHOWN_MAX = 20

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    tier: { type: 'string' },
    sweep: { type: 'boolean', default: false },
    'sweep-stride': { type: 'string', default: '1' },
    scenario: { type: 'string' },
    workers: { type: 'string' },
    report: { type: 'string' },
    first: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  if (values.scenario !== undefined) return sweepOne(Number(values.scenario))
  if (values.seed !== undefined && values.runs === undefined && values.minutes === undefined) return playOne(Number(values.seed))
  return campaign()
}

async function playOne(seed: number): Promise<number> {
  let failed = 0
  for (const tier of values.tier === undefined ? Object.keys(TIERS) : [values.tier]) {
    const played = await playHistory(writeHistory(seed, tier))
    if (values.story) console.log(played.story.join('\n'))
    console.log(`${tier}: ${played.findings.length === 0 ? 'well' : 'FAILED'}`)
    if (played.findings.length === 0) continue
    failed += 1
    tell(await shrinkHistory(played))
  }
  return failed === 0 ? 0 : 1
}

function tell({ findings, history, story }: Played): void {
  console.log(`\nseed ${history.seed}, ${JSON.stringify(history.circumstances)}`)
  for (const { check, what } of findings) console.log(`${check}: ${what}`)
  console.log(`\nthe history, shrunk to ${history.events.length} events:`)
  for (const event of history.events) console.log(`  ${describeEvent(event)}`)
  console.log(`\nas data, for fixtures/sim/regressions.json:\n${JSON.stringify(history)}`)
  console.log(`\nwhat happened:\n${story.join('\n')}\n`)
}

async function sweepOne(number: number): Promise<number> {
  const scenario = SWEEP_SCENARIOS[number] ?? ''
  console.log(scenario)
  let failed = 0
  for (const tier of values.tier === undefined ? Object.keys(TIERS) : [values.tier]) {
    const { count, failures } = await sweepScenario(scenario, { tier, stride: Number(values['sweep-stride']), offset: 0 })
    console.log(`${tier}: ${count} places, ${failures.length} failures`)
    for (const { blow, story, what } of failures) console.log(`\n${blow}\n${what}\n${story.join('\n')}`)
    failed += failures.length
  }
  return failed === 0 ? 0 : 1
}

async function campaign(): Promise<number> {
  const isTimed = values.minutes !== undefined
  const result = await runCampaign({
    runs: Number(values.runs ?? (isTimed ? Number.MAX_SAFE_INTEGER : RUNS)),
    firstSeed: Number(values.seed ?? 1),
    sweepStride: values.sweep ? Number(values['sweep-stride']) : null,
    ...(values.tier === undefined ? {} : { tier: values.tier }),
    ...(isTimed ? { msMax: Number(values.minutes) * 60_000 } : {}),
    stopsAtFailure: values.first,
    ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
    onProgress: (done, total) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total}`)
    },
  })
  report(result)
  return result.failures.length === 0 ? 0 : 1
}

function report({ coverage, failures, ...numbers }: CampaignResult): void {
  const sums = { ...numbers, failures: failures.length }
  console.log(`${totals(sums)}\n\n${coverage.toMarkdown()}`)
  if (values.report !== undefined) {
    const firstSeed = Number(values.seed ?? 1)
    addToReport(values.report, { ...sums, firstSeed, tier: values.tier ?? 'all', coverage: coverage.table })
  }
  for (const { again, check, what } of failures.slice(0, FAILURES_SHOWN_MAX))
    console.log(`\nFAILED: npm run sim -- ${again}\n${check}: ${what}`)
  if (failures.length > FAILURES_SHOWN_MAX) console.log(`\nand ${failures.length - FAILURES_SHOWN_MAX} more`)
}
