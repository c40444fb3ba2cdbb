/** Stands in front of a server where another process connects to it, and reads every session for the lint of transcripts. */

import { connect, createServer, type Server, type Socket } from 'node:net'
import { ImapLineSplitter } from '@tidemail/testing'
import { expect } from 'vitest'
import type { Transcript, TranscriptLine } from './transcript.ts'
import { describeBreaches, type LintOptions, lintTranscripts } from './transcript-lint.ts'

export class TranscriptTap {
  readonly #sessions: TranscriptLine[][] = []
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  /** Stands in front of the server of that port of this machine. */
  static async start(port: number): Promise<TranscriptTap> {
    const tap = new TranscriptTap(port)
    await new Promise<void>((resolve) => tap.#listener.listen(0, '127.0.0.1', resolve))
    return tap
  }

  private constructor(port: number) {
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const lines: TranscriptLine[] = []
      this.#sessions.push(lines)
      const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
      this.#hear(client, server, new Listener(lines, 'up'))
      this.#hear(server, client, new Listener(lines, 'down'))
    })
  }

  get port(): number {
    const address = this.#listener.address()
    if (address === null || typeof address === 'string') throw new Error('The tap has no port.')
    return address.port
  }

  /** One for each connection. */
  get sessions(): readonly Transcript[] {
    return this.#sessions
  }

  /** Ends all connections, and fails where a session broke a rule. */
  async close(options: LintOptions = {}): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()))
    expect(describeBreaches(lintTranscripts(this.#sessions, options))).toEqual([])
  }

  #hear(from: Socket, to: Socket, listener: Listener): void {
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

/** Reads the lines of one side, without the octets of literals. */
class Listener {
  readonly #lines: TranscriptLine[]
  readonly #direction: TranscriptLine['direction']
  readonly #splitter: ImapLineSplitter

  constructor(lines: TranscriptLine[], direction: TranscriptLine['direction']) {
    this.#lines = lines
    this.#direction = direction
    this.#splitter = new ImapLineSplitter(direction === 'up' ? 'client' : 'server')
  }

  push(chunk: Buffer): void {
    for (const { kind, bytes } of this.#splitter.push(chunk)) {
      if (kind !== 'line') continue
      const text = bytes.toString('latin1').replace(/\r?\n$/, '')
      this.#lines.push({ direction: this.#direction, text: text.replace(/^(\S+ (?:LOGIN|AUTHENTICATE)) .*/i, '$1 ***') })
    }
  }
}
