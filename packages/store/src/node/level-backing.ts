/** The backing over LevelDB: one synced batch a transaction. Its lock keeps other processes out. */

import { access, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SyncError } from '@tidemail/core'
import { ClassicLevel } from 'classic-level'
import type { BackedRow, Backing, BackingOptions } from './durable-backing.ts'
import { copyElsewhere } from './spare-copy.ts'

/** Below this a failed write is taken for a full disk: LevelDB tells no errno. */
const DISK_FREE_BYTES_MIN = 4 * 1024 * 1024

/** Names the list of files that LevelDB reads first; without it LevelDB finds no rows, or begins anew where it may. */
const CURRENT_FILE = 'CURRENT'
const LIST_NAME = /^MANIFEST-\d+(?=\n$)/

/**
 * Opens the rows of a store, or makes them where `create` says so. Opening writes; where the disk is full, what is there can still be read.
 * @throws SyncError `store.in-use`, `store.corrupt`, `store.io`, `store.full`
 */
export async function openLevelBacking(directory: string, { create = true }: BackingOptions = {}): Promise<Backing> {
  try {
    return backingOn(await openLevel(directory, { create }), directory)
  } catch (error) {
    const isFull = error instanceof SyncError && error.code === 'store.full'
    const rows = isFull && !create ? await readFromCopy(directory) : null
    if (rows === null) throw error
    return readOnlyBacking(rows, error)
  }
}

type Level = ClassicLevel<string, Uint8Array>
type Row = readonly [key: string, value: Uint8Array]

async function openLevel(directory: string, { create }: Required<BackingOptions>): Promise<Level> {
  const level: Level = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'view', createIfMissing: create })
  try {
    await level.open()
    return level
  } catch (error) {
    throw await openError(directory, error, { create })
  }
}

function backingOn(level: Level, directory: string): Backing {
  return {
    rows: () => readAll(level, directory),
    write: async (batch) => {
      if (batch.length === 0) return
      try {
        await level.batch(batch.map(asOperation), { sync: true })
      } catch (error) {
        throw await diskError(directory, error, 'The store could not be written.')
      }
    },
    close: () => level.close(),
  }
}

async function* readAll(level: Level, directory: string): AsyncGenerator<Row> {
  try {
    yield* level.iterator()
  } catch (error) {
    if (codesOf(error).includes('LEVEL_CORRUPTION')) throw damaged(error)
    throw await diskError(directory, error, 'The store could not be read.')
  }
}

/** Null where no copy can be made either. */
async function readFromCopy(directory: string): Promise<readonly Row[] | null> {
  const copy = await copyElsewhere(directory)
  if (copy === null) return null
  try {
    const level = await openLevel(copy.directory, { create: false })
    try {
      const rows: Row[] = []
      for await (const row of readAll(level, copy.directory)) rows.push(row)
      return rows
    } finally {
      await level.close()
    }
  } finally {
    await copy.remove()
  }
}

/** Nothing can be written to a full disk: whoever tries is told what opening was told. */
function readOnlyBacking(rows: readonly Row[], full: unknown): Backing {
  return {
    async *rows() {
      yield* rows
    },
    write: async () => {
      throw full
    },
    close: async () => {},
  }
}

/**
 * Whether LevelDB can find the list of its files. Asked only when it could not open them: each owner puts a new list in the place of the old one, and
 * before we have the lock another may be about to.
 */
async function isListThere(directory: string): Promise<boolean> {
  try {
    const [list] = LIST_NAME.exec(await readFile(join(directory, CURRENT_FILE), 'latin1')) ?? []
    if (list === undefined) return false
    await access(join(directory, list))
    return true
  } catch {
    return false
  }
}

function damaged(cause: unknown): SyncError {
  return new SyncError('store.corrupt', 'The files of the store are damaged; they are kept as they are.', {
    cause,
    hint: 'Restore the folder from a backup, or sync into a new one; what was not sent yet is in the damaged one only.',
  })
}

function asOperation({ key, value }: BackedRow) {
  return value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
}

async function openError(directory: string, error: unknown, { create }: Required<BackingOptions>): Promise<SyncError> {
  const codes = codesOf(error)
  if (codes.includes('LEVEL_LOCKED')) {
    return new SyncError('store.in-use', 'Another process has the store open.', { cause: error })
  }
  if (codes.includes('LEVEL_CORRUPTION') || (!create && !(await isListThere(directory)))) return damaged(error)
  return diskError(directory, error, 'The store could not be opened.')
}

async function diskError(directory: string, error: unknown, what: string): Promise<SyncError> {
  if (await isDiskFull(directory)) return new SyncError('store.full', 'The disk is full.', { cause: error })
  return new SyncError('store.io', what, { cause: error, recovery: 'reopen' })
}

async function isDiskFull(directory: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize < DISK_FREE_BYTES_MIN
  } catch {
    return false
  }
}

function codesOf(error: unknown): unknown[] {
  const cause = error instanceof Error ? error.cause : undefined
  return [error, cause].map((candidate) => (candidate as { code?: unknown } | undefined)?.code)
}
