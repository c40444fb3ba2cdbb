/** Makes a history from a seed: the same seed, the same history. */

import { FAULT_NAMES, type FaultName, isPassing, isRefusal } from './faults.ts'
import type {
  Circumstances,
  History,
  HistoryEvent,
  Interruption,
  Kill,
  KillMoment,
  PlannedFault,
  RivalEvent,
  SyncEvent,
  UserEvent,
} from './history.ts'
import { RIVAL_ACTS } from './rival-acts.ts'
import { USER_ACTS } from './user-acts.ts'
import { SeededRandom } from './virtual-time.ts'

const EVENTS = 25
/** What a server received may be carried out and listed so late: a little earlier than the engine takes it for granted (H-7). */
const LATE_MS_MAX = 1_900
const KILL_MOMENTS: readonly KillMoment[] = ['before commit', 'after commit', 'before step', 'after step', 'late step']

export function writeHistory(seed: number, tier: string, options: { readonly events?: number } = {}): History {
  const random = new SeededRandom(seed)
  const circumstances = drawCircumstances(random, tier)
  const events: HistoryEvent[] = []
  if (circumstances.isLonely) events.push(quietSync(0))
  for (let i = 0; i < (options.events ?? EVENTS); i += 1) events.push(...drawEvent(random, circumstances))
  return { seed, circumstances, events }
}

/** A synchronisation that nothing disturbs. */
export function quietSync(tab: number): SyncEvent {
  return { kind: 'sync', tab, faults: [], meanwhile: [], kill: null, moveStopsAfter: null }
}

function drawCircumstances(random: SeededRandom, tier: string): Circumstances {
  const isLonely = random.chance(0.25)
  const ghostLifeMs = random.pick([50, 150, 1_500])
  return {
    tier,
    tabs: random.chance(0.25) ? 2 : 1,
    latencyMs: random.pick([0, 0, 20, 200]),
    inFlightMax: random.pick([1, 4]),
    ghostLifeMs,
    listingLagMs: !isLonely && random.chance(0.15) ? random.pick([100, 300, LATE_MS_MAX - ghostLifeMs]) : 0,
    isLonely,
    bodies: random.chance(0.1) ? 'text' : 'none',
    isUnbroken: isLonely && random.chance(0.4),
  }
}

function drawEvent(random: SeededRandom, circumstances: Circumstances): HistoryEvent[] {
  const pause: HistoryEvent = { kind: 'wait', delayMs: random.below(5_000) }
  const kind = random.below(20)
  if (kind < 9) return [pause, drawUser(random, circumstances)]
  if (kind < 12) return circumstances.isLonely ? [pause] : [pause, drawRival(random)]
  if (kind < 13 && random.chance(0.5))
    return circumstances.isUnbroken ? [pause] : [{ kind: 'kill', tab: drawTab(random, circumstances) }]
  if (kind < 13) return [{ kind: 'offline', forMs: random.below(5_000) }]
  return [pause, drawSync(random, circumstances, { isNested: false })]
}

function drawSync(random: SeededRandom, circumstances: Circumstances, { isNested }: { readonly isNested: boolean }): SyncEvent {
  const count = random.pick([0, 0, 0, 1, 1, 2, 4])
  const faults = Array.from({ length: count }, (): PlannedFault => drawFault(random, circumstances))
  const tab = drawTab(random, circumstances)
  const meanwhile: Interruption[] = []
  if (!isNested && random.chance(0.3)) {
    for (let i = random.below(3); i >= 0; i -= 1) meanwhile.push(drawInterruption(random, circumstances, tab))
  }
  return {
    kind: 'sync',
    tab,
    faults,
    meanwhile,
    kill: random.chance(0.2) && !circumstances.isUnbroken ? drawKill(random) : null,
    moveStopsAfter: random.chance(0.15) ? random.below(2) : null,
  }
}

function drawFault(random: SeededRandom, { isLonely, isUnbroken }: Circumstances): PlannedFault {
  const isDrawn = (name: FaultName): boolean => (isUnbroken ? isPassing(name) : !isLonely || !isRefusal(name))
  const of = random.pick(['any', 'mutating', 'mutating'] as const)
  return { of, step: drawNumber(random, of === 'any' ? [3, 10, 25] : [1, 2, 5]), fault: random.pick(FAULT_NAMES.filter(isDrawn)) }
}

function drawInterruption(random: SeededRandom, circumstances: Circumstances, tab: number): Interruption {
  const kind = random.below(circumstances.tabs === 2 ? 6 : 3)
  // The user of the same process would wait for the very write that waits for the user.
  const isUser = kind === 2 || (kind === 0 && circumstances.isLonely)
  const after = isUser ? 'step' : random.pick(['step', 'commit'] as const)
  const number = drawNumber(random, after === 'step' ? [3, 10, 20] : [2, 5, 8])
  if (isUser) return { after, number, event: { ...drawUser(random, circumstances), kill: null } }
  if (kind === 0) return { after, number, event: drawRival(random) }
  if (kind === 1) return { after, number, event: { kind: 'wait', delayMs: random.pick([500, 5_000, 100_000]) } }
  return { after, number, event: { ...drawSync(random, circumstances, { isNested: true }), tab: 1 - tab } }
}

function drawUser(random: SeededRandom, circumstances: Circumstances): UserEvent {
  const act = random.pick(USER_ACTS.flatMap(({ name, weight }) => Array.from({ length: weight }, () => name)))
  const kill: Kill | null =
    random.chance(0.03) && !circumstances.isUnbroken
      ? { moment: random.pick(['before commit', 'after commit'] as const), number: 0 }
      : null
  return { kind: 'user', tab: drawTab(random, circumstances), act, seed: random.seedOfOwn(), kill }
}

function drawRival(random: SeededRandom): RivalEvent {
  const act = random.pick(RIVAL_ACTS.flatMap(({ name, weight }) => Array.from({ length: weight }, () => name)))
  return { kind: 'rival', act, seed: random.seedOfOwn() }
}

function drawKill(random: SeededRandom): Kill {
  const moment = random.pick(KILL_MOMENTS)
  return { moment, number: drawNumber(random, moment.endsWith('commit') ? [2, 5, 8] : [2, 6, 12]) }
}

/** Early numbers more often: not every synchronisation has much to do. */
function drawNumber(random: SeededRandom, limits: readonly number[]): number {
  return random.below(random.pick(limits))
}

function drawTab(random: SeededRandom, { tabs }: Circumstances): number {
  return random.below(tabs)
}
