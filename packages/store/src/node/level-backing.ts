/** The backing over LevelDB: one synced batch a transaction. Its lock keeps other processes out. */

import { statfs } from 'node:fs/promises'
import { SyncError } from '@tidemail/core'
import { ClassicLevel } from 'classic-level'
import type { BackedRow, Backing } from './durable-backing.ts'

/** Below this a failed write is taken for a full disk: LevelDB tells no errno. */
const DISK_FREE_BYTES_MIN = 4 * 1024 * 1024

/** @throws SyncError `store.in-use`, `store.corrupt`, `store.io`, `store.full` */
export async function openLevelBacking(directory: string): Promise<Backing> {
  const level = new ClassicLevel<string, Uint8Array>(directory, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await level.open()
  } catch (error) {
    throw await openError(directory, error)
  }
  return {
    rows: () => level.iterator(),
    write: async (batch) => {
      if (batch.length === 0) return
      try {
        await level.batch(batch.map(asOperation), { sync: true })
      } catch (error) {
        throw await writeError(directory, error)
      }
    },
    close: () => level.close(),
  }
}

function asOperation({ key, value }: BackedRow) {
  return value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
}

async function openError(directory: string, error: unknown): Promise<SyncError> {
  const codes = codesOf(error)
  if (codes.includes('LEVEL_LOCKED')) {
    return new SyncError('store.in-use', 'Another process has the store open.', { cause: error })
  }
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new SyncError('store.corrupt', 'The files of the store are damaged; they are kept as they are.', { cause: error })
  }
  return writeError(directory, error)
}

async function writeError(directory: string, error: unknown): Promise<SyncError> {
  if (await isDiskFull(directory)) return new SyncError('store.full', 'The disk is full.', { cause: error })
  return new SyncError('store.io', 'The store could not be written.', { cause: error, recovery: 'reopen' })
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
