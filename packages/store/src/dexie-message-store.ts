/** The message store over IndexedDB by way of Dexie: every change is one transaction. */

import {
  type Acceptance,
  type AccountId,
  type BodyId,
  type Change,
  type Clock,
  type CommitResult,
  type EntryRecord,
  type EntrySeq,
  type LocalId,
  type MessageStore,
  type PlanningReads,
  type StoreNews,
  SyncError,
  type ViewReads,
  type Write,
} from '@tidemail/core'
import { putEntry } from './apply-log.ts'
import { putMailbox } from './apply-mailbox.ts'
import { applyWrite } from './apply-write.ts'
import { type BodyFiles, bodyIdOf } from './body-files.ts'
import { BodyKeeper } from './body-keeper.ts'
import { checkExpectation } from './check-expectation.ts'
import { resolveTargets } from './forwards.ts'
import { NewsFeed } from './news-feed.ts'
import { openDatabase, setUpStore } from './open-database.ts'
import { PendingLogs } from './pending-log.ts'
import { type Access, planningReads } from './read-planning.ts'
import { viewReads } from './read-view.ts'
import type { StoreDatabase } from './schema.ts'
import { Conflict, closedError, translateError } from './store-errors.ts'
import { beginWork, finishWork, readStoreRow, type UnitOfWork } from './unit-of-work.ts'
import { wipeAccount } from './wipe-account.ts'

export interface DexieStoreOptions {
  /** Names the database. */
  readonly name: string
  /** Left out: the global one. */
  readonly indexedDB?: IDBFactory
  /** Left out: the global one. */
  readonly IDBKeyRange?: typeof IDBKeyRange
  /** Left out: `shared`, for other tabs may have the store open. */
  readonly ownership?: MessageStore['ownership']
  /** Where bytes are kept, if not in the database. */
  readonly bodies?: BodyFiles
  /** Times the change feed and the deadline of opening. */
  readonly clock?: Pick<Clock, 'sleep'>
}

/**
 * Opens the store, or makes it.
 * @throws SyncError `store.too-new` when a newer version wrote it, `store.in-use` when another page holds an upgrade up, `store.io`
 * @example
 * const store = await openDexieMessageStore({ name: 'mail' })
 * await store.commit({ reason: 'a new account', expect: {}, writes: [{ kind: 'put-account', account }] })
 */
export async function openDexieMessageStore(options: DexieStoreOptions): Promise<MessageStore> {
  const clock = options.clock ?? REAL_CLOCK
  const db = await openDatabase({ ...options, clock })
  await setUpStore(db)
  return new DexieMessageStore(db, { ...options, clock })
}

/** What makes a commit outlast a crash, where the database alone does not. */
export interface Durability {
  /** Resolves when everything committed so far is on the disk. */
  settled(): Promise<void>
  /** @throws SyncError `store.poisoned` after a write failed. */
  check(): void
  close(): Promise<void>
}

export interface DexieStoreParts extends Pick<DexieStoreOptions, 'name' | 'ownership' | 'bodies'> {
  readonly clock: Pick<Clock, 'sleep'>
  readonly durability?: Durability
}

export const REAL_CLOCK: Pick<Clock, 'sleep'> = {
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      const aborting = signal as Partial<EventTarget> | undefined
      const wake = (): void => {
        clearTimeout(timer)
        aborting?.removeEventListener?.('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, delayMs)
      aborting?.addEventListener?.('abort', wake)
    }),
}

/** A store over a database that is open and set up. */
export class DexieMessageStore implements MessageStore {
  readonly ownership: MessageStore['ownership']
  readonly planning: PlanningReads
  readonly view: ViewReads
  readonly #db: StoreDatabase
  readonly #bodies: BodyKeeper | null
  readonly #durability: Durability | null
  readonly #feed: NewsFeed
  readonly #logs: PendingLogs = new PendingLogs()
  readonly #running: Set<Promise<unknown>> = new Set()
  #isClosed = false
  #closing: Promise<void> | null = null

