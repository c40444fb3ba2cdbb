/** Where a server is examined: two sessions, and mailboxes made for it that are removed whatever happens. */

import {
  bodyId,
  type Flag,
  type KnownState,
  type Observation,
  type Opened,
  type Rejection,
  type RowSeen,
  type Step,
  type Uid,
  UidSet,
} from '@tidemail/core'
import { type StepNamer, stepNamer } from '@tidemail/planner'
import { CheckStopped, MailboxRefused, refusalIn, TwoSessions, type Who } from './two-sessions.ts'

/** Every mailbox that an examination makes begins with this, and goes on with letters of its own. */
export const SCRATCH_PREFIX = 'tidemail-doctor-'
/** A step that changes something is not sent later than this. */
const STEP_LIFE_MS = 60_000
/** How long a message that was taken may be missing from what is listed, before the examination goes on without it. */
export const LISTING_WAIT_MS_MAX = 10_000
const LISTING_POLL_MS = 250
/** Removing what was made may take so long: some servers take seconds over each mailbox. */
const CLEAR_MS_MAX = 30_000

export interface Letter {
  readonly messageId: string
  readonly bytes: Uint8Array
  readonly internalDate: number
  readonly flags: readonly Flag[]
}

export class Bench extends TwoSessions {
  readonly name: StepNamer = stepNamer()
  /** The mailbox for the checks; the empty text before `prepare`. */
  path = ''
  /** Scratch mailboxes of earlier examinations that could not remove them. */
  leftovers: readonly string[] = []
  readonly #made = new Set<string>()
  #letters = 0

  /** Connects, and makes the scratch mailbox: at the top, or below INBOX where the server wants that. */
  async prepare(): Promise<void> {
    const seen = await this.run('own', this.list())
    const rows = seen.filter((item) => item.kind === 'mailbox')
    this.leftovers = rows.map(({ path }) => path).filter((path) => path.includes(SCRATCH_PREFIX))
    const delimiter = rows.find(({ path }) => path === 'INBOX')?.delimiter ?? rows[0]?.delimiter ?? '/'
    const word = this.options.random
      .id()
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
    const name = `${SCRATCH_PREFIX}${word.slice(0, 12)}`
    this.path = name
    const refusal = await this.make(name)
    if (refusal === null) return
    this.path = `INBOX${delimiter}${name}`
    const second = await this.make(this.path)
    if (second !== null) throw new CheckStopped(`The server lets no mailbox be made: ${refusal.text || second.text}`)
  }

