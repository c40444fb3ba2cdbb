/** Message bodies as files, named by their content: written and synced under another name first, then put in place. */

import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type BodyId, SyncError } from '@tidemail/core'
import { type BodyFiles, bodyIdOf } from '../body-files.ts'
import { corruptRecord } from '../store-errors.ts'
import { fileError, makeDirectory, syncDirectory } from './store-directory.ts'

const NAME = /^[0-9A-Za-z_-]{2,128}$/
/** Of a file that is being written: no name has a dot. */
const DRAFT_SUFFIX = '.tmp'
/** The name of bytes that are named by their content. */
const DIGEST = /^[0-9a-f]{64}$/
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
    const bytes = await readWhole(this.#pathOf(id))
    // What is sent or shown must be what was kept.
    if (bytes !== null && DIGEST.test(id) && (await bodyIdOf(bytes)) !== id) throw corruptRecord('bytes of a message')
    return bytes
  }

  async remove(id: BodyId): Promise<void> {
    try {
      await unlink(this.#pathOf(id))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error)
    }
  }

  /** Removes what no transaction has come to name: called at open only, while nothing else runs. */
  async collectOrphans(isNamed: (id: BodyId) => boolean): Promise<void> {
    try {
      for (const shard of await readdir(this.#directory, { withFileTypes: true })) {
        if (!shard.isDirectory()) continue
        const directory = join(this.#directory, shard.name)
        for (const entry of await readdir(directory, { withFileTypes: true })) {
          const isOurs = entry.isFile() && (NAME.test(entry.name) || entry.name.endsWith(DRAFT_SUFFIX))
          if (isOurs && !isNamed(entry.name as BodyId)) await unlink(join(directory, entry.name))
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
      if (await isThere(path, bytes.length)) return
      await makeDirectory(shard)
      const draft = join(shard, `${randomUUID()}${DRAFT_SUFFIX}`)
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

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return Uint8Array.from(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw fileError(error)
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

/** A file of another size is damaged, and written anew. */
async function isThere(path: string, sizeBytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size === sizeBytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
