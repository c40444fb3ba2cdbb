/** The crash sweep: each scenario as it is, then disturbed at every write and every step; the end must be the same. */

import type { FaultName } from './faults.ts'
import { type KillMoment, type PlannedFault, TIERS } from './history.ts'
import { type Blow, type PlayedScenario, playScenario } from './play-scenario.ts'
import { readScenario, type Scenario } from './scenario.ts'
import { describeEnd, isSameEnd } from './scenario-end.ts'

const KILLS: readonly KillMoment[] = ['before commit', 'after commit', 'before step', 'after step', 'late step']
/** What befalls the connection while the process lives on. */
const CUTS: readonly FaultName[] = ['cut', 'lost request', 'lost answer', 'lost tail', 'ghost', 'half-open, executed']
/** What befalls a step that changes the server: a refused look would only tell later what others did. */
const REFUSAL: FaultName = 'NO [INUSE]'

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
  if (plain.findings.length > 0 || describeEnd(plain.end) !== scenario.end)
    failures.push(failure('undisturbed', plain, scenario.end))
  const allowed = { hasUidplus: TIERS[tier]?.includes('UIDPLUS') === true, submitted: submittedIn(scenario) }
  const blows = blowsOf(scenario, plain).filter((_, i) => i % stride === offset % stride)
  for (const blow of blows) {
    const played = await playScenario(scenario, tier, blow)
    if (played.findings.length > 0 || !isSameEnd(played.end, plain.end, allowed))
      failures.push(failure(describe(scenario, blow), played, scenario.end))
  }
  return { count: blows.length, failures }
}

/** Every place at which the undisturbed run could have been disturbed. */
function blowsOf(scenario: Scenario, plain: PlayedScenario): Blow[] {
  return scenario.events.flatMap(({ by }, event): Blow[] => {
    const passed = plain.passed[event]
    if (by === 'rival' || passed === undefined) return []
    const kills = KILLS.flatMap((moment) =>
      numbers(passed[moment]).map((number) => ({ event, disturbance: { faults: [], meanwhile: [], kill: { moment, number } } })),
    )
    const at = (of: PlannedFault['of'], step: number, fault: FaultName): Blow => ({
      event,
      disturbance: { faults: [{ of, step, fault }], meanwhile: [], kill: null },
    })
    const cuts = CUTS.flatMap((fault) => numbers(passed['before step']).map((step) => at('any', step, fault)))
    const refusals = numbers(passed.mutations).map((step) => at('mutating', step, REFUSAL))
    return [...kills, ...cuts, ...refusals]
  })
}

function submittedIn({ events }: Scenario): string[] {
  return events.flatMap((event) => (event.by === 'user' && event.act.verb === 'submit' ? event.act.names : []))
}

function failure(blow: string, { end, findings, story }: PlayedScenario, wanted: string): SweepFailure {
  const found = findings.map(({ check, what }) => `${check}: ${what}`)
  const what = found.length > 0 ? found.join('\n') : `ends as    ${describeEnd(end)}\ninstead of ${wanted}`
  return { blow, what, story }
}

function describe(scenario: Scenario, { disturbance: { faults, kill }, event }: Blow): string {
  const what =
    kill === null
      ? faults.map(({ fault, of, step }) => `${fault} at ${of === 'any' ? '' : 'mutating '}step ${step}`).join()
      : `${kill.moment} ${kill.number}`
  return `${what} of event ${event} (${scenario.events[event]?.text})`
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
