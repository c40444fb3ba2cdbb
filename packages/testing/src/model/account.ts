/** One account of the model: its mailboxes by name, subscriptions, quota, and what concerns two mailboxes: copy, move, rename. */

import { type MailboxRole, UID_MAX, UidPairs, UidSet } from '@tidemail/core'
import { ModelMailbox } from './mailbox.ts'
import type { MailboxEvent } from './mailbox-answers.ts'
import { type ModelMessage, type NewMessage, type Refusal, refuse } from './message.ts'

export const DELIMITER = '/'

export interface ModelAccountOptions {
  /** The UIDVALIDITY of the first mailbox; each new one gets the next. */
  readonly uidValidity?: number
  /** The mailboxes there are from the start besides INBOX, with their special use; subscribed. */
  readonly mailboxes?: Readonly<Record<string, MailboxRole | null>>
}

/** What a listener of the whole account hears. */
export interface AccountEvent {
  readonly mailbox: ModelMailbox
  readonly event: MailboxEvent | { readonly kind: 'created' }
}

export interface ModelAppended {
  readonly kind: 'appended'
  readonly target: ModelMailbox
  readonly messages: readonly ModelMessage[]
}

export interface ModelCopied {
  readonly kind: 'copied'
  readonly target: ModelMailbox
  /** Empty when none of the messages exists. */
  readonly pairs: UidPairs
  /** Why the rest of a MOVE was not moved, or null when all was. */
  readonly interruption: Refusal | null
}

export interface ModelMailboxDone {
  readonly kind: 'done'
  readonly mailbox: ModelMailbox
}

const USUAL_MAILBOXES: Readonly<Record<string, MailboxRole>> = {
  Drafts: 'drafts',
  Sent: 'sent',
  Trash: 'trash',
  Junk: 'junk',
  Archive: 'archive',
}

/** The mail of one user. Synchronous: every operation is atomic, and listeners are called before it returns. */
export class ModelAccount {
  /** Knob: octets that all messages together may take, or null. */
  quotaOctets: number | null = null
  /** Knob: octets of the largest message that is taken (APPENDLIMIT, RFC 7889), or null. */
  appendLimitOctets: number | null = null

  /** Knob: a MOVE moves only so many messages and then fails, as RFC 6851 §3.3 allows; null lets it finish. */
  moveStopsAfter: number | null = null

  readonly #mailboxes = new Map<string, ModelMailbox>()
  readonly #subscribed = new Set<string>()
  readonly #listeners = new Set<(event: AccountEvent) => void>()
  #uidValidityNext: number
  #emailIdNext = 1
  #objectIdNext = 1

  constructor(options: ModelAccountOptions = {}) {
    this.#uidValidityNext = options.uidValidity ?? 1_700_000_001
    this.#add('INBOX', 'inbox')
    for (const [path, role] of Object.entries(options.mailboxes ?? USUAL_MAILBOXES)) {
      this.#add(path, role)
      this.#subscribed.add(path)
    }
  }

