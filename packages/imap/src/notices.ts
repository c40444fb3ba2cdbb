/** NOTIFY: has the server tell of mailboxes that are not open, and keeps what it tells until the watch takes it (RFC 5465). */

import type { Observation, WatchRequest } from '@tidemail/core'
import { COMMAND_LINE_OCTETS_MAX } from './plan-run.ts'
import type { ListResponse, StatusRowResponse, TaggedResponse, Untagged } from './response.ts'
import type { SessionState } from './session-state.ts'
import { mailboxSeen } from './steps/list.ts'
import { statusSeen } from './steps/status.ts'
import type { Wire } from './wire.ts'

/** Of more mailboxes than this nobody keeps apart which of them changed. */
export const STIRRED_PATHS_MAX = 1_000
/** So much is kept until it is taken; what is more is looked at in a pass over all mailboxes. */
export const OBSERVATIONS_TOLD_MAX = 10_000

/** The first two only together, and the third only with both (RFC 5465 §5). */
const MESSAGE_EVENTS: readonly string[] = ['MessageNew', 'MessageExpunge', 'FlagChange']
const NAME_EVENTS: readonly string[] = ['MailboxName', 'SubscriptionChange']

type Beside = WatchRequest['beside']

export class Notices {
  readonly #wire: Wire
  readonly #state: SessionState
  /** `refused`: it is not asked again on this connection. */
  #standing: 'none' | 'asked' | 'set' | 'refused' = 'none'
  #told: Observation[] = []
  /** What was last said of a mailbox: Dovecot says some of it again shortly after it was asked. */
  readonly #saidOf = new Map<string, Map<string, string>>()
  readonly #stirred = new Set<string | null>()

  constructor({ wire, state }: { readonly wire: Wire; readonly state: SessionState }) {
    this.#wire = wire
    this.#state = state
    state.onNotice = (response) => this.#hear(response)
  }

  get isSet(): boolean {
    return this.#standing === 'set'
  }

  get isRefused(): boolean {
    return this.#standing === 'refused'
  }

  get hasTold(): boolean {
    return this.#stirred.size > 0 || this.#told.length > 0
  }

  /** What was told since the last time: the state of mailboxes as asked for, then which of them have changed. */
  take(): readonly Observation[] {
    const told: readonly Observation[] = [
      ...this.#told,
      ...[...this.#stirred].map((path) => ({ kind: 'stirred' as const, path })),
    ]
    this.#told = []
    this.#stirred.clear()
    return told
  }

  /** Asks for the state of the mailboxes now, and to be told of what changes. What the server has no events for is left out (BADEVENT, RFC 5465 §3.1). */
  async ask(beside: Beside): Promise<void> {
    let events = [...MESSAGE_EVENTS, ...NAME_EVENTS]
    this.#standing = 'asked'
    this.#saidOf.clear()
    for (let tries = 0; tries < 2; tries += 1) {
      const line = notifySet(beside, events, this.#state)
      if (Buffer.byteLength(line) > COMMAND_LINE_OCTETS_MAX) break
      const reply = await this.#send(line)
      if (reply === null) return
      if (reply.status === 'OK') {
        // An overflow may have come before the reply; then nothing is told (RFC 5465 §5.8).
        if (!this.isRefused) this.#standing = 'set'
        return
      }
      const known = reply.code?.name === 'BADEVENT' ? eventsIn(reply.code.args) : null
      if (known === null || !known.includes('MESSAGENEW') || !known.includes('MESSAGEEXPUNGE')) break
      events = events.filter((event) => known.includes(event.toUpperCase()))
    }
    this.#standing = 'refused'
    this.#told = []
  }

  /** What the server tells from now on would be taken for answers to what is asked of it. Not waited for: it answers in order. */
  release(): void {
    if (!this.isSet) return
    this.#standing = 'none'
    void this.#send('NOTIFY NONE')
    this.#told = []
    this.#stirred.clear()
  }

  async #send(line: string): Promise<TaggedResponse | null> {
    let answer: TaggedResponse | null | undefined
    const command = {
      parts: [line],
      settle: (reply: TaggedResponse | null): void => {
        this.#state.forget(command)
        answer = reply
      },
    }
    const isEnd = line === 'NOTIFY NONE'
    this.#state.expect(command, { take: (response) => this.#answer(response, { isEnd }), isMoving: isEnd })
    await this.#wire.start(command)
    await this.#wire.until(() => answer !== undefined)
    return answer ?? null
  }

  /** Before NOTIFY NONE is answered news may come that are no longer wanted: whoever ended the watch looks at everything. */
  #answer(response: Untagged, { isEnd }: { readonly isEnd: boolean }): boolean {
    if (response.kind !== 'status' && response.kind !== 'list') return false
    if (isEnd) return true
    if (response.kind === 'list') this.#hear(response)
    else {
      const path = this.#pathOf(response.name)
      this.#isNew(path, response)
      this.#tell(statusSeen(response, path))
    }
    return true
  }

