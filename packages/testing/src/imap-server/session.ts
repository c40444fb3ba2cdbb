/** One connection to the server: reads a command, carries it out, tells the news, replies; until it ends. */

import type { Socket } from 'node:net'
import type { ModelAccount } from '../model/account.ts'
import type { Extension } from '../model/extensions.ts'
import type { MailboxEvent } from '../model/mailbox-answers.ts'
import type { SelectedMailbox } from '../model/selected-mailbox.ts'
import { BadCommand } from './bad-command.ts'
import { type ReceivedCommand, readCommand } from './command-reader.ts'
import { Arguments, tokenize } from './command-syntax.ts'
import { COMMANDS } from './command-table.ts'
import { writeNews } from './news.ts'
import { type NotifyWatch, stopNotify } from './notify-watch.ts'
import { OctetReader } from './octet-reader.ts'
import { capabilitiesOf, isOffered } from './offered-capabilities.ts'
import { bad, type CommandRule, type Reply, type SessionState } from './reply.ts'

/** What a session needs of the server it belongs to. */
export interface SessionHost {
  readonly extensions: ReadonlySet<Extension>
  readonly now: () => number
  readonly canStartTls: boolean
  authenticate(user: string, password: string): ModelAccount | null
  /** Turns the socket into a TLS socket. */
  startTls(socket: Socket): Promise<Socket>
  record(line: string): void
}

const FLUSH_OCTETS_MIN = 256 * 1024

export class Session {
  readonly host: SessionHost
  readonly reader: OctetReader = new OctetReader()
  account: ModelAccount | null = null
  /** `CONDSTORE` and `QRESYNC`, once something enabled them on this connection. */
  readonly enabled: Set<'CONDSTORE' | 'QRESYNC'> = new Set()
  notify: NotifyWatch | null = null
  isLeaving = false
  isTls: boolean
  #socket: Socket
  #selected: SelectedMailbox | null = null
  #stopListening: (() => void) | null = null
  #pending: (string | Uint8Array)[] = []
  #pendingOctets = 0

  constructor(socket: Socket, host: SessionHost, { isTls }: { readonly isTls: boolean }) {
    this.#socket = socket
    this.host = host
    this.isTls = isTls
    this.#attach(socket)
  }

  get state(): SessionState {
    if (this.account === null) return 'not-authenticated'
    return this.#selected === null ? 'authenticated' : 'selected'
  }

  get selected(): SelectedMailbox | null {
    return this.#selected
  }

  /** The account of a session that has logged in. */
  get user(): ModelAccount {
    if (this.account === null) throw new BadCommand('Not logged in')
    return this.account
  }

