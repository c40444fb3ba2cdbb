/** Lets imapflow make the connection and log in, in as few round trips as can be: greeting and LOGIN, nothing else (H-22). */

import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type Clock, SyncError } from '@tidemail/core'
import { ImapFlow, type ImapTransport } from 'imapflow'
import { connectError, noImapError, timeoutError, unexpectedError } from './connect-error.ts'
import { CONNECT_DEADLINE_MS, type ImapRemoteOptions } from './imap-options.ts'
import { type CommandArgument, type ImapFlowCommand, type ImapFlowInternals, internalsOf } from './imapflow-internals.ts'
import { formsOfSecret } from './server-text.ts'
import { type BrokenSetUp, SET_UP_OCTETS_MAX, SetUpTap } from './set-up-tap.ts'

/** A connection that is logged in. */
export interface LoggedIn {
  readonly socket: Socket
  readonly capabilities: ReadonlyMap<string, boolean | number>
  /** What the server said after its last answer. */
  readonly rest: readonly Buffer[]
  readonly alerts: readonly string[]
}

/** Beyond every deadline of ours, so that ours decide. */
const NEVER_MS = 2 ** 31 - 1
/** Beyond what the tap lets through: what imapflow throws at a longer line is caught by nobody. */
const SET_UP_LINE_OCTETS_MAX = 2 * SET_UP_OCTETS_MAX

/** @throws SyncError as {@link Remote.connect} says */
export async function logIn(options: ImapRemoteOptions, clock: Clock, signal: AbortSignal): Promise<LoggedIn> {
  const secret = await readSecret(options, signal)
  const attempt = new Attempt(options, secret)
  const timer = new AbortController()
  const abort = (): void => attempt.stop(aborted())
  signal.addEventListener('abort', abort)
  const deadline = clock.sleep(options.connectDeadlineMs ?? CONNECT_DEADLINE_MS, timer.signal)
  void deadline.then(() => timer.signal.aborted || attempt.stop(timeoutError(attempt.tap.hasGreeting)))
  try {
    if (signal.aborted) throw aborted()
    return await attempt.connect()
  } finally {
    timer.abort()
    signal.removeEventListener('abort', abort)
  }
}

export function aborted(): SyncError {
  return new SyncError('engine.aborted', 'Connecting was interrupted.')
}

/** Whoever gives the secret may have to ask a person: that has no deadline, but it can be interrupted. */
async function readSecret(options: ImapRemoteOptions, signal: AbortSignal): Promise<string> {
  let interrupt: () => void = () => {}
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => reject(aborted())
  })
  signal.addEventListener('abort', interrupt)
  try {
    const secret = await Promise.race([options.secret(), interrupted])
    if (secret !== '') return secret
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
  throw new SyncError('account.missing-secret', 'There is no password for this account.')
}

class Attempt {
  readonly tap: SetUpTap
  readonly #options: ImapRemoteOptions
  readonly #secrets: readonly string[]
  readonly #client: ImapFlow
  readonly #credentials: { auth?: { user: string; pass?: string; accessToken?: string } }
  #stopped: SyncError | null = null
  #isConnected = false

