/** Listens in while imapflow logs in: tells a greeting that is no IMAP, keeps the server's refusals, and what came after the last answer. */

import type { Socket } from 'node:net'
import { parseResponse, type ResponseCode, type Status } from './response.ts'
import { showable, withoutSecrets } from './server-text.ts'
import type { WireListener } from './wire-event.ts'

/** What the server said when it refused or left. */
export interface Refusal {
  readonly status: Status
  readonly code: ResponseCode | null
  readonly text: string
  readonly isTagged: boolean
}

/** More than any server says before the login is done. */
export const SET_UP_OCTETS_MAX: number = 1024 * 1024
/** What {@link parseResponse} reads without fail: a throw here would reach nobody. */
const CONDITION_LINE = /^(?:\* (?:OK|NO|BAD|BYE|PREAUTH)|[0-9A-F]{1,64} (?:OK|NO|BAD|BYE))(?: |$)/i
const TAGGED_LINE = /^[0-9A-F]+ (?:OK|NO|BAD)(?: |$)/i
const TAG_OF_COMMAND = /^([0-9A-F]+) [A-Z]/
/** Lines of ours that hold no secret. */
const OPEN_COMMANDS = /^[0-9A-F]+ (?:CAPABILITY|STARTTLS|NOOP|LOGOUT)$/i
/** What may come beside tagged replies: an untagged response, a continuation request, nothing. */
const UNTAGGED_LINE = /^(?:\* |\+|$)/
const LITERAL_AT_END = /\{(\d{1,10})\}$/
const LOGIN_COMMAND = /^([0-9A-F]+ (?:LOGIN|AUTHENTICATE))\b/i

/** Why it is not worth to go on: what answers is no IMAP server from the first, or did not answer as one later. */
export type BrokenSetUp = 'no-imap' | 'unexpected' | 'try-later'

export interface SetUpTapOptions {
  readonly onBroken: (why: BrokenSetUp) => void
  readonly onWire: WireListener | undefined
  /** What must not be shown where the server repeats it. */
  readonly secrets: readonly string[]
}

export class SetUpTap {
  /** The last NO, BAD or BYE. */
  refusal: Refusal | null = null
  /** Texts of alerts, for the session to tell. */
  readonly alerts: string[] = []
  hasGreeting = false
  readonly #onWire: WireListener | undefined
  #secrets: readonly string[]
  readonly #onBroken: (why: BrokenSetUp) => void
  #socket: Socket | null = null
  #unread: Buffer = Buffer.alloc(0)
  #sinceAnswer: Buffer[] = []
  #octets = 0
  #isLoginPending = false
  readonly #tags = new Set<string>()
  /** How many octets of a literal are to come; null outside of one. */
  #literalOctetsLeft: number | null = null

  constructor({ onBroken, onWire, secrets }: SetUpTapOptions) {
    this.#onBroken = onBroken
    this.#onWire = onWire
    this.#secrets = secrets
  }