  /** The mailbox of a session that has selected one. */
  get open(): SelectedMailbox {
    if (this.#selected === null) throw new BadCommand('No mailbox selected')
    return this.#selected
  }

  can(extension: Extension): boolean {
    return this.host.extensions.has(extension)
  }

  async serve(): Promise<void> {
    this.untagged(`OK [CAPABILITY ${capabilitiesOf(this)}] Tidemail test server ready.`)
    await this.flush()
    while (!this.isLeaving) {
      const received = await readCommand(this.reader, {
        extensions: this.host.extensions,
        sendContinuation: () => this.continuation('OK'),
      })
      if (received === null) break
      await this.#obey(received)
    }
    this.select(null)
    stopNotify(this)
    this.#socket.end()
  }

  /** Makes this the open mailbox, or none. A mailbox that is deleted or loses its UIDs takes the connection down, as on Dovecot. */
  select(selected: SelectedMailbox | null): void {
    this.#stopListening?.()
    this.#stopListening = selected?.mailbox.listen((event) => this.#onMailboxEvent(event)) ?? null
    this.#selected = selected
  }

  /** Turns on mod-sequences, and says HIGHESTMODSEQ when the mailbox was opened without (RFC 7162 §3.1). */
  enableCondstore(): void {
    if (this.enabled.has('CONDSTORE')) return
    this.enabled.add('CONDSTORE')
    if (this.#selected !== null) this.untagged(`OK [HIGHESTMODSEQ ${this.#selected.mailbox.highestModSeq}] Highest`)
  }

  untagged(text: string): void {
    this.write(`* ${text}\r\n`)
  }

  continuation(text: string): void {
    this.write(`+ ${text}\r\n`)
    void this.flush()
  }

  /** Text holds one character an octet. Sent with the next flush. */
  write(data: string | Uint8Array): void {
    this.#pending.push(data)
    this.#pendingOctets += data.length
  }

  /** Sends what is pending, and waits while the client does not read. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0 || this.#socket.destroyed) return
    const octets = Buffer.concat(this.#pending.map((data) => (typeof data === 'string' ? Buffer.from(data, 'latin1') : data)))
    this.#pending = []
    this.#pendingOctets = 0
    if (this.#socket.write(octets)) return
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        this.#socket.off('drain', settle).off('close', settle)
        resolve()
      }
      this.#socket.on('drain', settle).on('close', settle)
    })
  }

  /** Sends what is pending once it is much. */
  async flushWhenLarge(): Promise<void> {
    if (this.#pendingOctets >= FLUSH_OCTETS_MIN) await this.flush()
  }

  /** Goes on over TLS. The tagged OK was sent before. */
  async startTls(): Promise<void> {
    await this.flush()
    this.reader.detach()
    this.#socket = await this.host.startTls(this.#socket)
    this.isTls = true
    this.#attach(this.#socket)
  }

  /** Ends the connection from the server's side. */
  bye(text: string): void {
    if (this.isLeaving) return
    this.isLeaving = true
    this.untagged(`BYE ${text}`)
    void this.flush().then(() => this.#socket.destroySoon())
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.isLeaving = true
    this.#socket.destroy()
  }

  async #obey(received: ReceivedCommand): Promise<void> {
    if (received.kind === 'bad') {
      this.host.record(received.line)
      this.write(`${received.tag} BAD Error in IMAP command: ${received.text}\r\n`)
      return await this.flush()
    }
    this.host.record(recordable(received))
    const { tag } = received
    const rule = this.#ruleOf(received)
    const reply =
      rule.kind === 'unknown' ? bad(`Error in IMAP command ${received.name}: Unknown command.`) : await this.#run(tag, rule)
    if (this.#selected !== null && !this.isLeaving) {
      writeNews(this, { withExpunges: !(rule.kind === 'known' && rule.holdsExpunges && !rule.isUid), withUids: rule.isUid })
    }
    this.write(`${tag} ${reply.status} ${reply.code === null ? '' : `[${reply.code}] `}${reply.text}\r\n`)
    if (rule.name === 'STARTTLS' && reply.status === 'OK') await this.startTls()
    await this.flush()
  }

  #ruleOf(received: ReceivedCommand & { readonly kind: 'command' }): Lookup {
    const isUid = received.name === 'UID'
    const second = isUid && typeof received.pieces[0] === 'string' ? /^([A-Za-z]+) */.exec(received.pieces[0]) : null
    const name = isUid ? (second?.[1] ?? '').toUpperCase() : received.name
    const rule = (isUid ? COMMANDS.byUid : COMMANDS.plain).get(name)
    if (rule === undefined || !isOffered(this, { name, isUid })) return { kind: 'unknown', name, isUid }
    const first = received.pieces[0] as string
    const pieces = [first.slice(second?.[0].length ?? 0), ...received.pieces.slice(1)]
    return { kind: 'known', name, isUid, rule, holdsExpunges: rule.holdsExpunges === true, pieces }
  }

  async #run(tag: string, { name, rule, pieces, isUid }: Lookup & { readonly kind: 'known' }): Promise<Reply> {
    if (!rule.states.includes(this.state)) return bad(`Error in IMAP command ${name}: Not allowed now.`)
    try {
      return await rule.run({ session: this, tag, args: new Arguments(tokenize(pieces)), isUid })
    } catch (error) {
      if (!(error instanceof BadCommand)) throw error
      return bad(`Error in IMAP command ${name}: ${error.message}`)
    }
  }

  #attach(socket: Socket): void {
    this.reader.attach(socket)
    // A client that goes away shows as the end of what can be read.
    socket.on('error', () => undefined)
  }

  #onMailboxEvent(event: MailboxEvent): void {
    if (event.kind === 'deleted' || event.kind === 'reset') {
      this.bye('IMAP session state is inconsistent, please relogin.')
    }
    this.reader.wake()
  }
}

type Lookup =
  | { readonly kind: 'unknown'; readonly name: string; readonly isUid: boolean }
  | {
      readonly kind: 'known'
      readonly name: string
      readonly isUid: boolean
      readonly rule: CommandRule
      readonly holdsExpunges: boolean
      readonly pieces: readonly (string | Uint8Array)[]
    }

function recordable({ tag, name, line }: ReceivedCommand & { readonly kind: 'command' }): string {
  return name === 'LOGIN' || name === 'AUTHENTICATE' ? `${tag} ${name} ***` : line
}
