/** A minimal IMAP client on a bare socket: sends what it is told and hands back what came, for seeding, checks and comparisons. */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface RawImapOptions {
  readonly host: string
  readonly port: number
  /** A certificate (PEM) to trust; given, the connection is TLS from the start. */
  readonly ca?: string
  /** How long the server may stay silent while an answer is awaited. */
  readonly silenceMs?: number
}

/** One line of the server, put together again with its literals. */
export interface RawResponse {
  /** Latin-1, each literal standing as `{n}` only. */
  readonly text: string
  readonly literals: readonly Buffer[]
}

export interface RawAnswer {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** What followed the status in the tagged reply. */
  readonly text: string
  /** The untagged responses, unless `onResponse` took them. */
  readonly lines: readonly RawResponse[]
}

export interface RawCommandOptions {
  /** Takes each untagged response as it comes, so that large answers need not be held. */
  readonly onResponse?: (response: RawResponse) => void
}

export interface RawSeed {
  readonly mailbox?: string
  readonly count: number
  /** The message with that number, from 1. By default about 160 bytes of plain text with a Message-ID. */
  readonly message?: (number: number) => Uint8Array
  readonly flags?: (number: number) => readonly string[]
}

const SILENCE_MS = 60_000
/** Messages per MULTIAPPEND command: fast on Dovecot and Cyrus, and far from any line limit. */
const MULTIAPPEND_MESSAGES_MAX = 1_000
const LITERAL_AT_END = /\{(\d+)\}$/
const ENDS_IN_TEXT = /^(?:\+|\* (?:OK|NO|BAD|BYE|PREAUTH) |\S+ (?:OK|NO|BAD) )/

export class RawImap {
  readonly #socket: Socket
  readonly #silenceMs: number
  #greeting = ''
  #capabilities: ReadonlySet<string> = new Set()
  #tagNumber = 0
  #unread: Buffer = Buffer.alloc(0)
  #textSoFar = ''
  #literals: Buffer[] = []
  #literalParts: Buffer[] = []
  #literalBytesLeft = 0
  #literalIsOpen = false
  /** Who waits for the next responses; without one they are kept. */
  #waiter: { readonly onLine: (response: RawResponse) => void; readonly onEnd: (error: Error) => void } | null = null
  #kept: RawResponse[] = []
  #endedBy: Error | null = null
  #timer: NodeJS.Timeout | undefined

  /** Connects and waits for the greeting. */
  static async connect(options: RawImapOptions): Promise<RawImap> {
    const { host, port, ca } = options
    const socket =
      ca === undefined ? connectTcp({ host, port, noDelay: true }) : connectTls({ host, port, ca, servername: 'localhost' })
    const client = new RawImap(socket, options.silenceMs ?? SILENCE_MS)
    client.#greeting = (await client.#next()).text
    return client
  }