  /** In the order of their names, INBOX first. */
  get mailboxes(): readonly ModelMailbox[] {
    return [...this.#mailboxes.values()].sort((a, b) => compareNames(a.path, b.path))
  }

  /** The names that are subscribed, whether or not such a mailbox exists. */
  get subscriptions(): ReadonlySet<string> {
    return this.#subscribed
  }

  get inbox(): ModelMailbox {
    return this.open('INBOX')
  }

  get usedOctets(): number {
    return [...this.#mailboxes.values()].reduce((total, mailbox) => total + mailbox.status().sizeOctets, 0)
  }

  mailbox(path: string): ModelMailbox | undefined {
    return this.#mailboxes.get(canonicalPath(path))
  }

  /** The mailbox, for tests that know it is there. @throws Error when it is not. */
  open(path: string): ModelMailbox {
    const mailbox = this.mailbox(path)
    if (mailbox === undefined) throw new Error(`The model has no mailbox "${path}".`)
    return mailbox
  }

  /** The superiors of mailboxes that are no mailboxes themselves: LIST shows them as \Noselect. */
  get containers(): readonly string[] {
    const found = new Set<string>()
    for (const path of this.#mailboxes.keys()) {
      for (const superior of superiorsOf(path)) if (!this.#mailboxes.has(superior)) found.add(superior)
    }
    return [...found].sort(compareNames)
  }

  hasChildren(path: string): boolean {
    return [...this.#mailboxes.keys()].some((other) => other.startsWith(path + DELIMITER))
  }

  create(path: string, { role = null }: { readonly role?: MailboxRole | null } = {}): ModelMailboxDone | Refusal {
    const name = canonicalPath(path.endsWith(DELIMITER) ? path.slice(0, -1) : path)
    if (name === '' || name.split(DELIMITER).includes('')) return refuse('CANNOT', 'Invalid mailbox name')
    if (this.#mailboxes.has(name)) return refuse('ALREADYEXISTS', 'Mailbox already exists')
    if (role !== null && this.mailboxes.some((mailbox) => mailbox.role === role)) return refuse('USEATTR', 'Special use is taken')
    const mailbox = this.#add(name, role)
    this.#tell({ mailbox, event: { kind: 'created' } })
    return { kind: 'done', mailbox }
  }

  delete(path: string): ModelMailboxDone | Refusal {
    const name = canonicalPath(path)
    if (name === 'INBOX') return refuse(null, "INBOX can't be deleted")
    if (this.hasChildren(name)) return refuse(null, 'Mailbox has children, delete them first')
    const mailbox = this.#mailboxes.get(name)
    if (mailbox === undefined) return refuse('NONEXISTENT', `Mailbox doesn't exist: ${name}`)
    this.#mailboxes.delete(name)
    mailbox.announce({ kind: 'deleted' })
    return { kind: 'done', mailbox }
  }

  /** Renames a mailbox with its inferiors; UIDVALIDITY stays. INBOX gives its messages to the new name (RFC 9051 §6.3.6). */
  rename(from: string, to: string): ModelMailboxDone | Refusal {
    const source = canonicalPath(from)
    const target = canonicalPath(to)
    if (this.#mailboxes.has(target)) return refuse('ALREADYEXISTS', 'Target mailbox already exists')
    const mailbox = this.#mailboxes.get(source)
    if (mailbox === undefined && !this.hasChildren(source)) return refuse('NONEXISTENT', `Mailbox doesn't exist: ${source}`)
    if (target.startsWith(source + DELIMITER)) return refuse('CANNOT', "Can't rename a mailbox under itself")
    const moving = [...this.#mailboxes.values()].filter(
      ({ path }) => path === source || (source !== 'INBOX' && path.startsWith(source + DELIMITER)),
    )
    for (const one of moving) {
      const before = one.path
      this.#mailboxes.delete(before)
      one.path = target + before.slice(source.length)
      this.#mailboxes.set(one.path, one)
      one.announce({ kind: 'renamed', from: before })
    }
    if (source === 'INBOX') this.#makeInboxAnew(mailbox as ModelMailbox)
    return { kind: 'done', mailbox: mailbox ?? (moving[0] as ModelMailbox) }
  }

  subscribe(path: string): ModelMailboxDone | Refusal {
    const mailbox = this.mailbox(path)
    if (mailbox === undefined) return refuse(null, `Mailbox doesn't exist: ${path}`)
    this.#subscribed.add(mailbox.path)
    return { kind: 'done', mailbox }
  }

  unsubscribe(path: string): void {
    this.#subscribed.delete(canonicalPath(path))
  }

  /** All of the messages, or none of them (RFC 3502 §6.3.11). */
  append(path: string, messages: readonly NewMessage[]): ModelAppended | Refusal {
    const target = this.#writable(path, messages)
    if (target instanceof ModelMailbox) return { kind: 'appended', target, messages: target.append(messages) }
    return target
  }

  /** Copies those of the messages that exist, all or none. */
  copy(source: ModelMailbox, uids: UidSet, path: string): ModelCopied | Refusal {
    const messages = source.select(uids)
    const target = this.#writable(path, messages)
    if (!(target instanceof ModelMailbox)) return target
    return { kind: 'copied', target, pairs: pairsOf(messages, target.admit(messages)), interruption: null }
  }

  /** Moves those of the messages that exist: all or none, but for the knob `moveStopsAfter`. */
  move(source: ModelMailbox, uids: UidSet, path: string): ModelCopied | Refusal {
    if (source.isReadOnly) return refuse('NOPERM', 'Mailbox is read-only')
    const all = UidSet.from(source.select(uids).map(({ uid }) => uid))
    const rest = this.moveStopsAfter === null ? 0 : Math.max(0, all.size - this.moveStopsAfter)
    const copied = this.copy(source, all.difference(all.highest(rest)), path)
    if (copied.kind === 'refused') return copied
    source.remove(copied.pairs.sources)
    return rest === 0 ? copied : { ...copied, interruption: refuse('LIMIT', 'Not all messages could be moved') }
  }

  /** Calls the listener after every change in any mailbox, in the same turn. Returns how to stop. */
  listen(listener: (event: AccountEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #writable(path: string, messages: readonly { readonly bytes: Uint8Array }[]): ModelMailbox | Refusal {
    const target = this.mailbox(path)
    if (target === undefined) return refuse('TRYCREATE', `Mailbox doesn't exist: ${path}`)
    if (target.isReadOnly) return refuse('NOPERM', 'Mailbox is read-only')
    const limit = this.appendLimitOctets
    if (limit !== null && messages.some(({ bytes }) => bytes.length > limit)) return refuse('TOOBIG', 'Message is too large')
    const added = messages.reduce((total, { bytes }) => total + bytes.length, 0)
    if (this.quotaOctets !== null && this.usedOctets + added > this.quotaOctets) return refuse('OVERQUOTA', 'Quota exceeded')
    return target
  }

  #add(path: string, role: MailboxRole | null): ModelMailbox {
    const uidValidity = this.#uidValidityNext
    this.#uidValidityNext = Math.min(uidValidity + 1, UID_MAX)
    const objectId = `F${this.#objectIdNext}`
    this.#objectIdNext += 1
    const mailbox = new ModelMailbox({ path, objectId, uidValidity, role, nextEmailId: () => this.#nextEmailId() })
    this.#mailboxes.set(path, mailbox)
    mailbox.listen((event) => this.#tell({ mailbox, event }))
    return mailbox
  }

  #makeInboxAnew(former: ModelMailbox): void {
    former.role = null
    this.#tell({ mailbox: this.#add('INBOX', 'inbox'), event: { kind: 'created' } })
  }

  #nextEmailId(): string {
    const id = `M${this.#emailIdNext}`
    this.#emailIdNext += 1
    return id
  }

  #tell(event: AccountEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
}

/** INBOX in any case is `INBOX` (RFC 9051 §5.1). */
export function canonicalPath(path: string): string {
  if (path.toUpperCase() === 'INBOX') return 'INBOX'
  return path.toUpperCase().startsWith(`INBOX${DELIMITER}`) ? `INBOX${path.slice(5)}` : path
}

function superiorsOf(path: string): string[] {
  const names = path.split(DELIMITER)
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join(DELIMITER))
}

function pairsOf(before: readonly ModelMessage[], after: readonly ModelMessage[]): UidPairs {
  const ranges: { from: number; to: number; length: number }[] = []
  before.forEach(({ uid: from }, i) => {
    const to = (after[i] as ModelMessage).uid
    const open = ranges.at(-1)
    if (open !== undefined && from === open.from + open.length && to === open.to + open.length) open.length += 1
    else ranges.push({ from, to, length: 1 })
  })
  return new UidPairs(ranges)
}

function compareNames(a: string, b: string): number {
  if (a === b) return 0
  if (a === 'INBOX' || b === 'INBOX') return a === 'INBOX' ? -1 : 1
  return a < b ? -1 : 1
}
