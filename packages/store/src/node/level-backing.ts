/** The backing over LevelDB: one synced batch a transaction. Its lock keeps other processes out. */

import { access, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SyncError } from '@tidemail/core'
import { ClassicLevel } from 'classic-level'
import type { BackedRow, Backing, BackingOptions } from './durable-backing.ts'

/** Below this a failed write is taken for a full disk: LevelDB tells no errno. */
const DISK_FREE_BYTES_MIN = 4 * 1024 * 1024

/** Names the file that tells LevelDB what it holds; without it LevelDB begins anew, and removes what it finds. */
const CURRENT_FILE = 'CURRENT'

/**
 * Opens the rows of a store, or makes them where `create` says so.
 * @throws SyncError `store.in-use`, `store.corrupt`, `store.io`, `store.full`
 */
export async function openLevelBacking(directory: string, { create = true }: BackingOptions = {}): Promise<Backing> {
  if (!create) await refuseLost(join(directory, CURRENT_FILE))
  const level = new ClassicLevel<string, Uint8Array>(directory, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: create,
  })
  try {
    await level.open()
  } catch (error) {
    throw await openError(directory, error)
  }
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

async function* readAll(
  level: ClassicLevel<string, Uint8Array>,
  directory: string,
): AsyncGenerator<readonly [string, Uint8Array]> {
  try {
    yield* level.iterator()
  } catch (error) {
    if (codesOf(error).includes('LEVEL_CORRUPTION')) throw damaged(error)
    throw await diskError(directory, error, 'The store could not be read.')
  }
}

async function refuseLost(path: string): Promise<void> {
  try {
    await access(path)
  } catch (error) {
    throw damaged(error)
  }
}

function damaged(cause: unknown): SyncError {
  return new SyncError('store.corrupt', 'The files of the store are damaged; they are kept as they are.', { cause })
}

function asOperation({ key, value }: BackedRow) {
  return value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
}

async function openError(directory: string, error: unknown): Promise<SyncError> {
  const codes = codesOf(error)
  if (codes.includes('LEVEL_LOCKED')) {
    return new SyncError('store.in-use', 'Another process has the store open.', { cause: error })
  }
  if (codes.includes('LEVEL_CORRUPTION')) return damaged(error)
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
