/** An IMAP server in memory, on loopback: the wire in front of the model, with every extension that can be switched off. */

import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { ModelAccount, type ModelAccountOptions } from '../model/account.ts'
import { type Extension, extensionsWithout, type PrivateExtension } from '../model/extensions.ts'
import { Session, type SessionHost } from './session.ts'

export interface ImapServerOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Extensions that are neither advertised nor obeyed. */
  readonly without?: readonly Extension[]
  /** Extensions of one vendor that it has. */
  readonly adds?: readonly PrivateExtension[]
  /** Key and certificate in PEM: offers STARTTLS, or with `implicitTls` speaks TLS from the start. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly implicitTls?: boolean
  /** What the accounts hold from the start. */
  readonly accounts?: ModelAccountOptions
  /** Gives INTERNALDATE where APPEND does not, in milliseconds since 1970. */
  readonly now?: () => number
}

/** @example `const server = await ImapServer.start({ users: { alice: 'secret' } })` */
export class ImapServer {
  readonly host: string = '127.0.0.1'
  /** Every command as it came: literals by their size only, and `***` in place of what LOGIN and AUTHENTICATE carry. */
  readonly commands: string[] = []
  readonly #options: ImapServerOptions
  readonly #listener: Server
  readonly #accounts = new Map<string, ModelAccount>()
  readonly #sessions = new Map<Session, Promise<void>>()
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(options: ImapServerOptions) {
    this.#options = options
    for (const user of Object.keys(options.users)) this.#accounts.set(user, new ModelAccount(options.accounts))
    this.#listener = createServer((socket) => this.#welcome(socket))
  }

  /** Listens on a free port of loopback. */
  static async start(options: ImapServerOptions): Promise<ImapServer> {
    const server = new ImapServer(options)
    await new Promise<void>((resolve, reject) => {
      server.#listener.once('error', reject)
      server.#listener.listen(0, server.host, resolve)
    })
    const address = server.#listener.address()
    if (address !== null && typeof address === 'object') server.#port = address.port
    return server
  }

  get port(): number {
    return this.#port
  }

  /** The mail of a user. @throws Error when there is no such user. */
  account(user: string): ModelAccount {
    const account = this.#accounts.get(user)
    if (account === undefined) throw new Error(`The test server has no user "${user}".`)
    return account
  }

  /** Knob: ends every connection, with BYE, or without a word. */
  disconnectAll({ withBye }: { readonly withBye: boolean }): void {
    for (const session of this.#sessions.keys()) {
      if (withBye) session.bye('Server shutting down.')
      else session.drop()
    }
  }

  /** Ends every connection and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await Promise.all(this.#sessions.values())
  }

  #welcome(socket: Socket): void {
    socket.setNoDelay(true)
    this.#keep(socket)
    const isTls = this.#options.implicitTls === true
    const session = new Session(isTls ? this.#overTls(socket) : socket, this.#host(), { isTls })
    const served = session
      .serve()
      .catch((error: unknown) => {
        session.drop()
        throw error
      })
      .finally(() => this.#sessions.delete(session))
    this.#sessions.set(session, served)
  }

  #host(): SessionHost {
    const { users, without = [], adds = [], tls, now = Date.now } = this.#options
    return {
      extensions: extensionsWithout(without, adds),
      now,
      canStartTls: tls !== undefined,
      authenticate: (user, password) => (Object.hasOwn(users, user) && users[user] === password ? this.account(user) : null),
      startTls: async (socket) => this.#overTls(socket),
      record: (line) => this.commands.push(line),
    }
  }

  #overTls(socket: Socket): TLSSocket {
    if (this.#options.tls === undefined) throw new Error('The test server was given no certificate.')
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(this.#options.tls) })
    this.#keep(secure)
    return secure
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