  #hear(response: Untagged): void {
    if (this.#standing !== 'asked' && !this.isSet) return
    if (response.kind === 'condition' && response.code?.name === 'NOTIFICATIONOVERFLOW') {
      // As if NOTIFY NONE had come: what was not told is found by looking everywhere, and from now on by polling (RFC 5465 §5.8).
      this.#standing = 'refused'
      this.#stir(null)
    } else if (response.kind === 'status') {
      const path = this.#pathOf(response.name)
      if (this.#isNew(path, response)) this.#stir(path)
    } else if (response.kind === 'list') this.#hearName(response)
  }

  /** A name that came, went, or is another one now, with all below it (RFC 5465 §5.4); or one that the server says again. */
  #hearName(response: ListResponse): void {
    // The server cannot tell of this one (RFC 5465 §3.1): that is no news.
    if (response.attributes.includes('\\noaccess')) return
    const isSubscribed = response.attributes.includes('\\subscribed')
    const seen = mailboxSeen(response, this.#state.context({ hasModSeq: false }), isSubscribed)
    if (seen !== null) this.#tell(seen)
    this.#wire.changed()
  }

  #tell(observation: Observation): void {
    if (this.#told.length < OBSERVATIONS_TOLD_MAX) this.#told.push(observation)
    else this.#stir(null)
  }

  /** Whether it says anything that was not said of the mailbox before. */
  #isNew(path: string, { items }: StatusRowResponse): boolean {
    const before = this.#saidOf.get(path) ?? new Map<string, string>()
    let isNew = false
    for (const [name, value] of items) {
      const text = String(value)
      isNew ||= before.get(name) !== text
      before.set(name, text)
    }
    if (this.#saidOf.size < OBSERVATIONS_TOLD_MAX) this.#saidOf.set(path, before)
    return isNew
  }

  #stir(path: string | null): void {
    this.#stirred.add(this.#stirred.size < STIRRED_PATHS_MAX ? path : null)
    this.#wire.changed()
  }

  #pathOf(name: string): string {
    return this.#state.context({ hasModSeq: false }).pathOf(name)
  }
}

/** SELECTED-DELAYED leaves sequence numbers as they are; no FETCH attributes are asked for, so that nothing is marked as read (RFC 5465 §5.2). */
function notifySet(beside: Beside, events: readonly string[], state: SessionState): string {
  const ofMessages = events.filter((event) => MESSAGE_EVENTS.includes(event)).join(' ')
  const { argumentOf } = state.context({ hasModSeq: false })
  const which = beside === 'personal' ? 'PERSONAL' : `MAILBOXES (${beside.map(argumentOf).join(' ')})`
  return `NOTIFY SET STATUS (SELECTED-DELAYED (${ofMessages})) (${which} (${events.join(' ')}))`
}

/** `(MessageNew MessageExpunge)`. */
function eventsIn(args: string): readonly string[] {
  return args.replace(/[()]/g, ' ').toUpperCase().split(' ').filter(Boolean)
}