  async open(who: Who, options: { readonly known?: KnownState; readonly path?: string } = {}): Promise<Look> {
    const { known, path = this.path } = options
    const step: Step = { ...this.#why('open'), kind: 'open', path, access: 'select', ...(known === undefined ? {} : { known }) }
    const observations = await this.must(who, step)
    const opened = observations.find((item): item is Opened => item.kind === 'opened')
    if (opened === undefined) throw new CheckStopped(`${path} could not be opened.`)
    return { opened, observations }
  }

  /** HIGHESTMODSEQ and the number of messages, as STATUS tells them to who has no mailbox open. */
  async status(who: Who): Promise<Extract<Observation, { kind: 'status' }>> {
    const seen = await this.must(
      who,
      { ...this.#why('leave'), kind: 'leave' },
      { ...this.#why('status'), kind: 'status', path: this.path },
    )
    const status = seen.find((item) => item.kind === 'status')
    if (status === undefined) throw new CheckStopped('STATUS told nothing.')
    return status
  }

  list(): Step {
    return { ...this.#why('list'), kind: 'list', withStatus: true }
  }

  leave(): Step {
    return { ...this.#why('leave'), kind: 'leave' }
  }

  /** Null when it was made. */
  async make(path: string): Promise<Rejection | null> {
    this.#made.add(path)
    const observations = await this.run('rival', { ...this.#due('create'), kind: 'create', path })
    const refused = refusalIn(observations)
    // What was there before is not ours to remove.
    if (refused !== null) this.#made.delete(path)
    return refused === null ? null : (refused.rejection ?? { status: 'NO', code: null, text: refused.outcome })
  }

  /** Makes another mailbox for as long as it is used. @throws MailboxRefused */
  async withMailbox<T>(suffix: string, use: (path: string) => Promise<T>): Promise<T> {
    const path = this.path + suffix
    const refusal = await this.make(path)
    if (refusal !== null) throw new MailboxRefused(refusal.text)
    const result = await use(path)
    // Who has it open may lose the connection with it.
    await this.must('rival', this.leave())
    await this.#delete('rival', [path])
    this.#made.delete(path)
    return result
  }

  letter(options: { readonly flags?: readonly Flag[]; readonly octets?: number; readonly internalDate?: number } = {}): Letter {
    const { flags = [], octets = 0, internalDate = Math.floor(this.clock.now() / 1000) * 1000 } = options
    this.#letters += 1
    const messageId = `<${this.#letters}.${this.options.random.id()}@tidemail.invalid>`
    const head = `From: doctor@tidemail.invalid\r\nSubject: Examination ${this.#letters}\r\nMessage-ID: ${messageId}\r\n\r\n`
    const line = `${'0123456789'.repeat(7)}\r\n`
    const text = head + line.repeat(Math.max(1, Math.ceil((octets - head.length) / line.length)))
    return { messageId, bytes: new TextEncoder().encode(text), internalDate, flags }
  }

  append(letter: Letter): Step {
    const id = bodyId(`examination-${this.bytes.size + 1}`)
    this.bytes.set(id, letter.bytes)
    const { flags, internalDate, bytes } = letter
    const message = { bodyId: id, sizeBytes: bytes.length, flags, internalDate }
    return { ...this.#due('append'), kind: 'append', target: this.path, messages: [message] }
  }

  /** Lets the rival put messages into the scratch mailbox, and answers with their UIDs once they are listed. */
  async deliver(count: number): Promise<readonly Uid[]> {
    const letters = Array.from({ length: count }, () => this.letter())
    for (const letter of letters) await this.must('rival', this.append(letter))
    return (await this.find('rival', letters)).uids
  }

  /** Looks until the letters are listed. @throws CheckStopped when they are not in time */
  async find(who: Who, letters: readonly Letter[]): Promise<{ readonly uids: readonly Uid[]; readonly looks: number }> {
    const until = this.clock.now() + LISTING_WAIT_MS_MAX
    for (let looks = 1; ; looks += 1) {
      await this.open(who)
      const rows = await this.rows(who, UidSet.ALL, 'identity')
      const uids = letters.flatMap(({ messageId }) =>
        rows.filter((row) => row.summary?.envelope.messageId === messageId).map(({ uid }) => uid),
      )
      if (uids.length >= letters.length) return { uids, looks }
      if (this.clock.now() >= until || this.signal.aborted) throw new CheckStopped('A message that was taken is not listed.')
      await this.clock.sleep(LISTING_POLL_MS, this.signal)
    }
  }

  /** Rows of the open mailbox, one a message. */
  async rows(
    who: Who,
    uids: UidSet,
    items: 'flags' | 'identity',
    changedSince?: KnownState['modSeq'],
  ): Promise<readonly RowSeen[]> {
    const since = changedSince === undefined ? {} : { changedSince: { modSeq: changedSince, vanished: false } }
    const seen = await this.must(who, { ...this.#why('fetch'), kind: 'fetch', mailbox: this.opened(who), uids, items, ...since })
    const rows = seen.filter((item): item is RowSeen => item.kind === 'row' && (items === 'flags' || item.summary !== null))
    return [...new Map(rows.map((row) => [row.uid, row])).values()]
  }

  search(who: Who): Step {
    return { ...this.#why('search'), kind: 'search', mailbox: this.opened(who), uids: UidSet.ALL }
  }

  store(who: Who, uids: UidSet, flags: readonly Flag[]): Step {
    return { ...this.#due('store'), kind: 'store', mailbox: this.opened(who), uids, direction: 'add', flags }
  }

  expunge(who: Who, uids: UidSet): Step {
    return { ...this.#due('expunge'), kind: 'expunge', mailbox: this.opened(who), uids }
  }

  copy(who: Who, uids: UidSet, target: string): Step {
    return { ...this.#due('copy'), kind: 'copy', mailbox: this.opened(who), uids, target }
  }

  move(who: Who, uids: UidSet, target: string): Step {
    return { ...this.#due('move'), kind: 'move', mailbox: this.opened(who), uids, target }
  }

  body(who: Who, uid: Uid, sizeBytes: number): Step {
    return { ...this.#why('body'), kind: 'fetch-body', mailbox: this.opened(who), parts: [{ uid, section: '', sizeBytes }] }
  }

  /** The rival removes messages, by EXPUNGE where that of UIDs is refused: the mailbox is ours alone. */
  async remove(uids: UidSet): Promise<void> {
    await this.open('rival')
    await this.must('rival', this.store('rival', uids, ['\\Deleted']))
    if (this.has('UIDPLUS') && refusalIn(await this.run('rival', this.expunge('rival', uids))) === null) return
    await this.open('old')
    await this.must('old', { ...this.#due('expunge'), kind: 'expunge-all', mailbox: this.opened('old') })
  }

  /** Removes every mailbox that was made here, also after an interruption. Answers those that are left. */
  async clear(): Promise<readonly string[]> {
    if (this.path === '') return []
    const deadline = new AbortController()
    const timer = this.clock.sleep(CLEAR_MS_MAX, deadline.signal).then(() => null)
    this.obey(deadline.signal)
    const left = await Promise.race([this.#removeAll().catch(() => null), timer])
    deadline.abort()
    return left ?? [this.path]
  }

  async #removeAll(): Promise<readonly string[]> {
    // A mailbox that a session has open may not be removed, and a session that was interrupted may never answer.
    await this.hangUp()
    const made = async (): Promise<readonly string[]> => {
      const seen = await this.run('own', this.list())
      return seen.flatMap((item) => (item.kind === 'mailbox' && item.path.startsWith(this.path) ? [item.path] : []))
    }
    // Some servers list a name in another form of Unicode.
    const paths = [...new Set([...(await made()), ...this.#made])]
    // Some take seconds over each: both sessions work on it.
    const shares = { own: paths.filter((_, i) => i % 2 === 0), rival: paths.filter((_, i) => i % 2 === 1) }
    await Promise.all((['own', 'rival'] as const).map((who) => this.#delete(who, shares[who])))
    return made()
  }

  async #delete(who: Who, paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await this.run(who, ...paths.map((path): Step => ({ ...this.#due('delete'), kind: 'delete', path })))
  }

  #why(kind: string): { readonly id: string; readonly reason: string } {
    return { id: this.name(kind), reason: 'examine the server' }
  }

  #due(kind: string): { readonly id: string; readonly reason: string; readonly notAfter: number } {
    return { ...this.#why(kind), notAfter: this.clock.now() + STEP_LIFE_MS }
  }
}

/** A mailbox as it was opened, and what was told with it. */
export interface Look {
  readonly opened: Opened
  readonly observations: readonly Observation[]
}
