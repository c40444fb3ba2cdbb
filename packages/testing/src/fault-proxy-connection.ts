/** One proxied connection: follows both directions as IMAP, applies mask and faults, and counts what goes by. */

import { connect, type Socket } from 'node:net'
import type { ConnectionContext } from './fault-proxy-context.ts'
import type { CutHow, Direction } from './fault-proxy-fault.ts'
import { holdBack, type Pending } from './fault-proxy-interlude.ts'
import { maskClientLine, type RewriteServerLine, refusalOf, serverLineMask } from './fault-proxy-mask.ts'
import { FaultProxyPipe } from './fault-proxy-pipe.ts'
import { endOfText, ImapLineSplitter, type LinePiece, type Piece } from './imap-line-splitter.ts'
import { continued, type ProxiedCommand, readCommand } from './proxied-command.ts'
import { resetWhenFlushed } from './reset-when-flushed.ts'

/** What happens to the rest of the client's current command. */
type Treatment = 'forward' | 'refuse'

export class FaultProxyConnection {
  readonly #context: ConnectionContext
  readonly #client: Socket
  readonly #server: Socket
  readonly #up: FaultProxyPipe
  readonly #down: FaultProxyPipe
  readonly #fromClient = new ImapLineSplitter('client')
  readonly #fromServer = new ImapLineSplitter('server')
  readonly #maskLine: RewriteServerLine
  #readsLines: boolean
  #lastDirection: Direction | 'none' = 'none'
  #cutBy: CutHow | null = null
  /** Forwarded and not yet answered, oldest first. */
  #pending: Pending[] = []
  /** The command whose lines are coming from the client. */
  #current: ProxiedCommand | null = null
  #treatment: Treatment = 'forward'
  /** The client sent `{n}` and waits for `+` before it sends the literal, or for a refusal. */
  #awaitsGoAhead = false
  #refusals: string[] = []
  /** Set once a request is being lost: nothing more goes up, and the line breaks when all before it is answered. */
  #losesRequestsBy: CutHow | null = null
  #isDroppingResponse = false
  #isInsideResponse = false

  constructor(client: Socket, context: ConnectionContext) {
    this.#context = context
    this.#client = client
    this.#server = connect({ host: context.host, port: context.port, noDelay: true, allowHalfOpen: true })
    this.#readsLines = context.readsLines
    this.#maskLine = context.mask === null ? (line) => line : serverLineMask(context.mask)
    this.#up = this.#pipe('up', client, this.#server)
    this.#down = this.#pipe('down', this.#server, client)
    this.#follow(client, this.#server, 'up')
    this.#follow(this.#server, client, 'down')
  }

