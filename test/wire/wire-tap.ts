/** Records the sessions of an account as they pass: the calls of the adapter, and the octets of either side, in order. */

import type { BodySource, Remote, RemoteSession } from '@tidemail/core'
import { ImapLineSplitter } from '@tidemail/testing'
import { TcpTap } from './tcp-tap.ts'
import type { WireDirection, WireRecord } from './wire-record.ts'

export class WireTap {
  /** One for each connection. */
  readonly sessions: WireRecord[][] = []
  readonly #tap: TcpTap

  /** Stands in front of the server of that port. */
  static async start(port: number): Promise<WireTap> {
    const tap: TcpTap = await TcpTap.start(port, () => wire.#join())
    const wire: WireTap = new WireTap(tap)
    return wire
  }

  private constructor(tap: TcpTap) {
    this.#tap = tap
  }

  get port(): number {
    return this.#tap.port
  }

  /** The same remote, which must connect to the tap. */
  remote(inner: Remote): Remote {
    return {
      connect: async (signal, learnt, ...more) => {
        const records: WireRecord[] = [{ kind: 'call', name: 'connect', argument: learnt ?? [] }]
        this.sessions.push(records)
        return recorded(await inner.connect(signal, learnt, ...more), records)
      },
    }
  }

  async close(): Promise<void> {
    await this.#tap.close()
  }

  #join(): { readonly up: Recorder; readonly down: Recorder } {
    const records = this.sessions.at(-1) ?? []
    return { up: new Recorder(records, 'C'), down: new Recorder(records, 'S') }
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
