/** The crash sweep: each scenario as it is, then disturbed at every write and every step; the end must be the same. */

import type { FaultName } from './faults.ts'
import { type KillMoment, TIERS } from './history.ts'
import { type Blow, describeEnd, playScenario, type ScenarioEnd } from './play-scenario.ts'
import { readScenario, type Scenario } from './scenario.ts'

const KILLS: readonly KillMoment[] = ['before commit', 'after commit', 'before step', 'after step', 'late step']
/** What befalls the connection while the process lives on. */
const CUTS: readonly FaultName[] = ['cut', 'lost request', 'lost answer', 'lost tail', 'ghost', 'half-open, executed']

export interface SweepOptions {
  readonly tier: string
  /** Only every so many of the places, from `offset`. */
  readonly stride: number
  readonly offset: number
}

export interface SweptScenario {
  /** Places at which it was disturbed. */
  readonly count: number
  readonly failures: readonly SweepFailure[]
}

export interface SweepFailure {
  readonly blow: string
  readonly what: string
  readonly story: readonly string[]
}

export async function sweepScenario(text: string, { offset, stride, tier }: SweepOptions): Promise<SweptScenario> {
  const scenario = readScenario(text)
  const plain = await playScenario(scenario, tier, null)
  const failures: SweepFailure[] = []
  if (plain.findings.length > 0 || describeEnd(plain) !== scenario.end) failures.push(failure('undisturbed', plain, scenario.end))
  const blows = blowsOf(scenario, plain).filter((_, i) => i % stride === offset % stride)
  for (const blow of blows) {
    const end = await playScenario(scenario, tier, blow)
    if (end.findings.length > 0 || !isSameEnd(end, plain, scenario, tier))
      failures.push(failure(describe(scenario, blow), end, scenario.end))
  }
  return { count: blows.length, failures }
}

/** Every place at which the undisturbed run could have been disturbed. */
function blowsOf(scenario: Scenario, plain: ScenarioEnd): Blow[] {
  return scenario.events.flatMap(({ by }, event): Blow[] => {
    const passed = plain.passed[event]
    if (by === 'rival' || passed === undefined) return []
    const kills = KILLS.flatMap((moment) =>
      numbers(passed[moment]).map((number) => ({ event, disturbance: { faults: [], meanwhile: [], kill: { moment, number } } })),
    )
    const cuts = CUTS.flatMap((fault) =>
      numbers(passed['before step']).map((step) => ({
        event,
        disturbance: { faults: [{ of: 'any' as const, step, fault }], meanwhile: [], kill: null },
      })),
    )
    return [...kills, ...cuts]
  })
}

/**
 * The same messages with the same flags in the same mailboxes, or only more that is shown as uncertain (I-SYNC-3): with UIDPLUS nothing but submissions
 * ({@link ParkedChecks}), of which the copies may be missing then.
 */
function isSameEnd(end: ScenarioEnd, plain: ScenarioEnd, { events }: Scenario, tier: string): boolean {
  const certain = end.parkedFor.filter((reason) => reason !== 'uncertain')
  if (certain.join() !== plain.parkedFor.filter((reason) => reason !== 'uncertain').join()) return false
  if (end.parkedFor.length === plain.parkedFor.length) return end.content === plain.content
  if (TIERS[tier]?.includes('UIDPLUS') === true) return true
  const submitted = events.flatMap((event) => (event.by === 'user' && event.act.verb === 'submit' ? event.act.names : []))
  return withoutMessages(end.content, submitted) === withoutMessages(plain.content, submitted)
}

/** Mailboxes that hold nothing else are left out too. */
function withoutMessages(content: string, names: readonly string[]): string {
  const boxes = content.split('; ').map((box) => {
    const [path = '', messages = ''] = box.split(': ')
    return { path, left: messages.split(',').filter((message) => !names.includes(message.split('+')[0] ?? '')) }
  })
  return boxes
    .filter(({ left }) => left.length > 0)
    .map(({ left, path }) => `${path}: ${left.join(',')}`)
    .join('; ')
}

function failure(blow: string, end: ScenarioEnd, wanted: string): SweepFailure {
  const found = end.findings.map(({ check, what }) => `${check}: ${what}`)
  const what = found.length > 0 ? found.join('\n') : `ends as    ${describeEnd(end)}\ninstead of ${wanted}`
  return { blow, what, story: end.story }
}

function describe(scenario: Scenario, { disturbance: { faults, kill }, event }: Blow): string {
  const what =
    kill === null ? faults.map(({ fault, step }) => `${fault} at step ${step}`).join() : `${kill.moment} ${kill.number}`
  return `${what} of event ${event} (${scenario.events[event]?.text})`
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
