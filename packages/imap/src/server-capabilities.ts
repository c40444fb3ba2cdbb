/** What a server advertises after login, and what it lets us enable (RFC 5161). */

import { can, type ServerProfile, SyncError } from '@tidemail/core'
import type { Command } from './command.ts'
import type { Untagged } from './response.ts'
import type { SessionState } from './session-state.ts'
import type { Wire, WireEnd } from './wire.ts'

/** What IMAP4rev2 includes without naming it (RFC 9051 appendix E). */
const REV2_INCLUDES = [
  'NAMESPACE',
  'UNSELECT',
  'UIDPLUS',
  'ESEARCH',
  'ENABLE',
  'IDLE',
  'SASL-IR',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'MOVE',
  'LITERAL-',
  'SPECIAL-USE',
]

export function serverProfile(advertised: ReadonlyMap<string, boolean | number>, enabled: readonly string[]): ServerProfile {
  const names = new Set([...advertised.keys()].map((name) => name.toUpperCase()))
  // Where both are offered IMAP4rev2 is not enabled, and what it includes not to be relied on.
  if (names.has('IMAP4REV2') && !names.has('IMAP4REV1')) for (const name of REV2_INCLUDES) names.add(name)
  const limit = advertised.get('APPENDLIMIT')
  return {
    capabilities: [...names],
    enabled,
    appendLimitOctets: typeof limit === 'number' && limit > 0 ? limit : null,
    distrusted: [],
  }
}

/** Whether the server has no modified UTF-7 and must be told that the client reads UTF-8 (RFC 6855 §6). Who merely offers UTF8=ACCEPT has both: UTF-8 is left alone. */
export function takesUtf8Only({ capabilities }: ServerProfile): boolean {
  return capabilities.includes('UTF8=ONLY')
}

/** Enables QRESYNC, which brings CONDSTORE (RFC 7162 §3.2.3), else CONDSTORE, and UTF-8 where nothing works without: what `* ENABLED` confirms. */
export async function enableExtensions(server: ServerProfile, wire: Wire, state: SessionState): Promise<readonly string[]> {
  const modSeqs = can(server, 'ENABLE') ? ['QRESYNC', 'CONDSTORE'].filter((name) => can(server, name)).slice(0, 1) : []
  const wanted = takesUtf8Only(server) ? [...modSeqs, 'UTF8=ACCEPT'] : modSeqs
  if (wanted.length === 0) return []
  const confirmed = new Set<string>()
  let isAnswered = false
  const command: Command = {
    parts: [`ENABLE ${wanted.join(' ')}`],
    settle: () => {
      state.forget(command)
      isAnswered = true
    },
  }
  const take = (response: Untagged): boolean => {
    if (response.kind !== 'enabled') return false
    for (const name of response.names) confirmed.add(name)
    return true
  }
  state.expect(command, { take, isMoving: false })
  await wire.start(command)
  await wire.until(() => isAnswered)
  if (confirmed.has('QRESYNC')) confirmed.add('CONDSTORE')
  return [...confirmed]
}

/** The connection ended while it was being made: a server that says goodbye then does not want us now. */
export function connectEnded({ code, text }: WireEnd, { hasSaidGoodbye }: Pick<Wire, 'hasSaidGoodbye'>): SyncError {
  return new SyncError(hasSaidGoodbye ? 'remote.try-later' : code, text)
}