  attach(socket: Socket): void {
    this.#socket = socket
    socket.on('data', this.#hear)
    this.#hearWrites(socket)
  }

  /** What came in clear is forgotten when TLS starts (RFC 9051 §6.2.1): anybody may have said it, alerts too. */
  startTls(): void {
    this.detach()
    this.alerts.length = 0
  }

  detach(): void {
    this.#socket?.removeListener('data', this.#hear)
    if (this.#socket !== null && Object.hasOwn(this.#socket, 'write')) Reflect.deleteProperty(this.#socket, 'write')
    this.#socket = null
    this.#unread = Buffer.alloc(0)
    this.#sinceAnswer = []
    this.#literalOctetsLeft = null
    this.refusal = null
  }

  /** What the server said after its last answer: nobody has taken it. */
  takeRest(): readonly Buffer[] {
    const rest = [...this.#sinceAnswer, this.#unread]
    this.detach()
    this.#secrets = []
    return rest.filter((chunk) => chunk.length > 0)
  }

  readonly #hear = (chunk: Buffer): void => {
    this.#onWire?.({ kind: 'octets', direction: 'down', octets: chunk.length })
    this.#octets += chunk.length
    if (this.#octets > SET_UP_OCTETS_MAX) {
      this.#onBroken('unexpected')
      return
    }
    this.#unread = Buffer.concat([this.#unread, chunk])
    if (!this.hasGreeting && !'* '.startsWith(this.#unread.toString('latin1', 0, 2))) {
      this.#onBroken('no-imap')
      return
    }
    for (let end = this.#unread.indexOf(0x0a); end !== -1; end = this.#unread.indexOf(0x0a)) {
      const line = this.#unread.subarray(0, end + 1)
      this.#unread = this.#unread.subarray(end + 1)
      this.#hearLine(line.toString('latin1').replace(/\r?\n$/, ''), line)
    }
  }

  #hearLine(text: string, line: Buffer): void {
    this.#onWire?.({ kind: 'line', direction: 'down', text: withoutSecrets(text, this.#secrets) })
    if (!this.hasGreeting && !/^\* (?:OK|PREAUTH|BYE)(?: |$)/i.test(text)) {
      this.#onBroken('no-imap')
      return
    }
    this.hasGreeting = true
    const isWithinLiteral = this.#takeLiteral(text, line)
    if (!isWithinLiteral && !this.#isImap(text)) {
      this.#onBroken('unexpected')
      return
    }
    if (!isWithinLiteral && TAGGED_LINE.test(text)) {
      this.#isLoginPending = false
      this.#sinceAnswer = []
    } else this.#sinceAnswer.push(line)
    if (isWithinLiteral || !CONDITION_LINE.test(text)) return
    const response = parseResponse({ text, literals: [] })
    if (response.kind !== 'tagged' && response.kind !== 'condition') return
    if (response.code?.name === 'ALERT') this.alerts.push(showable(response.text, this.#secrets))
    if (response.status === 'OK' || response.status === 'PREAUTH') return
    this.refusal = { ...response, isTagged: response.kind === 'tagged' }
    // imapflow would wait out the time that the server suggests.
    if (suggestsBackoff(response.text)) this.#onBroken('try-later')
  }

  /** imapflow does not mind an answer to nothing, and waits. */
  #isImap(text: string): boolean {
    return UNTAGGED_LINE.test(text) || (CONDITION_LINE.test(text) && this.#tags.has(text.slice(0, text.indexOf(' '))))
  }

  /** Whether the line is a piece of a literal, or what follows one: only the line that announces it is the server's own word. */
  #takeLiteral(text: string, line: Buffer): boolean {
    const isWithin = this.#literalOctetsLeft !== null
    if (this.#literalOctetsLeft !== null) {
      if (line.length <= this.#literalOctetsLeft) {
        this.#literalOctetsLeft -= line.length
        return true
      }
      this.#literalOctetsLeft = null
    }
    const announced = isWithin || !CONDITION_LINE.test(text) ? LITERAL_AT_END.exec(text)?.[1] : undefined
    if (announced !== undefined) this.#literalOctetsLeft = Number(announced)
    return isWithin
  }

  #hearWrites(socket: Socket): void {
    const write = socket.write.bind(socket)
    socket.write = ((chunk: Uint8Array | string, ...rest: never[]) => {
      const text = Buffer.from(chunk as Uint8Array).toString('latin1')
      const tag = TAG_OF_COMMAND.exec(text)?.[1]
      if (tag !== undefined) this.#tags.add(tag)
      this.#onWire?.({ kind: 'octets', direction: 'up', octets: Buffer.byteLength(chunk) })
      this.#onWire?.({ kind: 'line', direction: 'up', text: this.#masked(text.trimEnd()) })
      return write(chunk, ...rest)
    }) as Socket['write']
  }

  /** From LOGIN to its answer nothing of ours is shown, nor anything that is not known to be harmless. */
  #masked(text: string): string {
    if (this.#isLoginPending) return '***'
    const login = LOGIN_COMMAND.exec(text)?.[1]
    if (login !== undefined) {
      this.#isLoginPending = true
      return `${login} ***`
    }
    return OPEN_COMMANDS.test(text) ? text : '***'
  }
}

const BACKOFF_MS_MAX = 3_600_000

/** Microsoft 365: "Request is throttled. Suggested Backoff Time: 92415 milliseconds". */
export function suggestsBackoff(text: string): boolean {
  return /backoff time/i.test(text)
}

/** In milliseconds, at most an hour: a server cannot keep us away for ever. Null where it does not say. */
export function suggestedBackoffMs(text: string): number | null {
  const [, digits] = /backoff time:?\s*(\d{1,12})/i.exec(text) ?? []
  return digits === undefined ? null : Math.min(Number(digits), BACKOFF_MS_MAX)
}
