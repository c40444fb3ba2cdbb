/** Records the sessions of an account as they pass: the calls of the adapter, and the octets of either side, in order. */

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { BodySource, Remote, RemoteSession } from '@tidemail/core'
import { ImapLineSplitter } from '@tidemail/testing'
import type { WireDirection, WireRecord } from './wire-record.ts'

export class WireTap {
  /** One for each connection. */
  readonly sessions: WireRecord[][] = []
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  /** Stands in front of the server of that port. */
  static async start(port: number): Promise<WireTap> {
    const tap = new WireTap(port)
    await new Promise<void>((resolve) => tap.#listener.listen(0, '127.0.0.1', resolve))
    return tap
  }

  private constructor(port: number) {
    this.#listener = createServer((client) => this.#join(client, connect(port, '127.0.0.1')))
  }

  get port(): number {
    const address = this.#listener.address()
    if (address === null || typeof address === 'string') throw new Error('The tap has no port.')
    return address.port
  }

  /** The same remote, which must connect to the tap. */
  remote(inner: Remote): Remote {
    return {
      connect: async (signal, learnt) => {
        const records: WireRecord[] = [{ kind: 'call', name: 'connect', argument: learnt ?? [] }]
        this.sessions.push(records)
        return recorded(await inner.connect(signal, learnt), records)
      },
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()))
  }

  #join(client: Socket, server: Socket): void {
    const records = this.sessions.at(-1) ?? []
    this.#listen(client, server, new Recorder(records, 'C'))
    this.#listen(server, client, new Recorder(records, 'S'))
  }

  #listen(from: Socket, to: Socket, recorder: Recorder): void {
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      recorder.push(chunk)
      to.write(chunk)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => this.#sockets.delete(from))
  }
}

class Recorder {
  readonly #records: WireRecord[]
  readonly #from: WireDirection
  readonly #splitter: ImapLineSplitter
  #literal = ''
  #isAfterLiteral = false

  constructor(records: WireRecord[], from: WireDirection) {
    this.#records = records
    this.#from = from
    this.#splitter = new ImapLineSplitter(from === 'C' ? 'client' : 'server')
  }

  push(chunk: Buffer): void {
    for (const piece of this.#splitter.push(chunk)) {
      const text = piece.bytes.toString('latin1')
      if (piece.kind === 'literal') {
        this.#literal += text
        this.#isAfterLiteral = true
        continue
      }
      if (this.#isAfterLiteral) this.#add('literal', this.#literal)
      this.#literal = ''
      // A literal may be empty.
      this.#isAfterLiteral = piece.literal?.sizeBytes === 0
      this.#add('line', text.replace(/\r?\n$/, ''))
    }
  }

  #add(kind: 'line' | 'literal', text: string): void {
    this.#records.push({ kind, from: this.#from, text })
  }
}

function recorded(session: RemoteSession, records: WireRecord[]): RemoteSession {
  const known = new Set<string>()
  const bodiesOf = (bodies: BodySource): BodySource => ({
    bytes: async (bodyId) => {
      const bytes = await bodies.bytes(bodyId)
      if (!known.has(bodyId)) records.push({ kind: 'body', bodyId, text: Buffer.from(bytes).toString('latin1') })
      known.add(bodyId)
      return bytes
    },
  })
  return {
    server: session.server,
    get ended() {
      return session.ended
    },
    run: (steps, options) => {
      records.push({ kind: 'call', name: 'run', argument: steps })
      return session.run(steps, { ...options, bodies: bodiesOf(options.bodies) })
    },
    heed: (learnt) => {
      records.push({ kind: 'call', name: 'heed', argument: learnt })
      session.heed?.(learnt)
    },
    watch: (request, signal) => session.watch(request, signal),
    close: async () => {
      records.push({ kind: 'call', name: 'close', argument: null })
      await session.close()
    },
  }
}