  private constructor(socket: Socket, silenceMs: number) {
    this.#socket = socket
    this.#silenceMs = silenceMs
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('The server closed the connection.')))
  }

  get greeting(): string {
    return this.#greeting
  }

  /** Logs in and asks for the capabilities. */
  async login(user: { readonly name: string; readonly password: string }): Promise<void> {
    await this.ok(`LOGIN ${quoted(user.name)} ${quoted(user.password)}`)
    const { lines } = await this.ok('CAPABILITY')
    const names =
      lines
        .find((line) => /^\* CAPABILITY /i.test(line.text))
        ?.text.split(' ')
        .slice(2) ?? []
    this.#capabilities = new Set(names.map((name) => name.toUpperCase()))
  }

  has(capability: string): boolean {
    return this.#capabilities.has(capability.toUpperCase())
  }

  /**
   * Sends one command and resolves with its answer. Bytes in the list go as literals, waiting for the server's `+` where it lacks
   * LITERAL+. One command at a time.
   *
   * @example await client.command(['APPEND INBOX ', message])
   */
  async command(line: string | readonly (string | Uint8Array)[], options: RawCommandOptions = {}): Promise<RawAnswer> {
    this.#tagNumber += 1
    const tag = `r${this.#tagNumber}`
    const parts = typeof line === 'string' ? [line] : line
    const lines: RawResponse[] = []
    let onGoAhead: () => void = () => {}
    let tagged: string | undefined
    const answered = new Promise<string>((resolve, reject) => {
      this.#await(reject, (response) => {
        if (response.text.startsWith('+')) onGoAhead()
        else if (!response.text.startsWith(`${tag} `)) (options.onResponse ?? ((untagged) => lines.push(untagged)))(response)
        else {
          tagged = response.text.slice(tag.length + 1)
          this.#stopWaiting()
          resolve(tagged)
          onGoAhead()
        }
      })
    })
    let out: (string | Uint8Array)[] = [`${tag} `]
    for (const part of parts) {
      if (typeof part === 'string') out.push(part)
      else if (this.has('LITERAL+')) out.push(`{${part.length}+}\r\n`, part)
      else {
        const goAhead = new Promise<void>((resolve) => {
          onGoAhead = resolve
        })
        this.#write([...out, `{${part.length}}\r\n`])
        await Promise.race([goAhead, answered])
        out = [part]
        if (tagged !== undefined) break
      }
    }
    if (tagged === undefined) this.#write([...out, '\r\n'])
    return answerOf(await answered, lines)
  }

  /** Like `command`, and throws unless the answer is OK. The error names the command, never its arguments. */
  async ok(line: string | readonly (string | Uint8Array)[], options: RawCommandOptions = {}): Promise<RawAnswer> {
    const answer = await this.command(line, options)
    if (answer.status === 'OK') return answer
    const first = typeof line === 'string' ? line : String(line[0])
    throw new Error(`${first.split(' ', 1)[0]} was answered ${answer.status} ${answer.text}`)
  }

  /** Appends many small messages, a thousand per command where the server has MULTIAPPEND (RFC 3502). */
  async seed(seed: RawSeed): Promise<void> {
    const perCommand = this.has('MULTIAPPEND') ? MULTIAPPEND_MESSAGES_MAX : 1
    for (let from = 1; from <= seed.count; from += perCommand) {
      const parts: (string | Uint8Array)[] = [`APPEND ${quoted(seed.mailbox ?? 'INBOX')}`]
      for (let number = from; number < from + perCommand && number <= seed.count; number += 1) {
        const flags = seed.flags?.(number) ?? []
        parts.push(flags.length > 0 ? ` (${flags.join(' ')}) ` : ' ', (seed.message ?? smallMessage)(number))
      }
      await this.ok(parts)
    }
  }

  /** Sends bytes as they are, outside any command. */
  send(bytes: string | Uint8Array): void {
    this.#write([bytes])
  }

  /** The next response that comes without a command, as in IDLE. */
  nextResponse(): Promise<RawResponse> {
    return this.#next()
  }

  async logout(): Promise<void> {
    await this.command('LOGOUT').catch(() => undefined)
    this.close()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket.destroy()
  }

  #next(): Promise<RawResponse> {
    return new Promise((resolve, reject) => {
      this.#await(reject, (response) => {
        this.#stopWaiting()
        resolve(response)
      })
    })
  }

  #await(onEnd: (error: Error) => void, onLine: (response: RawResponse) => void): void {
    this.#waiter = { onLine, onEnd }
    const kept = this.#kept
    this.#kept = []
    for (const response of kept) this.#deliver(response)
    if (this.#waiter === null) return
    if (this.#endedBy !== null) onEnd(this.#endedBy)
    else this.#restartSilence()
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#waiter = null
  }

  #deliver(response: RawResponse): void {
    if (this.#waiter === null) this.#kept.push(response)
    else this.#waiter.onLine(response)
  }

  #write(parts: readonly (string | Uint8Array)[]): void {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)))
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  #read(chunk: Buffer): void {
    if (this.#waiter !== null) this.#restartSilence()
    let rest = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk
    for (;;) {
      if (this.#literalIsOpen) {
        const part = rest.subarray(0, this.#literalBytesLeft)
        this.#literalParts.push(part)
        this.#literalBytesLeft -= part.length
        rest = rest.subarray(part.length)
        if (this.#literalBytesLeft > 0) break
        this.#literals.push(Buffer.concat(this.#literalParts))
        this.#literalParts = []
        this.#literalIsOpen = false
      }
      const end = rest.indexOf('\r\n')
      if (end === -1) break
      this.#readLine(rest.toString('latin1', 0, end))
      rest = rest.subarray(end + 2)
    }
    this.#unread = rest
  }

  #readLine(line: string): void {
    const text = this.#textSoFar + line
    const literal = this.#textSoFar === '' && ENDS_IN_TEXT.test(line) ? null : LITERAL_AT_END.exec(line)
    if (literal !== null) {
      this.#textSoFar = text
      this.#literalBytesLeft = Number(literal[1])
      this.#literalIsOpen = true
      return
    }
    const response = { text, literals: this.#literals }
    this.#textSoFar = ''
    this.#literals = []
    this.#deliver(response)
  }

  #restartSilence(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end(new Error(`The server was silent for ${this.#silenceMs} ms.`)), this.#silenceMs)
    this.#timer.unref()
  }

  #end(error: Error): void {
    clearTimeout(this.#timer)
    if (this.#endedBy === null) this.#endedBy = error
    this.#socket.destroy()
    this.#waiter?.onEnd(this.#endedBy)
  }
}

/** A name or password as IMAP writes it. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function answerOf(tagged: string, lines: readonly RawResponse[]): RawAnswer {
  const found = /^(OK|NO|BAD)\b ?(.*)$/s.exec(tagged)
  const status = found?.[1]
  if (status !== 'OK' && status !== 'NO' && status !== 'BAD') throw new Error('The tagged reply has no status.')
  return { status, text: found?.[2] ?? '', lines }
}

function smallMessage(number: number): Uint8Array {
  const lines = [
    'From: Ada <ada@example.org>',
    'To: Bob <bob@example.org>',
    `Subject: Message ${number}`,
    `Message-ID: <seed-${number}@example.org>`,
    'Date: Mon, 05 Jan 2026 10:00:00 +0000',
    '',
    `This is message ${number}.`,
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}
