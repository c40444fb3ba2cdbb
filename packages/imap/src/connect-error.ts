/** Translates why connecting failed into the catalogue of errors, with what can be done about it. */

import { SyncError } from '@tidemail/core'
import type { ImapRemoteOptions } from './imap-options.ts'
import { showable } from './server-text.ts'
import { type Refusal, suggestedBackoffMs, suggestsBackoff } from './set-up-tap.ts'

/** All that is known when connecting failed. */
export interface ConnectFailure {
  readonly error: unknown
  readonly options: ImapRemoteOptions
  readonly refusal: Refusal | null
  readonly hasGreeting: boolean
  /** Whether the TCP connection, and with `tls` the TLS connection, was made. */
  readonly isConnected: boolean
  /** What the server's words must not show. */
  readonly secrets: readonly string[]
}

/** RFC 5530 §3: what they tell of passes, and has nothing to do with the password. */
const LATER_CODES: ReadonlySet<string> = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CORRUPTION'])

export function connectError(failure: ConnectFailure): SyncError {
  return refusedError(failure) ?? tlsError(failure) ?? networkError(failure) ?? protocolError(failure)
}

function refusedError({ refusal, error, secrets }: ConnectFailure): SyncError | null {
  const isRefused = property(error, 'authenticationFailed') === true
  if (refusal === null) {
    if (!isRefused) return null
    return new SyncError('remote.auth-rejected', 'The server offers no way to log in that can be used.', {
      hint: 'It may accept a password only over TLS or STARTTLS, or only a token.',
    })
  }
  const said = showable(refusal.text, secrets)
  const retryAfterMs = suggestedBackoffMs(refusal.text)
  if (!refusal.isTagged || LATER_CODES.has(refusal.code?.name ?? '') || suggestsBackoff(refusal.text)) {
    return refusal.isTagged || refusal.status === 'BYE'
      ? new SyncError('remote.try-later', `The server asks to come back later: ${said}`, {
          hint: 'Close other mail programs that use this account, or wait.',
          ...(retryAfterMs === null ? {} : { retryAfterMs }),
        })
      : null
  }
  if (!isRefused) return null
  return new SyncError('remote.auth-rejected', `The server refused the login: ${said}`, {
    hint: 'Check the user name and the password; many providers want an app password.',
  })
}

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate of the server is self-signed.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate of the server comes from an authority that is not trusted (self-signed).',
  UNABLE_TO_GET_ISSUER_CERT: 'The issuer of the server’s certificate is not known.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The issuer of the server’s certificate is not known.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The issuer of the server’s certificate is not known.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate of the server is for another name (wrong name).',
  CERT_HAS_EXPIRED: 'The certificate of the server has expired.',
  CERT_NOT_YET_VALID: 'The certificate of the server is not valid yet.',
  CERT_REVOKED: 'The certificate of the server was revoked.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'The server does not speak TLS on this port.',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'The server offers no TLS version from 1.2 on.',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'The server offers no TLS version from 1.2 on.',
  STARTTLS_INJECTION: 'Something was put into the connection before TLS began.',
}

function tlsError({ error, options, isConnected }: ConnectFailure): SyncError | null {
  const code = codeOf(error)
  const isTls =
    code in CERTIFICATE_FAULTS || /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_)/.test(code) || property(error, 'tlsFailed') === true
  const isHandshakeCut = options.security === 'tls' && !isConnected && ['ECONNRESET', 'EPROTO', 'EPIPE'].includes(code)
  if (!isTls && !isHandshakeCut) return null
  const hint = /SELF_SIGNED|UNABLE_TO/.test(code)
    ? 'If the server is yours, give the certificate of its authority (`ca`; on the command line `--ca FILE`).'
    : 'Check the host, the port and the kind of security: tls is usually 993, starttls 143.'
  return new SyncError('remote.tls', CERTIFICATE_FAULTS[code] ?? noTls(options, code), { hint, cause: reason(error) })
}

function noTls(options: ImapRemoteOptions, code: string): string {
  if (options.security === 'starttls' && code === '') return 'The server does not offer STARTTLS.'
  return `The TLS connection could not be made${code === '' ? '' : ` (${code})`}.`
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'ENETDOWN',
  'EHOSTDOWN',
  'EACCES',
  'EPERM',
  'ECONNRESET',
  'EPIPE',
])

function networkError({ error, options, hasGreeting }: ConnectFailure): SyncError | null {
  const code = codeOf(error)
  const cause = reason(error)
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    return new SyncError('remote.host-unknown', `There is no host ${options.host}, or its name cannot be looked up now.`, {
      hint: 'Check the name, and whether this machine is online.',
      cause,
    })
  }
  if (UNREACHABLE.has(code)) {
    return new SyncError('remote.unreachable', `${options.host}, port ${options.port}, cannot be reached (${code}).`, {
      hint: 'Check the port, and whether a firewall is in between.',
      recovery: 'retry-later',
      cause,
    })
  }
  if (['GREETING_TIMEOUT', 'CONNECT_TIMEOUT', 'ETIMEOUT', 'ETIMEDOUT'].includes(code)) return timeoutError(hasGreeting)
  if (code.startsWith('ClosedAfterConnect') || code === 'NoConnection' || code === 'EConnectionClosed') {
    return new SyncError('remote.unreachable', 'The server closed the connection before the login was done.', {
      recovery: 'retry-later',
      cause,
    })
  }
  return null
}

export function timeoutError(hasGreeting: boolean): SyncError {
  return new SyncError('remote.timeout', 'The server did not answer in time while connecting.', {
    hint: hasGreeting
      ? 'Try again later.'
      : 'Check the port and the kind of security: a server of TLS says nothing to a client without it.',
  })
}

export function noImapError(): SyncError {
  return new SyncError('remote.protocol', 'What answers there is no IMAP server.', {
    hint: 'Check the host and the port: IMAP is usually 993 with tls, 143 with starttls.',
  })
}

function protocolError({ error, hasGreeting }: ConnectFailure): SyncError {
  if (!hasGreeting && codeOf(error) === '') return noImapError()
  return unexpectedError(reason(error))
}

export function unexpectedError(cause?: Error): SyncError {
  return new SyncError('remote.protocol', 'The server answered something that was not expected while connecting.', {
    hint: 'Check the host and the port, and whether something stands between that changes what passes.',
    cause,
  })
}

/** Only the code: an error of imapflow may hold the command, and with it the secret. */
function reason(error: unknown): Error | undefined {
  const code = codeOf(error)
  return code === '' ? undefined : new Error(code)
}

function codeOf(error: unknown): string {
  const code = property(error, 'code')
  return typeof code === 'string' ? code : ''
}

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined
}
