/** The message store in plain Maps: naive, and so obviously right that the real ones are held against it. */

import {
  type Acceptance,
  type AccountId,
  type BodyId,
  type Change,
  type Clock,
  type CommitResult,
  type EntryRecord,
  type EntrySeq,
  type Expectation,
  type LocalId,
  type MailboxId,
  type MessageStore,
  namesReplaced,
  type PlanningReads,
  type StoreNews,
  SyncError,
  type ViewReads,
  type Write,
} from '@tidemail/core'
import { applyWrite, boxesOf, dropBox, MemoryConflict, ownBytes } from './memory/apply-write.ts'
import { mailboxViews, message, page, part, partOnServer } from './memory/naive-view.ts'
import { NewsFeed } from './memory/news-feed.ts'
import { releaseParts } from './memory/parts.ts'
import { planningReads } from './memory/planning-reads.ts'
import { resolveTargets } from './memory/resolve-forwards.ts'
import { bodiesOfEntry, copyOfState, dropUnnamedBodies, emptyState, type MemoryState } from './memory/state.ts'

/** What outlives a store that was closed, or whose engine died. */
export class MemoryDisk {
  state: MemoryState = emptyState()
  /** Every store that is open on this disk hears of what the others write. */
  readonly feeds: Set<NewsFeed> = new Set()
}

export interface MemoryStoreOptions {
  /** Left out: an empty one. */
  readonly disk?: MemoryDisk
  /** Times the change feed. */
  readonly clock?: Pick<Clock, 'sleep'>
  /** Left out: `process`. */
  readonly ownership?: MessageStore['ownership']
}

/** A store that lives as long as its {@link MemoryDisk}. */
export class MemoryMessageStore implements MessageStore {
  readonly ownership: MessageStore['ownership']
  readonly planning: PlanningReads
  readonly view: ViewReads
  readonly #disk: MemoryDisk
  readonly #feed: NewsFeed
  #isClosed = false

  constructor(options: MemoryStoreOptions = {}) {
    this.ownership = options.ownership ?? 'process'
    this.#disk = options.disk ?? new MemoryDisk()
    this.#feed = new NewsFeed(options.clock)
    this.#disk.feeds.add(this.#feed)
    const read = async <T>(reader: (state: MemoryState) => T): Promise<T> => {
      await this.#turn()
      return reader(this.#disk.state)
    }
    this.planning = planningReads(read, (writer) => this.#write(writer))
    this.view = {
      mailboxes: (accountId) => read((state) => mailboxViews(state, accountId)),
      page: (query) => read((state) => page(state, query)),
      message: (reference) => read((state) => message(state, reference)),
      part: (reference, section) => read((state) => part(state, reference, section)),
      partOnServer: (reference, section) => read((state) => partOnServer(state, reference, section)),
    }
  }

  async commit(change: Change): Promise<CommitResult> {
    const digests = await digestsOfParts(change.writes)
    try {
      const revision = await this.#write((state) => {
        checkExpectation(state, change.expect)
        checkLateNames(state, change)
        const before = mailboxAccounts(state)
        for (const write of change.writes) applyWrite(state, write, digests)
        dropUnnamedBodies(state)
        this.#tell(state, change.writes, new Map([...before, ...mailboxAccounts(state)]))
        return state.revision
      })
      return { kind: 'committed', revision }
    } catch (error) {
      if (error instanceof MemoryConflict) return { kind: 'conflict', on: error.on, what: error.message }
      throw error
    }
  }