  constructor(options: ImapRemoteOptions, secret: string) {
    this.#options = options
    this.#secrets = formsOfSecret(options.user, secret)
    this.tap = new SetUpTap({ onBroken: (why) => this.#stopBroken(why), onWire: options.onWire, secrets: this.#secrets })
    const settings = {
      host: options.host,
      port: options.port,
      secure: options.security === 'tls',
      doSTARTTLS: options.security === 'starttls',
      auth: { user: options.user, ...(options.auth === 'xoauth2' ? { accessToken: secret } : { pass: secret }) },
      logger: false as const,
      disableAutoIdle: true,
      disableAutoEnable: true,
      disableCompression: true,
      disableIMAP4rev2: true,
      connectionTimeout: NEVER_MS,
      greetingTimeout: NEVER_MS,
      socketTimeout: NEVER_MS,
      maxLineLength: SET_UP_LINE_OCTETS_MAX,
      maxLiteralSize: SET_UP_LINE_OCTETS_MAX,
      transport: this.#transport(),
    }
    this.#credentials = settings
    this.#client = new ImapFlow(settings)
    this.#client.on('error', () => {})
    useOwnCommands(internalsOf(this.#client))
  }

  async connect(): Promise<LoggedIn> {
    try {
      await this.#client.connect()
    } catch (error) {
      throw this.#stopped ?? this.#translated(error)
    } finally {
      // imapflow keeps its options, and with them the secret, as long as it lives.
      delete this.#credentials.auth
    }
    if (this.#stopped !== null) throw this.#stopped
    const { capabilities } = internalsOf(this.#client)
    const socket = this.#client.unbind().socket as Socket
    socket.setTimeout(0)
    return { socket, capabilities, rest: this.tap.takeRest(), alerts: this.tap.alerts }
  }

  stop(error: SyncError): void {
    this.#stopped ??= error
    this.#client.close()
  }

  #stopBroken(why: BrokenSetUp): void {
    if (why === 'try-later') this.stop(this.#translated(null))
    else this.stop(why === 'no-imap' ? noImapError() : unexpectedError())
  }

  #translated(error: unknown): SyncError {
    return connectError({
      error,
      options: this.#options,
      refusal: this.tap.refusal,
      hasGreeting: this.tap.hasGreeting,
      isConnected: this.#isConnected,
      secrets: this.#secrets,
    })
  }

  /** The sockets are made here, so that nothing can loosen how TLS verifies and the tap hears every octet. */
  #transport(): ImapTransport {
    const { host, port, ca } = this.#options
    const verified: ConnectionOptions = { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
    const listen = (socket: Socket, begin: () => void): void => {
      this.#isConnected = true
      socket.setNoDelay(true)
      begin()
      if (!socket.destroyed) this.tap.attach(socket)
    }
    return {
      connect: ({ secure, servername }, onConnect) => {
        const named = servername === undefined ? {} : { servername }
        const socket: Socket = secure
          ? connectTls({ ...verified, ...named, host, port }, () => listen(socket, onConnect))
          : connectTcp({ host, port }, () => listen(socket, onConnect))
        return socket
      },
      upgrade: (plain, { servername }, onSecure) => {
        this.tap.startTls()
        const named = servername === undefined ? {} : { servername }
        const socket: Socket = connectTls({ ...verified, ...named, socket: plain as Socket, host }, () =>
          listen(socket, onSecure),
        )
        return socket
      },
    }
  }
}

/** imapflow's commands, without those that ask what nobody needs, and with the password in the first line where it may be. */
function useOwnCommands(client: ImapFlowInternals): void {
  const commands = new Map(client.commands)
  commands.set('ID', () => Promise.resolve(null))
  commands.set('NAMESPACE', () => Promise.resolve(null))
  const logIn = commands.get('LOGIN')
  const authenticate = commands.get('AUTHENTICATE')
  if (logIn === undefined || authenticate === undefined) throw new SyncError('engine.bug', 'imapflow has no command to log in.')
  commands.set('AUTHENTICATE', passwordFirst(logIn, authenticate))
  client.commands = commands
}

interface Credentials {
  readonly password?: string
}

/** LOGIN is one round trip. It cannot carry every password: then SASL PLAIN, with its answer in the same line (RFC 4959). */
function passwordFirst(logIn: ImapFlowCommand, authenticate: ImapFlowCommand): ImapFlowCommand {
  const call = (command: ImapFlowCommand, client: ImapFlowInternals, ...args: unknown[]): Promise<unknown> =>
    command(client, ...(args as never[]))
  return async (client: ImapFlowInternals, ...args: unknown[]) => {
    const [user, credentials] = args as [string, Credentials]
    const { password } = credentials
    const can = (name: string): boolean => client.capabilities.has(name)
    if (password === undefined) return call(authenticate, client, ...args)
    const isPlainAscii = !/[^\x20-\x7e]/.test(user + password)
    if (isPlainAscii && !can('LOGINDISABLED')) return call(logIn, client, user, password)
    if (!can('SASL-IR') || !can('AUTH=PLAIN')) return call(authenticate, client, ...args)
    return saslPlain(client, user, password)
  }
}

async function saslPlain(client: ImapFlowInternals, user: string, password: string): Promise<string> {
  const answer = Buffer.from(`\0${user}\0${password}`).toString('base64')
  const attributes: CommandArgument[] = [
    { type: 'ATOM', value: 'PLAIN' },
    { type: 'ATOM', value: answer, sensitive: true },
  ]
  try {
    // A server that asks again did not take the answer: `*` ends the exchange (RFC 9051 §6.2.2).
    const response = await client.exec('AUTHENTICATE', attributes, { onPlusTag: async () => client.write('*') })
    response.next()
    return user
  } catch (error) {
    const status = (error as { responseStatus?: unknown }).responseStatus
    if (status === 'NO' || status === 'BAD') throw Object.assign(new Error('refused'), { authenticationFailed: true })
    throw error
  }
}
