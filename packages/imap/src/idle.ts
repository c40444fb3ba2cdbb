/** Waits on a connection: by IDLE, until it is time to renew it (RFC 2177), or by asking now and then. */

import type { Clock } from '@tidemail/core'
import type { Command } from './command.ts'
import type { TaggedResponse } from './response.ts'
import type { Wire } from './wire.ts'

/** Where the server does not speak unasked it is asked this often. */
export const POLL_INTERVAL_MS = 60_000

export interface WaitOptions {
  readonly wire: Wire
  readonly clock: Clock
  /** Whether there is something else to do. */
  readonly mustStop: () => boolean
}

/** `refused` the server will not idle; `ended` it ended the IDLE by itself: asked again at once it would do so for ever. */
export async function idle(renewalMs: number, { wire, clock, mustStop }: WaitOptions): Promise<'done' | 'refused' | 'ended'> {
  const { command, reply } = commandOf('IDLE')
  void wire.start(command)
  if (!(await wire.isIdling(command))) return wire.ended === null ? 'refused' : 'done'
  await waitAtMost(renewalMs, { wire, clock, mustStop: () => mustStop() || reply() !== undefined })
  const isOurs = reply() === undefined
  wire.endIdle(command)
  await wire.until(() => reply() !== undefined)
  return isOurs || wire.ended !== null ? 'done' : 'ended'
}

/** Waits, then has the server say what is new (NOOP). */
export async function poll({ wire, clock, mustStop }: WaitOptions): Promise<void> {
  await waitAtMost(POLL_INTERVAL_MS, { wire, clock, mustStop })
  if (!mustStop() && wire.ended === null) await noop(wire)
}

/** Resolves when the server has answered, or the connection has ended. */
export async function noop(wire: Wire): Promise<void> {
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

async function waitAtMost(delayMs: number, { wire, clock, mustStop }: WaitOptions): Promise<void> {
  const timer = new AbortController()
  let isOver = false
  const slept = clock.sleep(delayMs, timer.signal).then(() => {
    isOver = true
    wire.changed()
  })
  await wire.until(() => isOver || mustStop())
  timer.abort()
  await slept
}
