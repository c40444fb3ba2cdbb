/** The connection after login: writes tagged commands, many in flight, and tells who waits for what the server says. */

import type { Socket } from 'node:net'
import { type Clock, type RemoteSession, SyncError } from '@tidemail/core'
import { type AnswerBounds, AnswerGuard, type OwedAnswer } from './answer-guard.ts'
import type { Command, SentCommand } from './command.ts'
import { ProtocolViolation } from './protocol-violation.ts'
import { parseResponse, type TaggedResponse, type Untagged } from './response.ts'
import { type RawResponse, ResponseReader } from './response-reader.ts'
import { showable } from './server-text.ts'
import type { WireListener } from './wire-event.ts'

export type WireEnd = NonNullable<RemoteSession['ended']>

export interface WireOptions {
  readonly clock: Clock
  /** How long the server may take while it owes an answer. */
  readonly bounds: AnswerBounds
  /** Answers whether the response was part of an answer to a command in flight. */
  readonly onUntagged: (response: Untagged) => boolean
  readonly onWire?: WireListener
}

/** More commands wait until earlier ones are answered: servers buffer little. */
export const IN_FLIGHT_COMMANDS_MAX = 128
/** A large literal is written in slices, so that its progress is seen and counts as a sign of life (H-6). */
const WRITE_SLICE_OCTETS = 256 * 1024
/** So much of one response, and no end of it yet, is an answer on its way. */
const LONG_RESPONSE_OCTETS_MIN = 8 * 1024

interface InFlight extends SentCommand, OwedAnswer {
  isIdling: boolean
}

export class Wire {
  ended: WireEnd | null = null
  /** Whether the server ended it in words (BYE). */
  hasSaidGoodbye = false
  readonly #socket: Socket
  readonly #options: WireOptions
  readonly #reader: ResponseReader
  readonly #inFlight: InFlight[] = []
  readonly #changes = new Set<() => void>()
  #tags = 0
  #continuations = 0
  readonly #guard: AnswerGuard
  #isPaused = false
  #isCorked = false
  #isLeaving = false

  constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket
    this.#options = options
    this.#guard = new AnswerGuard({
      ...options.bounds,
      clock: options.clock,
      owed: () => this.#owedAnswer(),
      onOverdue: (why) => this.end('remote.timeout', why),
    })
    this.#reader = new ResponseReader((raw) => this.#hear(raw))
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.end('remote.disconnected', `The connection broke: ${error.code ?? 'error'}.`),
    )
    socket.on('end', () => this.end('remote.disconnected', 'The server closed the connection.'))
    socket.on('close', () => this.end('remote.disconnected', 'The connection was closed.'))
  }

  /** Takes octets that came before the wire had the socket, then those of the socket. */
  begin(received: readonly Buffer[]): void {
    for (const chunk of received) this.#receive(chunk)
    if (this.ended === null) this.#socket.resume()
  }

  /** The commands whose tagged replies have not come, oldest first. */
  get inFlight(): readonly SentCommand[] {
    return this.#inFlight
  }

  get inFlightCount(): number {
    return this.#inFlight.length
  }

  /** Writes the command, up to its first synchronising literal in the same turn. Resolves when nothing more of it is to be written. */
  async start(command: Command): Promise<void> {
    if (this.ended !== null) {
      command.settle(null)
      return
    }
    this.#tags += 1
    const entry: InFlight = { tag: `T${this.#tags}`, command, isIdling: false, isTransfer: command.isTransfer === true }
    this.#inFlight.push(entry)
    this.#guard.check()
    let text = `${entry.tag} `
    for (const part of command.parts) {
      if (typeof part === 'string') {
        text += part
        continue
      }
      this.#writeText(`${text}{${part.literal.length}${part.isSynchronising ? '' : '+'}}\r\n`)
      text = ''
      if (part.isSynchronising && !(await this.#isAskedFor(entry))) return
      this.#writeLiteral(part.literal)
    }
    this.#writeText(`${text}\r\n`)
  }

  /** Resolves true when the server agreed to the IDLE that is in flight, false when it will not. */
  async isIdling(command: Command): Promise<boolean> {
    const entry = this.#inFlight.find((candidate) => candidate.command === command)
    if (entry === undefined || !(await this.#isAskedFor(entry))) return false
    entry.isIdling = true
    this.#guard.check()
    return true
  }

  /** Ends an IDLE the server has agreed to. */
  endIdle(command: Command): void {
    const entry = this.#inFlight.find((candidate) => candidate.command === command)
    if (entry === undefined || !entry.isIdling) return
    entry.isIdling = false
    this.#writeText('DONE\r\n')
    this.#guard.check()
  }

  /** Resolves when the condition holds or the connection has ended. The condition is asked after every change. */
  async until(holds: () => boolean): Promise<void> {
    while (this.ended === null && !holds()) await this.#change()
  }

  /** Resolves when another command may be written without piling up. */
  async hasRoom(): Promise<void> {
    // Once full, half of it is answered before more is written: many commands a packet instead of one for each answer.
    if (this.#inFlight.length >= IN_FLIGHT_COMMANDS_MAX) {
      await this.until(() => this.#inFlight.length <= IN_FLIGHT_COMMANDS_MAX / 2)
    }
    await this.until(() => !this.#socket.writableNeedDrain)
  }

  /** Stops reading: the server is slowed down, and its silence does not count. */
  pause(): void {
    if (this.#isPaused || this.ended !== null) return
    this.#isPaused = true
    this.#guard.suspend()
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.ended === null) this.#socket.resume()
    this.#guard.resume()
  }

  /** The answer that is owed is to show a sign of itself within that time. */
  hurry(silenceMsMax: number): void {
    this.#guard.hurry(silenceMsMax)
  }

  /** From now on a BYE is the answer to our LOGOUT. */
  leave(): void {
    this.#isLeaving = true
  }

  /** Ends the connection, once. What is in flight has no answer. */
  end(code: WireEnd['code'], text: string): void {
    if (this.ended !== null) return
    this.ended = { code, text }
    this.#socket.destroy()
    const unanswered = this.#inFlight.splice(0)
    this.#guard.check()
    for (const { command } of unanswered) command.settle(null)
    this.changed()
  }

  /** Wakes those who wait in `until`. */
  changed(): void {
    const waiting = [...this.#changes]
    this.#changes.clear()
    for (const wake of waiting) wake()
  }

  #receive(chunk: Buffer): void {
    if (this.ended !== null) return
    this.#guard.sign()
    this.#options.onWire?.({ kind: 'octets', direction: 'down', octets: chunk.length })
    this.#guarded(() => this.#reader.push(chunk))
    if (this.#reader.unfinishedOctets >= LONG_RESPONSE_OCTETS_MIN) this.#guard.progress()
  }

  /** A line that is no IMAP ends the connection: nothing after it can be trusted. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof ProtocolViolation || error instanceof SyncError)) throw error
      this.end('remote.protocol', error.message)
    }
  }

  #hear(raw: RawResponse): void {
    if (this.ended !== null) return
    this.#options.onWire?.({ kind: 'line', direction: 'down', text: raw.text })
    const response = parseResponse(raw)
    switch (response.kind) {
      case 'continuation':
        this.#continuations += 1
        this.changed()
        return
      case 'tagged':
        this.#settle(response)
        return
      default:
        if (response.kind === 'condition' && response.status === 'BYE') this.#hearBye(response.text)
        else if (this.#options.onUntagged(response)) this.#guard.progress()
    }
  }

  #hearBye(text: string): void {
    if (this.#isLeaving) return
    this.hasSaidGoodbye = true
    this.end('remote.disconnected', `The server said goodbye: ${showable(text)}`)
  }

  #settle(reply: TaggedResponse): void {
    if (reply.status === 'BYE') {
      this.#hearBye(reply.text)
      return
    }
    const index = this.#inFlight.findIndex(({ tag }) => tag === reply.tag)
    const entry = this.#inFlight[index]
    if (entry === undefined) throw new ProtocolViolation('The server answered a command that was never sent.')
    this.#inFlight.splice(index, 1)
    this.#guard.check()
    entry.command.settle(reply)
    this.changed()
  }

  /** A continuation request is for the command whose literal or IDLE waits: only one can wait at a time. */
  async #isAskedFor(entry: InFlight): Promise<boolean> {
    const before = this.#continuations
    this.#uncork()
    await this.until(() => this.#continuations > before || !this.#inFlight.includes(entry))
    if (this.ended !== null || !this.#inFlight.includes(entry)) return false
    const { notAfter } = entry.command
    if (notAfter === undefined || this.#options.clock.now() <= notAfter) return true
    this.end('remote.timeout', 'The server asked for a message later than it could be sent.')
    return false
  }

  #writeText(text: string): void {
    if (this.ended !== null) return
    const bytes = Buffer.from(text)
    this.#options.onWire?.({ kind: 'line', direction: 'up', text: text.replace(/\r\n$/, '') })
    this.#write(bytes)
  }

  #writeLiteral(literal: Uint8Array): void {
    for (let at = 0; at < literal.length; at += WRITE_SLICE_OCTETS) this.#write(literal.subarray(at, at + WRITE_SLICE_OCTETS))
  }

  #write(bytes: Uint8Array): void {
    if (this.ended !== null) return
    this.#options.onWire?.({ kind: 'octets', direction: 'up', octets: bytes.length })
    this.#cork()
    this.#socket.write(bytes, () => {
      this.#guard.progress()
      if (this.#changes.size > 0) this.changed()
    })
  }

  /** Commands written in one turn leave in one packet. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    process.nextTick(() => this.#uncork())
  }

  #uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** Servers answer in order, so the oldest; none while the server idles as agreed. */
  #owedAnswer(): OwedAnswer | null {
    const oldest = this.#inFlight[0]
    return oldest === undefined || oldest.isIdling ? null : oldest
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.add(resolve))
  }
}
