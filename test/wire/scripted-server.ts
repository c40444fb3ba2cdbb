/** A server that plays lines: what a test writes is what the adapter hears, octet for octet. */

import { createServer, type Server, type Socket } from 'node:net'

/** The client ended the connection before the script was through: for some tests that is the point. */
export class ClientGone extends Error {}

/** The server's side of one connection. */
export class Peer {
  /** Every line the client sent, without literals. */
  readonly lines: string[] = []
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #hasEnded = false
  #wake: (() => void) | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk])
      this.#wake?.()
    })
    const end = (): void => {
      this.#hasEnded = true
      this.#wake?.()
    }
    socket.on('error', end)
    socket.on('end', end)
    socket.on('close', end)
  }

  /** Writes lines, each with CRLF. */
  send(...lines: readonly string[]): void {
    this.raw(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** Writes octets, one character each. */
  raw(text: string): void {
    this.#socket.write(Buffer.from(text, 'latin1'))
  }

  /** Writes octets in pieces of `size`, each in a packet of its own. */
  async trickle(text: string, size: number): Promise<void> {
    for (let at = 0; at < text.length; at += size) {
      await new Promise<void>((resolve) => this.#socket.write(Buffer.from(text.slice(at, at + size), 'latin1'), () => resolve()))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The next line, or null when the client is gone. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#unread.indexOf('\r\n')
      if (end !== -1) {
        const line = this.#unread.toString('latin1', 0, end)
        this.#unread = this.#unread.subarray(end + 2)
        this.lines.push(line)
        return line
      }
      if (this.#hasEnded) return null
      await this.#more()
    }
  }

  /** The next `octets` octets, as a literal. */
  async literal(octets: number): Promise<string> {
    while (this.#unread.length < octets && !this.#hasEnded) await this.#more()
    const text = this.#unread.toString('latin1', 0, octets)
    this.#unread = this.#unread.subarray(octets)
    return text
  }

  /** Reads a command, which must begin like `command` after its tag, and gives the tag. */
  async expect(command: string): Promise<string> {
    const line = await this.line()
    const [tag = '', ...rest] = (line ?? '').split(' ')
    if (line === null) throw new ClientGone(`The client left instead of sending ${command}.`)
    if (!rest.join(' ').startsWith(command)) throw new Error(`Expected ${command}, got: ${line}`)
    return tag
  }

  /** Reads a command and answers: untagged lines as they are, then the tagged reply. */
  async answer(command: string, ...lines: readonly string[]): Promise<void> {
    const tag = await this.expect(command)
    const reply = lines.at(-1) ?? 'OK done'
    this.send(...lines.slice(0, -1), `${tag} ${reply}`)
  }

  /** Greeting and login. */
  async login(capabilities: string): Promise<void> {
    this.send(`* OK [CAPABILITY IMAP4rev1 ${capabilities}] ready`)
    await this.answer('LOGIN', `OK [CAPABILITY IMAP4rev1 ${capabilities}] welcome`)
    const wanted = /\bENABLE\b/.test(capabilities) ? /\b(QRESYNC|CONDSTORE)\b/.exec(capabilities)?.[1] : undefined
    if (wanted !== undefined) {
      const name = capabilities.includes('QRESYNC') ? 'QRESYNC' : wanted
      await this.answer(`ENABLE ${name}`, `* ENABLED ${name}`, 'OK enabled')
    }
  }

  /** Whether the client sends nothing more before its connection ends. */
  async isLeftAlone(): Promise<boolean> {
    return (await this.line()) === null
  }

  cut(): void {
    this.#socket.resetAndDestroy()
  }

  finish(): void {
    this.#socket.end()
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null
        resolve()
      }
    })
  }
}

export interface ScriptedServer {
  readonly port: number
  /** Resolves with the first connection's peer when its script is through; rejects when the client did something else. */
  readonly played: Promise<Peer>
  /** Rejects when the client had sent what the script did not expect. */
  close(): Promise<void>
}

/** Plays the script to the first connection; others are refused. */
export async function startScript(script: (peer: Peer) => Promise<void>): Promise<ScriptedServer> {
  let resolvePlayed: (peer: Peer) => void = () => {}
  let rejectPlayed: (error: unknown) => void = () => {}
  const played = new Promise<Peer>((resolve, reject) => {
    resolvePlayed = resolve
    rejectPlayed = reject
  })
  played.catch(() => {})
  const sockets = new Set<Socket>()
  let failure: unknown
  let isClosing = false
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    const peer = new Peer(socket)
    script(peer).then(
      () => resolvePlayed(peer),
      (error: unknown) => {
        if (!(error instanceof ClientGone) && !isClosing) failure ??= error
        rejectPlayed(error)
        socket.destroy()
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    played,
    close: async () => {
      isClosing = true
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      if (failure !== undefined) throw failure
    },
  }
}
