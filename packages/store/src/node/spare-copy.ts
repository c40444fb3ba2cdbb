/** Copies the rows of a store whose disk is full to where there is room, for as long as it takes to read them. */

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SpareCopy {
  readonly directory: string
  remove(): Promise<void>
}

/** Memory comes first: a full disk is often the one with the temporary files too, and what is in memory leaves no trace. */
const PLACES = ['/dev/shm', tmpdir()]

/** Null where there is no room for it. The copy is for its owner alone. */
export async function copyElsewhere(source: string): Promise<SpareCopy | null> {
  for (const place of PLACES) {
    const directory = await mkdtemp(join(place, 'tidemail-')).catch(() => null)
    if (directory === null) continue
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
    try {
      await cp(source, directory, { recursive: true })
      return { directory, remove }
    } catch {
      await remove()
    }
  }
  return null
}
