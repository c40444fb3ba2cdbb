/** Reads lines and counted octets from a socket, however the network cuts the stream. */

import type { Socket } from 'node:net'

/** The longest line that is taken, as Dovecot's: a longer one is read to its end and reported. */
export const LINE_OCTETS_MAX = 65_536

export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long'; readonly start: string }

const LF = 10

/** The receiving side of one connection. `null` from a read means that the connection has ended. */
export class OctetReader {
  #socket: Socket | null = null
  #chunks: Buffer[] = []
  #hasEnded = false
  #wake: (() => void) | null = null

  attach(socket: Socket): void {
    this.#socket = socket
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
  }

  /** Lets go of the socket, and forgets what was received but not read: nothing sent in clear may be taken for TLS (RFC 9051 §6.2.1). */
  detach(): void {
    this.#socket?.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd)
    this.#socket = null
    this.#chunks = []
  }

  /** The next line without its line end, one character an octet. */
  async line(): Promise<Line | null> {
    let text = ''
    let isTooLong = false
    for (;;) {
      const chunk = await this.#chunk()
      if (chunk === null) return null
      const end = chunk.indexOf(LF)
      this.#take(end === -1 ? chunk.length : end + 1)
      if (!isTooLong) text += chunk.toString('latin1', 0, end === -1 ? chunk.length : end)
      if (text.length > LINE_OCTETS_MAX) {
        isTooLong = true
        text = text.slice(0, 200)
      }
      if (end === -1) continue
      return isTooLong
        ? { kind: 'too-long', start: text }
        : { kind: 'line', text: text.endsWith('\r') ? text.slice(0, -1) : text }
    }
  }

  /** Exactly this many octets. */
  async octets(count: number): Promise<Uint8Array | null> {
    const result = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      const chunk = await this.#chunk()
      if (chunk === null) return null
      const part = chunk.subarray(0, count - filled)
      result.set(part, filled)
      filled += part.length
      this.#take(part.length)
    }
    return result
  }

  /** Whether something has arrived that was not read, or the connection has ended. */
  get isReady(): boolean {
    return this.#chunks.length > 0 || this.#hasEnded
  }

  /** Resolves when something is there to read, when the connection ends, or when `wake` is called. */
  async ready(): Promise<void> {
    if (this.isReady) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  /** Ends a `ready` that is being waited for. */
  wake(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  async #chunk(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.#chunks[0]
      if (chunk !== undefined) return chunk
      if (this.#hasEnded) return null
      await this.ready()
    }
  }

  #take(count: number): void {
    const chunk = this.#chunks[0] as Buffer
    if (count < chunk.length) this.#chunks[0] = chunk.subarray(count)
    else this.#chunks.shift()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.wake()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.wake()
  }
}
