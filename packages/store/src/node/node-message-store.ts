/** The message store in a folder: the store over IndexedDB, on an IndexedDB in memory that is made durable. */

import type { BodyId, Clock, MessageStore } from '@tidemail/core'
import { IDBFactory as MemoryFactory, IDBKeyRange as MemoryKeyRange } from 'fake-indexeddb'
import { DexieMessageStore, REAL_CLOCK } from '../dexie-message-store.ts'
import { openDatabase, setUpStore } from '../open-database.ts'
import { readStoreRow } from '../unit-of-work.ts'
import { CommitWitness } from './commit-witness.ts'
import { type Backing, type BackingOptions, DurableBacking } from './durable-backing.ts'
import { openLevelBacking } from './level-backing.ts'
import { NodeBodyFiles } from './node-body-files.ts'
import { prepareDirectory } from './store-directory.ts'

export interface NodeStoreOptions {
  /** The folder, which one process may own at a time. */
  readonly directory: string
  /** Whether to make the folder where there is none; left out: yes. */
  readonly create?: boolean
  /** Times the change feed. */
  readonly clock?: Pick<Clock, 'sleep'>
}

/**
 * Opens the store in a folder. What `commit` and `accept` resolved survives the end of the process and of the machine.
 * @throws SyncError `input.no-store`, `store.in-use`, `store.too-new`, `store.corrupt`, `store.read-only`, `store.full`, `store.io`
 * @example
 * const store = await openNodeMessageStore({ directory: 'mail.tidemail' })
 */
export function openNodeMessageStore(options: NodeStoreOptions): Promise<MessageStore> {
  return openBackedStore(options, openLevelBacking)
}

/** As {@link openNodeMessageStore}, over any backing. */
export async function openBackedStore(
  { directory, create = true, clock = REAL_CLOCK }: NodeStoreOptions,
  openBacking: (directory: string, options: BackingOptions) => Promise<Backing>,
): Promise<MessageStore> {
  const paths = await prepareDirectory(directory, { create })
  const witness = await CommitWitness.read(paths.directory)
  const durability = new DurableBacking(await openBacking(paths.levels, { create: paths.isNew }), witness)
  try {
    // One store, one IndexedDB of its own: names need not be told apart.
    const db = await openDatabase({
      name: 'tidemail',
      indexedDB: new MemoryFactory(),
      IDBKeyRange: MemoryKeyRange,
      clock,
      prepare: (database) => durability.install(database),
    })
    await durability.load(db)
    await setUpStore(db, { create: paths.isNew })
    durability.verify((await readStoreRow(db)).revision)
    await durability.settled()
    await paths.seal()
    const bodies = new NodeBodyFiles(paths.bodies)
    const named = new Set<BodyId>(await db.holds.toCollection().primaryKeys())
    await bodies.collectOrphans((id) => named.has(id))
    return new DexieMessageStore(db, { name: directory, ownership: 'process', bodies, clock, durability })
  } catch (error) {
    await durability.close()
    throw error
  }
}
