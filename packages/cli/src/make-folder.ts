/** Makes the folder of a new store, one level after another. */

import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SyncError } from '@tidemail/core'

/**
 * `mkdir` of Node with `recursive` never ends where the system answers ENOENT below a folder that exists, as /proc does: so
 * each level is made by itself.
 * @throws SyncError `store.read-only`, `store.full`, `input.no-store`
 */
export async function makeFolder(directory: string): Promise<void> {
  const missing: string[] = []
  for (let path = directory; !(await exists(path)); path = dirname(path)) missing.unshift(path)
  for (const path of missing) {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) === 'EEXIST') return
      if (codeOf(error) === 'ENOSPC') throw new SyncError('store.full', 'The disk is full.', { cause: error })
      throw new SyncError('store.read-only', `The folder ${path} cannot be made.`, { cause: error })
    })
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    if (codeOf(error) === 'ENOTDIR') throw new SyncError('input.no-store', `${path} lies below a file.`, { cause: error })
    throw new SyncError('store.read-only', `The folder ${path} cannot be looked at.`, { cause: error })
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null
}
