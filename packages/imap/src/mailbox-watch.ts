/** Waits for news, a turn at a time: of all that is asked for by NOTIFY (RFC 5465), else of one mailbox by IDLE (RFC 2177) or NOOP. */

import {
  type Clock,
  can,
  type Observation,
  type OpenStep,
  type StatusSeen,
  WATCH_RENEWAL_MS,
  type WatchRequest,
  type WatchWay,
} from '@tidemail/core'
import { idle, poll } from './idle.ts'
import type { Notices } from './notices.ts'
import { PlanRun } from './plan-run.ts'
import type { Selection } from './selection.ts'
import type { SessionState } from './session-state.ts'
import type { Wire } from './wire.ts'

export interface WatchOptions {
  readonly wire: Wire
  readonly state: SessionState
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly notices: Notices
  readonly watch: WatchState
  /** Whether somebody else waits for the connection. */
  readonly isWanted: () => boolean
}

/** What is kept from one turn to the next. */
export interface WatchState {
  /** What there is to know at the start was told, and nobody else has used the connection since. */
  isReady: boolean
  /** Something has changed in the open mailbox. */
  hasStirred: boolean
  /** The server refused to idle. */
  refusesIdle: boolean
}

/** What a turn has to tell; `isOver` when the mailbox cannot be opened. */
export interface WatchTurn {
  readonly told: readonly Observation[]
  readonly isOver: boolean
}

/** One turn makes ready or waits, so that nobody is told anything while the connection is held. */
export async function watchTurn(request: WatchRequest, options: WatchOptions): Promise<WatchTurn> {
  const way = readyWay(request, options)
  if (way === null) return makeReady(request, options)
  await wait(way, request.renewalMs ?? WATCH_RENEWAL_MS, options)
  const { notices, signal, state, watch, isWanted } = options
  const path = state.selection?.mailbox.path ?? request.path
  const told: Observation[] = [...notices.take(), ...(watch.hasStirred ? [{ kind: 'stirred' as const, path }] : [])]
  watch.hasStirred = false
  const isRenewed = told.length === 0 && !signal.aborted && !isWanted() && options.wire.ended === null
  // It may have refused to idle.
  return { told: isRenewed ? [{ kind: 'watching', way: readyWay(request, options) ?? way }] : told, isOver: false }
}

/** How news come as things stand, or null when something must be done first. */
function readyWay({ path, beside }: WatchRequest, { notices, state, watch }: WatchOptions): WatchWay | null {
  if (!watch.isReady) return null
  if (notices.isSet) return 'notify'
  if (mayNotify({ beside }, { notices, state }) || state.selection?.mailbox.path !== path) return null
  return can(state.server, 'IDLE') && !watch.refusesIdle ? 'idle' : 'poll'
}

function mayNotify(
  { beside }: Pick<WatchRequest, 'beside'>,
  { notices, state }: Pick<WatchOptions, 'notices' | 'state'>,
): boolean {
  return beside.length > 0 && can(state.server, 'NOTIFY') && !notices.isRefused
}

async function makeReady(request: WatchRequest, options: WatchOptions): Promise<WatchTurn> {
  const { notices, state, watch, wire } = options
  if (mayNotify(request, options)) await notices.ask(request.beside)
  const told: Observation[] = [...notices.take()]
  if (notices.isSet || state.selection?.mailbox.path === request.path) {
    // What the server said in its last answer of the open mailbox it does not say again.
    if (state.selection !== null) told.push(statusOf(state.selection))
  } else {
    const opened = await open(request.path, options)
    if (opened === null) return { told, isOver: true }
    told.push(opened)
  }
  watch.isReady = true
  const way = wire.ended === null ? readyWay(request, options) : null
  return { told: way === null ? told : [...told, { kind: 'watching', way }], isOver: false }
}

/** Opens the mailbox to read only. What changed since it was last taken in shows in its state. */
async function open(path: string, options: WatchOptions): Promise<StatusSeen | null> {
  const step: OpenStep = { kind: 'open', id: 'watch', reason: 'to wait for news', path, access: 'examine' }
  const run = new PlanRun({ ...options, bodies: { bytes: () => Promise.resolve(new Uint8Array()) } })
  let seen: StatusSeen | null = null
  for await (const observation of run.observations([step])) {
    if (observation.kind !== 'opened') continue
    const { mailbox, exists, uidNext, highestModSeq, objectId } = observation
    seen = { kind: 'status', ...mailbox, messages: exists, uidNext, highestModSeq, objectId }
  }
  return options.state.selection?.mailbox.path === path ? seen : null
}

/** What is told of a mailbox while it is open: how many messages there are. */
function statusOf({ mailbox, exists }: Selection): StatusSeen {
  return { kind: 'status', ...mailbox, messages: exists, uidNext: null, highestModSeq: null, objectId: null }
}

async function wait(way: WatchWay, renewalMs: number, options: WatchOptions): Promise<void> {
  const { clock, notices, signal, state, watch, wire, isWanted } = options
  const mustStop = (): boolean => watch.hasStirred || notices.hasTold || signal.aborted || isWanted()
  if (mustStop()) return
  if (way !== 'poll' && can(state.server, 'IDLE') && !watch.refusesIdle) {
    const ending = await idle(renewalMs, { wire, clock, mustStop })
    if (ending === 'done') return
    watch.refusesIdle = ending === 'refused'
  }
  await poll({ wire, clock, mustStop })
}
