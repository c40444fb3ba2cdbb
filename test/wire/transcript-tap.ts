/** Stands in front of a server where another process connects to it, and reads every session for the lint of transcripts. */

import { ImapLineSplitter } from '@tidemail/testing'
import { expect } from 'vitest'
import { TcpTap } from './tcp-tap.ts'
import type { Transcript, TranscriptLine } from './transcript.ts'
import { describeBreaches, type LintOptions, lintTranscripts } from './transcript-lint.ts'

export class TranscriptTap {
  readonly #sessions: readonly Transcript[]
  readonly #tap: TcpTap

  /** Stands in front of the server of that port of this machine. */
  static async start(port: number): Promise<TranscriptTap> {
    const sessions: TranscriptLine[][] = []
    const tap = await TcpTap.start(port, () => {
      const lines: TranscriptLine[] = []
      sessions.push(lines)
      return { up: new Listener(lines, 'up'), down: new Listener(lines, 'down') }
    })
    return new TranscriptTap(tap, sessions)
  }

  private constructor(tap: TcpTap, sessions: readonly Transcript[]) {
    this.#tap = tap
    this.#sessions = sessions
  }

  get port(): number {
    return this.#tap.port
  }

  /** Ends all connections, and fails where a session broke a rule. */
  async close(options: LintOptions = {}): Promise<void> {
    await this.#tap.close()
    expect(describeBreaches(lintTranscripts(this.#sessions, options))).toEqual([])
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