  constructor(db: StoreDatabase, parts: DexieStoreParts) {
    this.#db = db
    this.ownership = parts.ownership ?? 'shared'
    this.#bodies = parts.bodies === undefined ? null : new BodyKeeper(parts.bodies)
    this.#durability = parts.durability ?? null
    this.#feed = new NewsFeed({
      clock: parts.clock,
      ...(this.ownership === 'shared' ? { channel: `tidemail:${parts.name}` } : {}),
    })
    db.on('versionchange', () => this.#lose())
    db.on('close', () => this.#lose())
    const access: Access = {
      read: (reader) => this.#read(reader),
      write: (writer) => this.#write(new Map(), writer),
      body: (bodyId) => this.#readBody(bodyId),
    }
    this.planning = planningReads(access)
    this.view = viewReads(access, this.#logs)
  }

  async commit(change: Change): Promise<CommitResult> {
    this.#check()
    const { digests, bytes } = await digestParts(change.writes)
    try {
      const revision = await this.#writeWith(bytes, async (unit) => {
        await checkExpectation(unit.db, change)
        for (const write of change.writes) await applyWrite(unit, write, digests)
        return unit.revision
      })
      return { kind: 'committed', revision }
    } catch (error) {
      if (error instanceof Conflict) return { kind: 'conflict', on: error.on, what: error.message }
      throw error
    }
  }

  async accept(acceptance: Acceptance): Promise<EntryRecord> {
    this.#check()
    const given = new Map(acceptance.bodies.map(({ bodyId, bytes }) => [bodyId, bytes.slice()]))
    return this.#writeWith(given, async (unit) => {
      const { accountId } = acceptance
      const account = await unit.db.accounts.get(accountId)
      if (account === undefined) throw unknownAccount(accountId)
      const { log } = await this.#logs.read(unit.db, accountId)
      const targets = await resolveTargets(unit.db, { accountId, log }, acceptance.targets)
      const seq = unit.numbers.nextSeq as EntrySeq
      const accepted = acceptance.build({ seq, firstLocal: account.nextLocal as LocalId, targets })
      const { effects, localsUsed } = accepted
      const entry: EntryRecord = { seq, accountId, revision: 1, bytes: accepted.bytes.slice(), effects }
      unit.numbers.nextSeq += 1
      await unit.db.accounts.put({ ...account, nextLocal: account.nextLocal + localsUsed })
      if (acceptance.mailbox !== undefined) await putMailbox(unit, acceptance.mailbox)
      await putEntry(unit, entry)
      return entry
    })
  }

  lead(accountId: AccountId): Promise<number> {
    return this.#write(new Map(), async (unit) => {
      const account = await unit.db.accounts.get(accountId)
      if (account === undefined) throw unknownAccount(accountId)
      const epoch = unit.numbers.nextEpoch
      unit.numbers.nextEpoch += 1
      await unit.db.accounts.put({ ...account, leaderEpoch: epoch })
      return epoch
    })
  }

  subscribe(listener: (news: StoreNews) => void): () => void {
    this.#check()
    return this.#feed.subscribe(listener)
  }

  wipe(accountId: AccountId): Promise<void> {
    return this.#write(new Map(), (unit) => wipeAccount(unit, accountId))
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    this.#isClosed = true
    this.#feed.close()
    await Promise.allSettled([...this.#running])
    this.#db.close({ disableAutoOpen: true })
    await this.#durability?.close()
  }

  /** The database was closed under us: by a newer version that upgrades it, or by the browser. */
  #lose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#feed.close()
    this.#db.close({ disableAutoOpen: true })
  }

  #check(): void {
    if (this.#isClosed) throw closedError()
    this.#durability?.check()
  }

  #read<T>(reader: (db: StoreDatabase) => Promise<T>): Promise<T> {
    return this.#track(async () => {
      const db = this.#db
      return db.transaction('r', db.tables, async () => {
        await readStoreRow(db)
        return reader(db)
      })
    })
  }

  async #write<T>(bytes: ReadonlyMap<BodyId, Uint8Array>, writer: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const { result, news } = await this.#track(async () => {
      const db = this.#db
      const written = await db.transaction('rw', db.tables, async () => {
        const unit = await beginWork(db, bytes)
        const done = await writer(unit)
        return { result: done, news: await finishWork(unit), dropped: unit.dropped }
      })
      await this.#durability?.settled()
      await this.#removeBodies(written.dropped)
      return written
    })
    if (news.hasLogChanged || news.accounts.size > 0 || news.mailboxes.size > 0) this.#feed.publish(news)
    return result
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    this.#check()
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      throw translateError(error)
    } finally {
      this.#running.delete(running)
    }
  }

  /** Bytes go to their files before the transaction that names them; without files they go into the database. */
  #writeWith<T>(bytes: ReadonlyMap<BodyId, Uint8Array>, writer: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    if (this.#bodies === null) return this.#write(bytes, writer)
    return this.#bodies.keepFor(bytes, () => this.#write(new Map(), writer))
  }

  /** Of files that other tabs have open as well it is not known here who is about to name them. */
  async #removeBodies(dropped: readonly BodyId[]): Promise<void> {
    if (this.ownership !== 'process') return
    await this.#bodies?.remove(dropped, (ids) =>
      this.#read(async (db) => new Set((await db.holds.bulkGet([...ids])).flatMap((row) => (row === undefined ? [] : [row.id])))),
    )
  }

  async #readBody(id: BodyId): Promise<Uint8Array | null> {
    const files = this.#bodies
    if (files === null) return this.#read(async (db) => (await db.bodies.get(id))?.bytes ?? null)
    const isHeld = await this.#read(async (db) => (await db.holds.get(id)) !== undefined)
    return isHeld ? files.read(id) : null
  }
}

/** Names the bytes of parts before the transaction: inside one, only the database may be waited for. */
async function digestParts(writes: readonly Write[]): Promise<{
  readonly digests: ReadonlyMap<Uint8Array, BodyId>
  readonly bytes: ReadonlyMap<BodyId, Uint8Array>
}> {
  const digests = new Map<Uint8Array, BodyId>()
  const bytes = new Map<BodyId, Uint8Array>()
  for (const write of writes) {
    if (write.kind !== 'put-part' && write.kind !== 'put-part-piece') continue
    const own = write.bytes.slice()
    const id = await bodyIdOf(own)
    digests.set(write.bytes, id)
    bytes.set(id, own)
  }
  return { digests, bytes }
}

function unknownAccount(accountId: AccountId): SyncError {
  return new SyncError('account.configuration', `The store holds no account ${accountId}.`)
}