  accept(acceptance: Acceptance): Promise<EntryRecord> {
    return this.#write((state) => {
      const account = state.accounts.get(acceptance.accountId)
      if (account === undefined) throw unknownAccount(acceptance.accountId)
      const targets = resolveTargets(state, acceptance.accountId, acceptance.targets)
      const seq = state.nextSeq as EntrySeq
      const accepted = acceptance.build({ seq, firstLocal: account.nextLocal as LocalId, targets })
      const { bytes, effects, localsUsed } = accepted
      const entry: EntryRecord = ownBytes({ seq, accountId: acceptance.accountId, revision: 1, bytes, effects })
      state.nextSeq += 1
      state.accounts.set(acceptance.accountId, { ...account, nextLocal: account.nextLocal + localsUsed })
      if (acceptance.mailbox !== undefined) state.mailboxes.set(acceptance.mailbox.id, acceptance.mailbox)
      state.entries.set(seq, entry)
      const named = new Set(bodiesOfEntry(entry))
      for (const body of acceptance.bodies) if (named.has(body.bodyId)) state.bodies.set(body.bodyId, body.bytes.slice())
      state.revision += 1
      this.#publish({
        revision: state.revision,
        accounts: new Set([acceptance.accountId]),
        mailboxes: new Set(effects.flatMap(mailboxesOfEffect)),
        hasLogChanged: true,
      })
      return entry
    })
  }

  lead(accountId: AccountId): Promise<number> {
    return this.#write((state) => {
      const account = state.accounts.get(accountId)
      if (account === undefined) throw unknownAccount(accountId)
      const epoch = state.nextEpoch
      state.nextEpoch += 1
      state.accounts.set(accountId, { ...account, leaderEpoch: epoch })
      return epoch
    })
  }

  subscribe(listener: (news: StoreNews) => void): () => void {
    if (this.#isClosed) throw closed()
    return this.#feed.subscribe(listener)
  }

  wipe(accountId: AccountId): Promise<void> {
    return this.#write((state) => {
      const mailboxes = [...state.mailboxes.values()].filter((mailbox) => mailbox.accountId === accountId)
      for (const mailbox of mailboxes) {
        for (const box of boxesOf(mailbox)) dropBox(state, box)
        state.mailboxes.delete(mailbox.id)
      }
      for (const kept of [state.entries, state.claims, state.receipts] as Map<unknown, { accountId: AccountId }>[]) {
        for (const [key, record] of [...kept]) if (record.accountId === accountId) kept.delete(key)
      }
      state.accounts.delete(accountId)
      releaseParts(state, accountId)
      state.forwards = state.forwards.filter((forward) => forward.accountId !== accountId)
      dropUnnamedBodies(state)
      state.revision += 1
      this.#publish({
        revision: state.revision,
        accounts: new Set([accountId]),
        mailboxes: new Set(mailboxes.map(({ id }) => id)),
        hasLogChanged: true,
      })
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#disk.feeds.delete(this.#feed)
    this.#feed.close()
  }

  async #turn(): Promise<void> {
    await Promise.resolve()
    if (this.#isClosed) throw closed()
  }

  /** Works on a copy, and keeps it only when the writer came to its end. */
  async #write<T>(writer: (state: MemoryState) => T): Promise<T> {
    await this.#turn()
    const draft = copyOfState(this.#disk.state)
    const result = writer(draft)
    this.#disk.state = draft
    return result
  }

  #tell(state: MemoryState, writes: readonly Write[], accounts: ReadonlyMap<MailboxId, AccountId>): void {
    state.revision += 1
    const mailboxes = new Set(writes.flatMap((write) => mailboxesOfWrite(this.#disk.state, write)))
    const touched = writes.flatMap((write) => accountsOfWrite(this.#disk.state, write))
    for (const id of mailboxes) touched.push(...(accounts.has(id) ? [accounts.get(id) as AccountId] : []))
    this.#publish({ revision: state.revision, accounts: new Set(touched), mailboxes, hasLogChanged: writes.some(isOfLog) })
  }

  #publish(news: StoreNews): void {
    for (const feed of this.#disk.feeds) feed.publish(news)
  }
}

function checkExpectation(state: MemoryState, expect: Expectation): void {
  const epochs = [...state.accounts.values()].map((account) => account.leaderEpoch)
  if (expect.leaderEpoch !== undefined && !epochs.includes(expect.leaderEpoch)) {
    throw new MemoryConflict('leader', 'Another leader has taken over.')
  }
  for (const { mailboxId, box } of expect.boxes ?? []) {
    if (state.mailboxes.get(mailboxId)?.box !== box)
      throw new MemoryConflict('mailbox', `Mailbox ${mailboxId} is gone or has new UIDs.`)
  }
  for (const { seq, revision } of expect.entries ?? []) {
    if (state.entries.get(seq)?.revision !== revision) throw new MemoryConflict('entry', `Entry ${seq} is gone or has changed.`)
  }
}

/** An operation accepted meanwhile must not be left with a name that the change replaces. */
function checkLateNames(state: MemoryState, { expect, writes }: Change): void {
  const { newestEntry } = expect
  if (newestEntry === undefined) return
  const forwards = writes.filter((write) => write.kind === 'forward')
  for (const { accountId, seq, effects } of state.entries.values()) {
    const isLate = accountId === newestEntry.accountId && seq > newestEntry.seq
    if (isLate && forwards.some((forward) => namesReplaced(effects, forward))) {
      throw new MemoryConflict('entry', 'An operation was accepted meanwhile.')
    }
  }
}

async function digestsOfParts(writes: readonly Write[]): Promise<ReadonlyMap<Uint8Array, BodyId>> {
  const digests = new Map<Uint8Array, BodyId>()
  for (const write of writes)
    if (write.kind === 'put-part' || write.kind === 'put-part-piece') digests.set(write.bytes, await bodyIdOf(write.bytes))
  return digests
}

/** SHA-256 in lower-case hex. */
async function bodyIdOf(bytes: Uint8Array): Promise<BodyId> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') as BodyId
}

function mailboxAccounts(state: MemoryState): Map<MailboxId, AccountId> {
  return new Map([...state.mailboxes.values()].map(({ id, accountId }) => [id, accountId]))
}

function mailboxesOfWrite(before: MemoryState, write: Write): MailboxId[] {
  if (write.kind === 'put-mailbox') return [write.mailbox.id]
  if (write.kind === 'carry-messages') return [write.from, write.to]
  const effectsBefore = (seq: EntrySeq): EntryRecord['effects'] => before.entries.get(seq)?.effects ?? []
  if (write.kind === 'put-entry') return [...effectsBefore(write.entry.seq), ...write.entry.effects].flatMap(mailboxesOfEffect)
  if (write.kind === 'remove-entry') return effectsBefore(write.seq).flatMap(mailboxesOfEffect)
  return 'mailboxId' in write ? [write.mailboxId] : []
}

function mailboxesOfEffect(effect: EntryRecord['effects'][number]): MailboxId[] {
  if (effect.kind === 'keep') return []
  if (effect.kind === 'new' || effect.kind === 'mailbox') return [effect.mailboxId]
  if (effect.kind === 'place') return [effect.mailboxId, ...(effect.from.kind === 'stored' ? [effect.from.mailboxId] : [])]
  return [effect.on.mailboxId]
}

function accountsOfWrite(before: MemoryState, write: Write): AccountId[] {
  if (write.kind === 'put-account') return [write.account.id]
  if (write.kind === 'put-entry') return [write.entry.accountId]
  if (write.kind === 'remove-entry') return [before.entries.get(write.seq)?.accountId ?? []].flat()
  if (write.kind === 'put-claim') return [write.claim.accountId]
  if (write.kind === 'remove-claim') return [before.claims.get(write.id)?.accountId ?? []].flat()
  if (write.kind === 'put-receipt') return [write.receipt.accountId]
  if (write.kind === 'release-parts') return []
  return write.kind === 'forward' || write.kind === 'end-forward' ? [write.accountId] : []
}

function isOfLog(write: Write): boolean {
  return ['put-entry', 'remove-entry', 'put-claim', 'remove-claim', 'put-receipt'].includes(write.kind)
}

function unknownAccount(accountId: AccountId): SyncError {
  return new SyncError('account.configuration', `The store holds no account ${accountId}.`)
}

function closed(): SyncError {
  return new SyncError('store.closed', 'The store was closed.')
}
