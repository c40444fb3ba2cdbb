/** Stands in front of a server, passes on what either side says, and lets somebody hear it. */

import { connect, createServer, type Server, type Socket } from 'node:net'

/** Hears one side of a connection, in pieces as they come. */
export interface TapListener {
  push(chunk: Buffer): void
}

/** Called for each connection, at its beginning. */
export type JoinConnection = () => { readonly up: TapListener; readonly down: TapListener }

export class TcpTap {
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  /** Stands in front of the server of that port of this machine. */
  static async start(port: number, join: JoinConnection): Promise<TcpTap> {
    const tap = new TcpTap(port, join)
    await new Promise<void>((resolve) => tap.#listener.listen(0, '127.0.0.1', resolve))
    return tap
  }

  private constructor(port: number, join: JoinConnection) {
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const { up, down } = join()
      const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
      this.#hear(client, server, up)
      this.#hear(server, client, down)
    })
  }

  get port(): number {
    const address = this.#listener.address()
    if (address === null || typeof address === 'string') throw new Error('The tap has no port.')
    return address.port
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()))
  }

  #hear(from: Socket, to: Socket, listener: TapListener): void {
    this.#sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      listener.push(chunk)
      to.write(chunk)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      if (from.errored === null) to.end()
    })
  }
}