  /** Breaks the connection on both sides, behind what was already handed on. One that has fallen silent can still be ended. */
  cut(how: CutHow): void {
    if (this.#cutBy !== null && this.#cutBy !== 'stall') return
    this.#cutBy = how
    this.#up.close()
    this.#down.close()
    if (how === 'stall') return
    for (const socket of [this.#client, this.#server]) {
      if (how === 'fin') socket.end()
      else resetWhenFlushed(socket)
    }
  }

  destroy(): void {
    this.#up.close()
    this.#down.close()
    this.#client.destroy()
    this.#server.destroy()
  }

  #pipe(direction: Direction, source: Socket, target: Socket): FaultProxyPipe {
    return new FaultProxyPipe(source, target, () => this.#context.pace(direction), {
      allowance: (count) => this.#context.fault().allowance(direction, count),
      onWritten: (count) => {
        if (direction === 'up') return
        this.#context.countBytes('down', count)
        // Turns are seen from the client's end of the flight time: an answer counts when it arrives.
        if (this.#lastDirection === 'up') this.#context.countTurn()
        this.#lastDirection = 'down'
      },
      onBreak: () => this.#strike(this.#context.fault().cutHow),
    })
  }

  #follow(source: Socket, target: Socket, direction: Direction): void {
    const pipe = direction === 'up' ? this.#up : this.#down
    let hasFailed = false
    source.on('data', (chunk: Buffer) => {
      if (this.#cutBy === null) this.#onData(direction, chunk)
    })
    source.on('end', () => {
      if (this.#cutBy !== null) return
      pipe.send((direction === 'up' ? this.#fromClient : this.#fromServer).flush())
      pipe.afterAll(() => target.end())
    })
    source.on('error', () => {
      hasFailed = true
    })
    source.on('close', () => {
      if (this.#cutBy === null) pipe.afterAll(() => (hasFailed ? target.resetAndDestroy() : target.end()))
      // Behind a silent line the client does not see the server go.
      else if (this.#cutBy === 'stall' && direction === 'up') target.destroy()
      if (!this.#client.destroyed || !this.#server.destroyed) return
      this.destroy()
      this.#context.closed()
    })
  }

  #onData(direction: Direction, chunk: Buffer): void {
    if (direction === 'up') {
      this.#context.countBytes('up', chunk.length)
      this.#lastDirection = 'up'
    }
    if (!this.#readsLines) (direction === 'up' ? this.#up : this.#down).send(chunk)
    else if (direction === 'up') this.#readClient(chunk)
    else for (const piece of this.#fromServer.push(chunk)) this.#onServerPiece(piece)
    this.#up.flush()
    // A command refused here has been answered downwards.
    this.#down.flush()
  }

  #readClient(chunk: Buffer): void {
    for (const piece of this.#fromClient.push(chunk)) {
      if (this.#losesRequestsBy !== null) return
      this.#awaitsGoAhead = piece.kind === 'line' && piece.literal?.isSynchronising === true
      if (piece.kind === 'literal') {
        if (this.#treatment === 'forward') this.#up.send(piece.bytes)
      } else {
        this.#onClientLine(piece)
      }
    }
  }

  #onClientLine(piece: LinePiece): void {
    const text = textOf(piece.bytes)
    if (piece.isFirst) {
      this.#current = readCommand(this.#context.number, text)
      this.#treatment = 'forward'
      if (this.#current !== null && !this.#beginCommand(this.#current, text)) return
    } else if (this.#current !== null) {
      const whole = continued(this.#current, text)
      this.#context.replaceCommand(this.#current, whole)
      this.#current = whole
    }
    if (this.#treatment === 'refuse') this.#swallow(piece)
    else this.#up.send(this.#rewritten(piece, text))
  }

  /** False when the line is not to be handled further, because a fault took it. */
  #beginCommand(command: ProxiedCommand, text: string): boolean {
    this.#context.addCommand(command)
    if (this.#refusal(command, text) !== null) {
      this.#treatment = 'refuse'
      return true
    }
    const fault = this.#context.fault().onCommand(command)
    if (fault?.kind === 'lose-request') {
      this.#losesRequestsBy = fault.how
      this.#breakWhenAnswered()
      return false
    }
    const armed = this.#context.fault()
    const countsFrom = armed.countsFrom(command)
    const startCounting = (): void => armed.startCounting()
    if (countsFrom === 'up') this.#up.afterAll(startCounting)
    const interludes = this.#context.interludes(command)
    const whenNext = [
      ...(countsFrom === 'down' ? [startCounting] : []),
      ...interludes.filter(({ at }) => at === 'request').map(({ act }) => holdBack(this.#up, act)),
    ]
    const meanwhile = interludes.filter(({ at }) => at === 'reply')
    this.#pending.push({ tag: command.tag, name: command.name, answerFault: fault, whenNext, meanwhile })
    this.#tellNext()
    return true
  }

  #refusal(command: ProxiedCommand, text: string): string | null {
    if (this.#context.refuse.has(command.name)) return `${command.name} is refused here`
    return this.#context.mask === null ? null : refusalOf(this.#context.mask, text.slice(command.tag.length + 1))
  }

  /** A refused command is answered at its end, or where it would have had to wait for the server's `+`. */
  #swallow(piece: LinePiece): void {
    if (piece.literal !== null && !piece.literal.isSynchronising) return
    if (piece.literal !== null) this.#fromClient.cancelLiteral()
    const command = this.#current
    if (command === null) return
    this.#refusals.push(`${command.tag} BAD ${command.name} is not known here\r\n`)
    this.#sendRefusals()
  }

  /** Never into the middle of a response of the server. */
  #sendRefusals(): void {
    if (this.#isInsideResponse) return
    for (const refusal of this.#refusals) this.#down.send(Buffer.from(refusal, 'latin1'))
    this.#refusals = []
  }

  /** Only what begins a command: `DONE`, and what follows a literal, passes as it is. */
  #rewritten(piece: LinePiece, text: string): Buffer {
    const { mask, rewriteCommand } = this.#context
    if (!piece.isFirst || this.#current === null) return piece.bytes
    const masked = mask === null ? text : maskClientLine(mask, text)
    const rewritten = rewriteCommand === null ? masked : rewriteCommand(masked)
    return rewritten === text ? piece.bytes : Buffer.from(`${rewritten}\r\n`, 'latin1')
  }

  #onServerPiece(piece: Piece): void {
    if (this.#cutBy !== null) return
    if (piece.kind === 'literal') {
      if (!this.#isDroppingResponse) this.#down.send(piece.bytes)
      return
    }
    if (piece.isFirst) {
      this.#isDroppingResponse = this.#losesEverything(piece)
      const tagged = this.#takeAnswered(piece)
      if (tagged?.answerFault != null) {
        const { how } = tagged.answerFault
        // What follows queues up behind the break and never arrives.
        this.#down.afterAll(() => this.#strike(how))
        return
      }
      for (const { act } of tagged?.meanwhile ?? []) this.#down.hold(act)
      if (tagged !== null) this.#onAnswered(tagged, piece)
    }
    this.#forwardServerLine(piece)
    this.#tellNext()
    this.#isInsideResponse = piece.literal !== null
    this.#sendRefusals()
    this.#breakWhenAnswered()
  }

  #forwardServerLine(piece: LinePiece): void {
    const { rewriteLine, mask } = this.#context
    if (this.#isDroppingResponse) return
    if (rewriteLine === null && mask === null) {
      this.#down.send(piece.bytes)
      return
    }
    const text = textOf(piece.bytes)
    const masked = this.#maskLine(text)
    const rewritten = masked === null || rewriteLine === null ? masked : rewriteLine(masked)
    if (rewritten === null) this.#isDroppingResponse = true
    else this.#down.send(rewritten === text ? piece.bytes : Buffer.from(`${rewritten}\r\n`, 'latin1'))
  }

  /** Whether this response is lost along with the tagged reply to come. The `+` for a literal is not: without it nothing would be sent. */
  #losesEverything(piece: LinePiece): boolean {
    return this.#pending[0]?.answerFault?.loses === 'everything' && piece.bytes[0] !== PLUS
  }

  #takeAnswered(piece: LinePiece): Pending | null {
    if (piece.bytes[0] === STAR || piece.bytes[0] === PLUS || this.#pending.length === 0) return null
    const tag = textOf(piece.bytes).split(' ', 1)[0]
    const at = this.#pending.findIndex((pending) => pending.tag === tag)
    return at === -1 ? null : (this.#pending.splice(at, 1)[0] ?? null)
  }

  #onAnswered(answered: Pending, piece: LinePiece): void {
    const isOk = /^\S+ OK\b/i.test(textOf(piece.bytes))
    if (!isOk && this.#awaitsGoAhead && this.#current?.tag === answered.tag) {
      this.#awaitsGoAhead = false
      this.#fromClient.cancelLiteral()
    }
    // What follows is no longer lines that this proxy could read.
    if (isOk && (answered.name === 'STARTTLS' || answered.name === 'COMPRESS')) this.#readsLines = false
  }

  #tellNext(): void {
    for (const call of this.#pending[0]?.whenNext.splice(0) ?? []) this.#down.afterAll(call)
  }

  #breakWhenAnswered(): void {
    const how = this.#losesRequestsBy
    if (how === null || this.#pending.length > 0) return
    this.#down.afterAll(() => this.#strike(how))
  }

  #strike(how: CutHow): void {
    if (this.#cutBy !== null) return
    this.#context.fault().strike()
    this.cut(how)
  }
}

const STAR = 0x2a
const PLUS = 0x2b

function textOf(line: Buffer): string {
  return line.toString('latin1', 0, endOfText(line))
}
