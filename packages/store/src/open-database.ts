/** Opens the database: refuses what a newer version wrote, does not wait for ever behind another page, and writes the first row. */

import { type Clock, SyncError } from '@tidemail/core'
import type { DexieOptions } from 'dexie'
import { DATABASE_VERSION, FIRST_STORE_ROW, SCHEMA_EPOCH, StoreDatabase } from './schema.ts'
import { closedError, lostFirstRow, tooNew, translateError } from './store-errors.ts'

/** A page that holds the database open in an older version has this long to let go. */
const OPEN_BLOCKED_MS_MAX = 5_000
/** However it is held up, opening takes no longer. */
const OPEN_MS_MAX = 30_000
/** Dexie numbers versions; IndexedDB counts ten times as fast. */
const DATABASE_VERSION_FACTOR = 10

export interface DatabaseOptions {
  readonly name: string
  readonly indexedDB?: IDBFactory
  readonly IDBKeyRange?: DexieOptions['IDBKeyRange']
  readonly clock: Pick<Clock, 'sleep'>
  /** Called once before the database opens: to lay something under it. */
  prepare?(db: StoreDatabase): void
}

/** @throws SyncError `store.too-new`, `store.in-use`, `store.io` */
export async function openDatabase({ name, indexedDB, IDBKeyRange, clock, prepare }: DatabaseOptions): Promise<StoreDatabase> {
  const db = new StoreDatabase(name, {
    ...(indexedDB === undefined ? {} : { indexedDB }),
    ...(IDBKeyRange === undefined ? {} : { IDBKeyRange }),
  })
  prepare?.(db)
  try {
    await refuseNewer(name, indexedDB ?? globalThis.indexedDB, clock)
    await openInTime(db, clock)
    if (db.backendDB().version > DATABASE_VERSION * DATABASE_VERSION_FACTOR) throw tooNew()
    return db
  } catch (error) {
    db.close({ disableAutoOpen: true })
    throw translateError(error)
  }
}

/**
 * Writes the first row of an empty store; where `create` says no, a store without it has lost its rows.
 * @throws SyncError `store.too-new`, `store.corrupt`
 */
export async function setUpStore(db: StoreDatabase, { create = true }: { readonly create?: boolean } = {}): Promise<void> {
  try {
    await db.transaction('rw', db.store, async () => {
      const row = await db.store.get('store')
      if (row === undefined && !create) throw lostFirstRow()
      if (row === undefined) await db.store.put(FIRST_STORE_ROW)
      else if (row.schemaEpoch !== SCHEMA_EPOCH) throw tooNew()
    })
  } catch (error) {
    db.close({ disableAutoOpen: true })
    throw translateError(error)
  }
}

/** Looks before Dexie does: it would add its own tables to what a newer version made. A database that is not there is not made by looking. */
async function refuseNewer(name: string, factory: IDBFactory, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const looked = new AbortController()
  try {
    const version = await Promise.race([versionOf(name, factory), tooLate(clock, looked.signal)])
    if (version > DATABASE_VERSION * DATABASE_VERSION_FACTOR) throw tooNew()
  } finally {
    looked.abort()
  }
}

/** Nobody says "blocked" to whoever waits behind another page's upgrade; some browsers never answer at all. */
async function tooLate(clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<never> {
  await clock.sleep(OPEN_MS_MAX, signal)
  throw new SyncError('store.in-use', 'The database does not open: another page may hold it up.', {
    hint: 'Close or reload the other tabs of this app.',
  })
}

function versionOf(name: string, factory: IDBFactory): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const opening = factory.open(name)
    let isThere = true
    opening.onupgradeneeded = () => {
      isThere = false
      opening.transaction?.abort()
    }
    opening.onsuccess = () => {
      const { version: found } = opening.result
      opening.result.close()
      resolve(found)
    }
    opening.onerror = () => (isThere ? reject(opening.error) : resolve(0))
  })
}

/** An older connection that does not close holds an upgrade up: after the deadline that is told, not waited for. */
async function openInTime(db: StoreDatabase, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const opened = new AbortController()
  let isBlocked: () => void = () => {}
  const blocked = new Promise<void>((resolve) => {
    isBlocked = resolve
  })
  db.on('blocked', () => isBlocked())
  const heldUp = async (): Promise<never> => {
    await blocked
    await clock.sleep(OPEN_BLOCKED_MS_MAX, opened.signal)
    throw new SyncError('store.in-use', 'Another page holds the store open in an older version.', {
      hint: 'Close or reload the other tabs of this app.',
    })
  }
  const opening = Promise.resolve(db.open())
  opening.catch(() => {})
  try {
    await Promise.race([opening, heldUp(), tooLate(clock, opened.signal)])
  } finally {
    opened.abort()
  }
  if (!db.isOpen()) throw closedError()
}
