/** What a server can do: what it advertises, what was enabled, and what was learnt of its behaviour. A capability is a hypothesis. */

import type { Namespaces } from './namespaces.ts'

/** What a session found out while it connected. Plain data: it is stored, printed and sent over the gateway. */
export interface ServerProfile {
  /** Upper-cased capability names after login, e.g. `UIDPLUS`. */
  readonly capabilities: readonly string[]
  /** What `* ENABLED` confirmed. QRESYNC is used only when it is named here. */
  readonly enabled: readonly string[]
  /** Octets of the largest message the server takes (APPENDLIMIT, RFC 7889), or null where it does not say. */
  readonly appendLimitOctets: number | null
  /** What was learnt against the advertisement: a capability that must not be used, and why. */
  readonly distrusted: readonly DistrustedCapability[]
  /** What an examination of the server has measured; left out before the first. */
  readonly measured?: ServerMeasures
  /** How long the server lets a connection be silent, as watching has shown; left out before the first. */
  readonly renewal?: WatchRenewal
  /** Whether the server was seen to forget what it expunged, as synchronising has shown; left out where it was not, or long ago. */
  readonly forgetting?: Forgetting
  /** Where the mailboxes of the user, of others and shared ones are; left out where the server was not asked. */
  readonly namespaces?: KnownNamespaces
  /**
   * Names of mailboxes that the server writes otherwise than modified UTF-7 would have them, such as in UTF-8: they are given back as they came. Left out
   * where there are none.
   */
  readonly oddNames?: readonly string[]
}

/** The server tells of messages that were gone long ago as of messages that went now: it does not remember when (RFC 7162 §5.3). */
export interface Forgetting {
  readonly reason: string
  /** When it was last seen, in milliseconds since 1970. */
  readonly since: number
  /** Until when it holds, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** What the server said of its namespaces; none where its answer could not be read. */
export interface KnownNamespaces extends Namespaces {
  /** Until when it holds, in milliseconds since 1970: others may begin to share. */
  readonly expiresAt: number
}

export interface DistrustedCapability {
  readonly capability: string
  readonly reason: string
  /** Another examination takes the place of the one before; what a synchronisation met with stays until it expires. */
  readonly learntBy: 'synchronisation' | 'examination'
  /** When it was learnt, in milliseconds since 1970. */
  readonly since: number
  /** Until when it holds: then the server is believed again, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** What no capability tells. */
export interface ServerMeasures {
  /** Milliseconds since 1970. */
  readonly measuredAt: number
  /** How long a new message was missing from what the server lists, in milliseconds; null where it was not seen at all. */
  readonly listingLagMs: number | null
  /** After so long the server ended an idle connection, in milliseconds; null where no end was seen. */
  readonly idleMs: number | null
}

/** How often a connection that waits for news is spoken to. */
export interface WatchRenewal {
  readonly renewalMs: number
  /** A silence that the connection did not survive, in milliseconds; null where none is known. */
  readonly fatalMs: number | null
  /** Until when it holds, in milliseconds since 1970: networks and servers change. */
  readonly expiresAt: number
}

/** How a mailbox is resynchronised. */
export type Tier = 'qresync' | 'condstore' | 'plain'

export const NO_CAPABILITIES: ServerProfile = { capabilities: [], enabled: [], appendLimitOctets: null, distrusted: [] }

/** Whether the server advertises the capability and nothing has been learnt against it. */
export function can(server: ServerProfile, capability: string): boolean {
  return server.capabilities.includes(capability) && !server.distrusted.some((entry) => entry.capability === capability)
}

/** The best tier the server allows: QRESYNC only after a positive ENABLED (RFC 7162 §3.2.3), which implies CONDSTORE. */
export function bestTier(server: ServerProfile): Tier {
  if (server.enabled.includes('QRESYNC') && can(server, 'QRESYNC')) return 'qresync'
  if (can(server, 'CONDSTORE') || can(server, 'QRESYNC')) return 'condstore'
  return 'plain'
}
