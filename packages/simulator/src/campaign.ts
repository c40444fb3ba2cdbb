/** Plays many histories, in all processors if asked, and adds up what happened. */

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { Coverage, type CoverageTable } from './coverage.ts'
import { TIERS } from './history.ts'
import { playHistory } from './play-history.ts'
import { sweepScenario } from './sweep.ts'
import { SWEEP_SCENARIOS } from './sweep-scenarios.ts'
import { writeHistory } from './write-history.ts'

/** Seeds that a worker gets at a time. */
const SEEDS_AT_A_TIME = 50

/** One piece of work; plain data. */
export type Chore =
  | {
      readonly kind: 'histories'
      readonly tier: string
      readonly first: number
      readonly count: number
      readonly stopsAtFailure: boolean
    }
  | { readonly kind: 'sweep'; readonly tier: string; readonly scenario: number; readonly stride: number }

/** Something that went wrong, and how to see it again. */
export interface Failure {
  readonly again: string
  readonly check: string
  readonly what: string
}

export interface ChoreResult {
  readonly played: number
  readonly undecided: number
  readonly failures: readonly Failure[]
  readonly coverage: CoverageTable
}

export interface CampaignOptions {
  /** How many histories, over all tiers. */
  readonly runs: number
  readonly firstSeed: number
  /** Left out: all tiers. */
  readonly tier?: string
  /** Stops when this much real time has passed. */
  readonly msMax?: number
  /** Every so many places of the crash sweep; null: no sweep. */
  readonly sweepStride: number | null
  readonly workers?: number
  /** Nothing more is played once something went wrong. */
  readonly stopsAtFailure?: boolean
  readonly onProgress?: (done: number, total: number) => void
}

export interface CampaignResult {
  readonly histories: number
  readonly places: number
  readonly undecided: number
  readonly failures: readonly Failure[]
  readonly coverage: Coverage
  readonly tookMs: number
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const startedAt = Date.now()
  const chores = choresOf(options)
  const total = choresIn(options)
  let taken = 0
  const coverage = new Coverage()
  const sum = { histories: 0, places: 0, undecided: 0, failures: [] as Failure[] }
  const take = (): Chore | undefined => {
    options.onProgress?.(taken, total)
    const isOver = Date.now() - startedAt > (options.msMax ?? Number.POSITIVE_INFINITY)
    const isEnough = options.stopsAtFailure === true && sum.failures.length > 0
    if (isOver || isEnough) return undefined
    taken += 1
    return chores.next().value ?? undefined
  }
  const give = (chore: Chore, result: ChoreResult): void => {
    sum[chore.kind === 'sweep' ? 'places' : 'histories'] += result.played
    sum.undecided += result.undecided
    sum.failures.push(...result.failures)
    coverage.add(result.coverage)
  }
  const workers = options.workers ?? availableParallelism()
  await Promise.all(
    workers < 2 ? [workHere(take, give)] : Array.from({ length: Math.min(workers, total) }, () => workElsewhere(take, give)),
  )
  return { ...sum, coverage, tookMs: Date.now() - startedAt }
}

export async function doChore(chore: Chore): Promise<ChoreResult> {
  return chore.kind === 'sweep' ? sweepOnce(chore) : playHistories(chore)
}

async function playHistories(chore: Extract<Chore, { kind: 'histories' }>): Promise<ChoreResult> {
  const { count, first, stopsAtFailure, tier } = chore
  const coverage = new Coverage()
  const failures: Failure[] = []
  let undecided = 0
  let played = 0
  for (let seed = first; seed < first + count; seed += 1) {
    const ended = await playHistory(writeHistory(seed, tier))
    played += 1
    coverage.add(ended.coverage)
    undecided += ended.undecided
    const [finding] = ended.findings
    if (finding !== undefined) failures.push({ again: `--seed ${seed} --tier '${tier}'`, ...finding })
    if (stopsAtFailure && finding !== undefined) break
  }
  return { played, undecided, failures, coverage: coverage.table }
}

async function sweepOnce({ scenario, stride, tier }: Extract<Chore, { kind: 'sweep' }>): Promise<ChoreResult> {
  const { count, failures } = await sweepScenario(SWEEP_SCENARIOS[scenario] ?? '', { tier, stride, offset: scenario })
  return {
    played: count,
    undecided: 0,
    failures: failures.map(({ blow, what }) => ({ again: `--scenario ${scenario} --tier '${tier}'`, check: blow, what })),
    coverage: {},
  }
}

/** One after another, for by time there may be more than can be kept. The sweep comes first. */
function* choresOf(options: CampaignOptions): Generator<Chore, undefined> {
  const { firstSeed, stopsAtFailure = false, sweepStride } = options
  const tiers = tiersOf(options)
  if (sweepStride !== null) {
    for (const tier of tiers) {
      for (const [scenario] of SWEEP_SCENARIOS.entries()) yield { kind: 'sweep', tier, scenario, stride: sweepStride }
    }
  }
  const perTier = Math.ceil(options.runs / tiers.length)
  for (let at = 0; at < perTier; at += SEEDS_AT_A_TIME) {
    const count = Math.min(SEEDS_AT_A_TIME, perTier - at)
    for (const tier of tiers) yield { kind: 'histories', tier, first: firstSeed + at, count, stopsAtFailure }
  }
  return undefined
}

function choresIn(options: CampaignOptions): number {
  const tiers = tiersOf(options).length
  const scenarios = options.sweepStride === null ? 0 : SWEEP_SCENARIOS.length
  return tiers * (scenarios + Math.ceil(Math.ceil(options.runs / tiers) / SEEDS_AT_A_TIME))
}

function tiersOf({ tier }: CampaignOptions): readonly string[] {
  return tier === undefined ? Object.keys(TIERS) : [tier]
}

type Take = () => Chore | undefined
type Give = (chore: Chore, result: ChoreResult) => void

async function workHere(take: Take, give: Give): Promise<void> {
  for (let chore = take(); chore !== undefined; chore = take()) give(chore, await doChore(chore))
}

function workElsewhere(take: Take, give: Give): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = fork(new URL('./campaign-worker.ts', import.meta.url))
    let chore = take()
    const next = (): void => {
      if (chore === undefined) worker.disconnect()
      else worker.send(chore)
    }
    worker.on('message', (result: ChoreResult) => {
      if (chore !== undefined) give(chore, result)
      chore = take()
      next()
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      if (chore === undefined) resolve()
      else reject(new Error(`A process of the campaign ended with ${code}.`))
    })
    next()
  })
}
