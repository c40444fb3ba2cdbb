/** Waits for news of one mailbox: IDLE, or NOOP now and then where the server has no IDLE (RFC 2177). */

import { type Clock, can, type Observation, type OpenStep } from '@tidemail/core'
import type { Command } from './command.ts'
import { PlanRun } from './plan-run.ts'
import type { TaggedResponse } from './response.ts'
import type { SessionState } from './session-state.ts'
import type { Wire } from './wire.ts'

/** Middleboxes forget a silent connection after ten minutes, servers after thirty (RFC 2177). */
export const IDLE_RESTART_MS = 540_000
export const POLL_INTERVAL_MS = 60_000

export interface WatchOptions {
  readonly wire: Wire
  readonly state: SessionState
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether somebody else waits for the connection. */
  readonly isWanted: () => boolean
}

/** How the mailbox looked when it was last opened: a difference when it is opened again is news. */
export type LastLook = Map<string, string>

/** `stirred` when something changed, `quiet` when it is time to ask again, `closed` when the mailbox cannot be opened. */
export type WatchResult = 'stirred' | 'quiet' | 'closed'

export async function watchOnce(path: string, looks: LastLook, options: WatchOptions): Promise<WatchResult> {
  const { wire, state, signal, isWanted } = options
  let hasStirred = false
  state.onStir = () => {
    hasStirred = true
    wire.changed()
  }
  const mustStop = (): boolean => hasStirred || signal.aborted || isWanted()
  try {
    if (state.selection?.mailbox.path !== path) {
      const opened = await open(path, looks, options)
      if (opened !== 'quiet') return opened
    }
    if (!can(state.server, 'IDLE') || !(await idle(options, mustStop))) await poll(options, mustStop)
  } finally {
    state.onStir = null
  }
  return hasStirred ? 'stirred' : 'quiet'
}

export function recordLook(looks: LastLook, opened: Extract<Observation, { kind: 'opened' }>): void {
  const { mailbox, exists, uidNext, highestModSeq } = opened
  looks.set(mailbox.path, [mailbox.uidValidity, exists, uidNext, highestModSeq].join(' '))
}

async function open(path: string, looks: LastLook, options: WatchOptions): Promise<WatchResult> {
  const step: OpenStep = { kind: 'open', id: 'watch', reason: 'to wait for news', path, access: 'examine' }
  const before = looks.get(path)
  const run = new PlanRun({ ...options, bodies: { bytes: () => Promise.resolve(new Uint8Array()) } })
  let result: WatchResult = 'closed'
  for await (const observation of run.observations([step])) {
    if (observation.kind === 'opened') recordLook(looks, observation)
    if (observation.kind === 'done' && observation.outcome === 'ok') {
      result = before === undefined || before === looks.get(path) ? 'quiet' : 'stirred'
    }
  }
  return result
}

/** False when the server refuses to idle, or ends it by itself: asked again at once it would do so for ever. */
async function idle({ wire, clock }: WatchOptions, mustStop: () => boolean): Promise<boolean> {
  const { command, reply } = commandOf('IDLE')
  void wire.start(command)
  if (!(await wire.isIdling(command))) return wire.ended !== null
  await waitAtMost(IDLE_RESTART_MS, { wire, clock, until: () => mustStop() || reply() !== undefined })
  const isOurs = reply() === undefined
  wire.endIdle(command)
  await wire.until(() => reply() !== undefined)
  return isOurs || wire.ended !== null
}

async function poll({ wire, clock }: WatchOptions, mustStop: () => boolean): Promise<void> {
  await waitAtMost(POLL_INTERVAL_MS, { wire, clock, until: mustStop })
  if (mustStop() || wire.ended !== null) return
  const { command, reply } = commandOf('NOOP')
  void wire.start(command)
  await wire.until(() => reply() !== undefined)
}

function commandOf(name: string): { readonly command: Command; readonly reply: () => TaggedResponse | null | undefined } {
  let answer: TaggedResponse | null | undefined
  const command: Command = {
    parts: [name],
    settle: (reply) => {
      answer = reply
    },
  }
  return { command, reply: () => answer }
}

interface Wait {
  readonly wire: Wire
  readonly clock: Clock
  readonly until: () => boolean
}

async function waitAtMost(delayMs: number, { wire, clock, until }: Wait): Promise<void> {
  const timer = new AbortController()
  let isOver = false
  const slept = clock.sleep(delayMs, timer.signal).then(() => {
    isOver = true
    wire.changed()
  })
  await wire.until(() => isOver || until())
  timer.abort()
  await slept
}
