/** The port to where the mail is. Implemented over TCP by `imap`, and over a model without a network by `testing`. */

import './abort-signal.ts'

import type { BodyId } from './ids.ts'
import type { Observation } from './observation.ts'
import type { DistrustedCapability, ServerProfile } from './server-profile.ts'
import type { Step } from './step.ts'

/** The longest that a step may be under way, in milliseconds: of a transfer (an upload among them), and of any other. Adapters keep to it. */
export const TRANSFER_DEADLINE_MS_MAX = 1_800_000
export const COMMAND_DEADLINE_MS_MAX = 300_000

/** Gives the bytes of a message to append. Rejects with `store.corrupt` when there are none under that id. */
export interface BodySource {
  bytes(bodyId: BodyId): Promise<Uint8Array>
}

export interface RunOptions {
  readonly bodies: BodySource
  readonly signal: AbortSignal
}

/** What to hear of. */
export interface WatchRequest {
  /** The mailbox to wait in where the server tells of one only. */
  readonly path: string
  /** The others to be told of, where the server can: all of the user's own, or these. */
  readonly beside: 'personal' | readonly string[]
  /** A silent connection is spoken to this often, in milliseconds. Left out: `WATCH_RENEWAL_MS`. */
  readonly renewalMs?: number
}

/** Middleboxes forget a silent connection after ten minutes, servers after thirty (RFC 2177). */
export const WATCH_RENEWAL_MS = 540_000
/** A connection that is asked for a sign of life gives it within this time, or has ended. */
export const PING_DEADLINE_MS_MAX = 10_000

/** Where the mail is. */
export interface Remote {
  /**
   * Connects, logs in and enables what can be enabled. What was `learnt` against the server is neither enabled nor used in the session, and stands in
   * its profile. Mailboxes are asked for by their `oddNames`, if they have one, until the server tells another name.
   * @throws SyncError `remote.host-unknown`, `remote.unreachable`, `remote.tls`, `remote.timeout`, `remote.protocol`, `remote.auth-rejected`,
   * `remote.cleartext-refused`, `remote.try-later`, `remote.disconnected`, `account.missing-secret`, `engine.aborted`
   */
  connect(signal: AbortSignal, learnt?: readonly DistrustedCapability[], oddNames?: readonly string[]): Promise<RemoteSession>
}

/** One connection, logged in. Not for concurrent use: one `run` or `watch` at a time. */
export interface RemoteSession {
  readonly server: ServerProfile
  /**
   * Carries out the steps in order, and yields what the server says. Never throws for what befalls the connection: each step ends
   * in exactly one `done`, `unknown` for what was sent without an answer and `not-sent` for the rest (H-5). After `signal` aborts nothing
   * further is sent, and what is in flight is awaited until its deadline. Mutating steps are never sent behind an `open` that has not
   * come back, nor when the open mailbox is not the one they name (`stale`).
   */
  run(steps: readonly Step[], options: RunOptions): AsyncIterable<Observation>
  /** From now on what was learnt against the server is not used; not to be called during a `run`. Left out by who uses nothing by itself. */
  heed?(learnt: readonly DistrustedCapability[]): void
  /**
   * Waits for news, until `signal` aborts or the connection ends. Yields `status` of what is looked at first (compare it: what came before is not told
   * again), then `watching`, then `stirred` for each mailbox that changes. Ends by itself when the mailbox to wait in cannot be opened.
   */
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<Observation>
  /** Asks for a sign of life, interrupting a watch: without one within `PING_DEADLINE_MS_MAX` the connection has `ended`. Left out by what has no wire. */
  ping?(): Promise<void>
  /** False once the connection has ended, with why. */
  readonly ended: { readonly code: 'remote.disconnected' | 'remote.timeout' | 'remote.protocol'; readonly text: string } | null
  /** Logs out, within a deadline; never throws. */
  close(): Promise<void>
}
