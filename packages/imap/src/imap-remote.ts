/** The mail server over TCP: connects, logs in, enables what can be enabled, and hands out a session. */

import type { DistrustedCapability, Remote, RemoteSession, ServerProfile } from '@tidemail/core'
import { answerBounds, CONNECT_DEADLINE_MS, checkOptions, type ImapRemoteOptions } from './imap-options.ts'
import { aborted, type LoggedIn, logIn } from './log-in.ts'
import { connectEnded, enableExtensions, serverProfile } from './server-capabilities.ts'
import { hearUntagged, ImapSession } from './session.ts'
import { SessionState } from './session-state.ts'
import { systemClock } from './system-clock.ts'
import { Wire } from './wire.ts'

/**
 * The mail server of an account.
 *
 * @example
 * const remote = imapRemote({ host: 'imap.example.org', port: 993, security: 'tls', user: 'ann', secret: async () => password })
 * const session = await remote.connect(new AbortController().signal)
 */
export function imapRemote(options: ImapRemoteOptions): Remote {
  return { connect: (signal, learnt = [], oddNames = []) => connect(options, signal, learnt, oddNames) }
}

async function connect(
  options: ImapRemoteOptions,
  signal: AbortSignal,
  learnt: readonly DistrustedCapability[],
  oddNames: readonly string[],
): Promise<RemoteSession> {
  checkOptions(options)
  if (signal.aborted) throw aborted()
  const loggedIn = await logIn(options, options.clock ?? systemClock, signal)
  return openSession(loggedIn, { learnt, oddNames }, options, signal)
}

async function openSession(
  loggedIn: LoggedIn,
  { learnt, oddNames }: { readonly learnt: readonly DistrustedCapability[]; readonly oddNames: readonly string[] },
  options: ImapRemoteOptions,
  signal: AbortSignal,
): Promise<RemoteSession> {
  const clock = options.clock ?? systemClock
  const advertised: ServerProfile = { ...serverProfile(loggedIn.capabilities, []), distrusted: learnt }
  const state = new SessionState(advertised)
  state.takeNames(oddNames)
  const wire: Wire = new Wire(loggedIn.socket, {
    clock,
    bounds: answerBounds(options),
    onUntagged: (response) => hearUntagged(response, { wire, state }),
    ...(options.onWire === undefined ? {} : { onWire: options.onWire }),
  })
  const abort = (): void => wire.end('remote.disconnected', 'Connecting was interrupted.')
  signal.addEventListener('abort', abort)
  // The login may have ended in the same turn in which it was interrupted.
  if (signal.aborted) abort()
  const timer = new AbortController()
  void clock.sleep(options.connectDeadlineMs ?? CONNECT_DEADLINE_MS, timer.signal).then(() => {
    if (!timer.signal.aborted) wire.end('remote.timeout', 'The server did not answer in time while connecting.')
  })
  try {
    wire.begin(loggedIn.rest)
    const enabled = await enableExtensions(advertised, wire, state)
    if (signal.aborted) throw aborted()
    if (wire.ended !== null) throw connectEnded(wire.ended, wire)
    state.server = { ...advertised, enabled }
    for (const text of loggedIn.alerts) state.tell({ kind: 'alert', text })
    return new ImapSession({ wire, state, clock })
  } finally {
    timer.abort()
    signal.removeEventListener('abort', abort)
  }
}
