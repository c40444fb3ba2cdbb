/** Message bodies as files, named by their content: written and synced under another name first, then put in place. */

import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type BodyId, SyncError } from '@tidemail/core'
import type { BodyFiles } from '../body-files.ts'
import { fileError, makeDirectory, syncDirectory } from './store-directory.ts'

const NAME = /^[0-9A-Za-z_-]{2,128}$/
/** Characters of the name that choose the folder. */
const SHARD_LENGTH = 2

export class NodeBodyFiles implements BodyFiles {
  readonly #directory: string
  /** A body that is being written a second time waits for the first. */
  readonly #writing: Map<BodyId, Promise<void>> = new Map()

  constructor(directory: string) {
    this.#directory = directory
  }

  write(id: BodyId, bytes: Uint8Array): Promise<void> {
    const held = this.#writing.get(id)
    if (held !== undefined) return held
    const writing = this.#writeOnce(id, bytes).finally(() => this.#writing.delete(id))
    this.#writing.set(id, writing)
    return writing
  }

  async read(id: BodyId): Promise<Uint8Array | null> {
    try {
      return Uint8Array.from(await readFile(this.#pathOf(id)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw fileError(error)
    }
  }

  /** Removes what no transaction has come to name: called at open only, while nothing else runs. */
  async collectOrphans(isNamed: (id: BodyId) => boolean): Promise<void> {
    try {
      for (const shard of await readdir(this.#directory)) {
        for (const name of await readdir(join(this.#directory, shard))) {
          if (!isNamed(name as BodyId)) await unlink(join(this.#directory, shard, name))
        }
      }
    } catch (error) {
      throw fileError(error)
    }
  }

  async #writeOnce(id: BodyId, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(id)
    const shard = this.#shardOf(id)
    try {
      if (await exists(path)) return
      if ((await makeDirectory(shard)) === 'made') await syncDirectory(this.#directory)
      const draft = join(shard, `${randomUUID()}.tmp`)
      await writeSynced(draft, bytes)
      await rename(draft, path)
      await syncDirectory(shard)
    } catch (error) {
      throw fileError(error)
    }
  }

  #pathOf(id: BodyId): string {
    return join(this.#shardOf(id), id)
  }

  #shardOf(id: BodyId): string {
    if (!NAME.test(id)) throw new SyncError('engine.bug', 'A body has a name that is no file name.')
    return join(this.#directory, id.slice(0, SHARD_LENGTH))
  }
}

/** A file that could not be written whole is removed: on a full disk it would be in the way. */
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await unlink(path)
    throw error
  } finally {
    await file.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
