/** A history as data: what happens, in order, each event with a seed of its own, so that any of them can be left out. */

import type { Hold } from '@tidemail/engine'
import type { Extension } from '@tidemail/testing/simulated'
import type { FaultName } from './faults.ts'
import type { RivalActName } from './rival-acts.ts'
import type { UserActName } from './user-acts.ts'

/** The servers that histories happen on, by what they cannot do. */
export const TIERS: Readonly<Record<string, readonly Extension[]>> = {
  qresync: [],
  condstore: ['QRESYNC', 'REPLACE'],
  plain: ['CONDSTORE'],
  'no MOVE': ['MOVE', 'REPLACE'],
  'no UIDPLUS': ['UIDPLUS', 'MOVE'],
  bare: ['CONDSTORE', 'MOVE', 'LIST-STATUS', 'MULTIAPPEND'],
}

/** Where a process can die: around everything that it writes or sends. `late step`: the server carries the step out after the death. */
export type KillMoment = 'before commit' | 'after commit' | 'before step' | 'after step' | 'late step'

/** The process dies at the moment of that name for the nth time, from 0, since the event began. */
export interface Kill {
  readonly moment: KillMoment
  readonly number: number
}

/** Befalls the nth step of a synchronisation, or the nth that changes the server. */
export interface PlannedFault {
  readonly step: number
  readonly of: 'any' | 'mutating'
  readonly fault: FaultName
}

/** Happens when the nth step of a synchronisation has been answered, or the nth write is on the disk, before the engine hears of it. */
export interface Interruption {
  readonly after: 'step' | 'commit'
  readonly number: number
  readonly event: UserEvent | RivalEvent | WaitEvent | SyncEvent
}

export interface UserEvent {
  readonly kind: 'user'
  readonly tab: number
  readonly act: UserActName
  readonly seed: number
  readonly kill: Kill | null
}

export interface RivalEvent {
  readonly kind: 'rival'
  readonly act: RivalActName
  readonly seed: number
}

export interface WaitEvent {
  readonly kind: 'wait'
  readonly delayMs: number
}

export interface SyncEvent {
  readonly kind: 'sync'
  readonly tab: number
  readonly faults: readonly PlannedFault[]
  readonly meanwhile: readonly Interruption[]
  readonly kill: Kill | null
  /** A MOVE that stops part way (RFC 6851 §3.3). */
  readonly moveStopsAfter: number | null
}

export type HistoryEvent =
  | UserEvent
  | RivalEvent
  | WaitEvent
  | SyncEvent
  /** The server cannot be reached for so long. */
  | { readonly kind: 'offline'; readonly forMs: number }
  /** A tab or process ends between two events. */
  | { readonly kind: 'kill'; readonly tab: number }

/** What holds for a whole history. */
export interface Circumstances {
  readonly tier: string
  readonly tabs: 1 | 2
  readonly latencyMs: number
  readonly inFlightMax: number
  /** How long after a connection ended the server still carries out what it had received. */
  readonly ghostLifeMs: number
  /** How long a new message is not listed; 0: not at all. */
  readonly listingLagMs: number
  /** Nobody else is there and the server refuses nothing, or only for now: then the end is exactly what the user saw. */
  readonly isLonely: boolean
  /** No answer is lost and nobody dies; what is refused may be taken the next time: then the flags are what the user saw, too. */
  readonly isUnbroken?: boolean
  readonly bodies: 'none' | 'text'
  /** Which messages are held until the world comes to rest, and then all of them; left out: all of them all the time. */
  readonly hold?: Hold
}

export interface History {
  readonly seed: number
  readonly circumstances: Circumstances
  readonly events: readonly HistoryEvent[]
}

/** One line an event, as a failure shows it. */
export function describeEvent(event: HistoryEvent): string {
  switch (event.kind) {
    case 'user':
      return `user ${event.act} (seed ${event.seed}, tab ${event.tab})${dies(event.kill)}`
    case 'rival':
      return `rival ${event.act} (seed ${event.seed})`
    case 'wait':
      return `wait ${event.delayMs} ms`
    case 'offline':
      return `offline for ${event.forMs} ms`
    case 'kill':
      return `tab ${event.tab} is killed`
    case 'sync': {
      const faults = event.faults.map(({ fault, of, step }) => `; ${fault} at ${of === 'any' ? '' : 'mutating '}step ${step}`)
      const meanwhile = event.meanwhile.map((one) => `; after ${one.after} ${one.number}: ${describeEvent(one.event)}`)
      const stops = event.moveStopsAfter === null ? '' : `; MOVE stops after ${event.moveStopsAfter}`
      return `sync (tab ${event.tab})${faults.join('')}${meanwhile.join('')}${stops}${dies(event.kill)}`
    }
  }
}

function dies(kill: Kill | null): string {
  return kill === null ? '' : `; dies ${kill.moment} ${kill.number}`
}
