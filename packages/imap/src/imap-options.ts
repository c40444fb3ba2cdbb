/** The settings of an account's server, checked before anything is sent. */

import { isIP } from 'node:net'
import { type Clock, COMMAND_DEADLINE_MS_MAX, SyncError, TRANSFER_DEADLINE_MS_MAX } from '@tidemail/core'
import type { AnswerBounds } from './answer-guard.ts'
import type { WireListener } from './wire-event.ts'

export interface ImapRemoteOptions {
  readonly host: string
  readonly port: number
  /** `tls` from the first octet (port 993), `starttls` before the login (port 143; never optional), or `none`. */
  readonly security: 'tls' | 'starttls' | 'none'
  /** Lets `none` carry the password to another machine. */
  readonly allowCleartext?: boolean
  /** Certificates (PEM) to trust instead of those Node trusts. Verification cannot be turned off. */
  readonly ca?: string
  readonly user: string
  /** Gives the password or token. Called when connecting only, and never kept. */
  readonly secret: () => Promise<string>
  /** Left out: `password`. */
  readonly auth?: 'password' | 'xoauth2'
  /** Left out: the clock of the machine. */
  readonly clock?: Clock
  /** How long the server may be silent while it owes an answer. */
  readonly stepDeadlineMs?: number
  /** How long it may take over the answer to a command whatever else it says; within a large answer, from one piece of it to the next. */
  readonly commandDeadlineMs?: number
  /** How long a large answer, or the taking of a message, may last in all. */
  readonly transferDeadlineMs?: number
  /** How long connecting may take, from the name to the login. */
  readonly connectDeadlineMs?: number
  /** Is told every line and count of octets; secrets are masked, literals left out. */
  readonly onWire?: WireListener
}

export const STEP_DEADLINE_MS = 60_000
export const CONNECT_DEADLINE_MS = 30_000

/**
 * What bounds the answers of the server after the login. A server that works long says so now and then (`* OK Hang in there`): that is not silence, and
 * yet no answer.
 */
export function answerBounds(options: ImapRemoteOptions): AnswerBounds {
  return {
    silenceMsMax: options.stepDeadlineMs ?? STEP_DEADLINE_MS,
    commandMsMax: options.commandDeadlineMs ?? COMMAND_DEADLINE_MS_MAX,
    transferMsMax: options.transferDeadlineMs ?? TRANSFER_DEADLINE_MS_MAX,
  }
}

/** @throws SyncError `input.bad-name`, `account.configuration`, `remote.cleartext-refused` */
export function checkOptions({ host, port, security, allowCleartext, user }: ImapRemoteOptions): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name.
  if (host === '' || host.length > 253 || /[\x00-\x20\x7f/@[\]]/.test(host)) {
    throw new SyncError('input.bad-name', 'The name of the mail server is empty or holds characters that no host has.', {
      hint: 'Give a name such as imap.example.org, or an address.',
    })
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be sent.
  if (user === '' || /[\x00-\x1f\x7f]/.test(user)) {
    throw new SyncError('input.bad-name', 'The name of the user is empty or holds control characters.')
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SyncError('account.configuration', 'The port of the mail server must be a whole number from 1 to 65535.')
  }
  if (security === 'none' && allowCleartext !== true && !isLoopback(host)) {
    throw new SyncError('remote.cleartext-refused', 'The password would go over the network unencrypted.', {
      hint: 'Use TLS (port 993) or STARTTLS (port 143).',
      recovery: 'ask-user',
    })
  }
}

function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
