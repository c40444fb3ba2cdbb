/** The port to where messages are sent from: a submission server (RFC 6409), or whatever stands for one. */

import './abort-signal.ts'

/** A message to hand over: the envelope, and the bytes as they are. */
export interface SubmittedMessage {
  /** The envelope's sender (MAIL FROM), without angle brackets. */
  readonly sender: string
  /** Everybody who is to get it (RCPT TO), those of Bcc too. */
  readonly recipients: readonly string[]
  /** The message with CRLF line ends. Whether a Bcc field is to be left out is for whoever made the bytes. */
  readonly bytes: Uint8Array
  /** Names this attempt in logs: equal for none other. */
  readonly id: string
}

/** What became of it. `text` is the server's answer as a sentence; never content, never a secret. */
export type SubmissionOutcome =
  /** The server has taken the responsibility (RFC 5321 §4.2.5). */
  | { readonly kind: 'accepted'; readonly text: string }
  /** The server refused all of it. `isPassing`: it may take it later (4yz). */
  | { readonly kind: 'rejected'; readonly text: string; readonly isPassing: boolean }
  /** No octet of the message was handed over: there is no network, or no connection. Never counted as an attempt (I-NET-1). */
  | { readonly kind: 'unreachable'; readonly text: string }
  /** It was handed over, and no answer came: nobody can tell whether it will be delivered. */
  | { readonly kind: 'unknown'; readonly text: string }

/** Sends messages. */
export interface Submitter {
  /**
   * Hands one message over, once. After `signal` aborts nothing more need be tried; what was begun may be `unknown`. A rejection of the promise counts as
   * `unknown`.
   */
  submit(message: SubmittedMessage, signal: AbortSignal): Promise<SubmissionOutcome>
}
