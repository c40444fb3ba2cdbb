/** Remembers beside the rows how far the store had come, so that commits which are lost from their end do not go unnoticed. */

import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { SyncError } from '@tidemail/core'
import { fileError } from './store-directory.ts'

/** In the folder of the store. */
export const WITNESS_FILE = 'committed'

const LINE = /^(\d{16}) ([0-9a-f]{8})\n$/
const REVISION_DIGITS = 16
const SUM_DIGITS = 8

/**
 * LevelDB takes a record that is damaged at the end of its log for one that was never finished, and opens as it was before it. The witness is written
 * after the batch that it speaks of and is not synced: it may lag behind the rows, whenever the process or the machine ends, but never runs ahead of
 * them. Where it is ahead, rows were lost.
 */
export class CommitWitness {
  readonly #path: string
  #revision: number
  #file: FileHandle | null = null

  private constructor(path: string, revision: number) {
    this.#path = path
    this.#revision = revision
  }

  /** A store of an earlier version has no witness, and one that cannot be read says nothing: both begin anew. */
  static async read(directory: string): Promise<CommitWitness> {
    const path = join(directory, WITNESS_FILE)
    return new CommitWitness(path, (await revisionIn(path)) ?? 0)
  }

  /** @throws SyncError `store.corrupt` when the store has been further than the revision that it opened with */
  check(revision: number): void {
    const lost = this.#revision - revision
    if (lost <= 0) return
    throw new SyncError(
      'store.corrupt',
      `The files of the store are damaged: the last changes that it kept are gone (${lost}).`,
      {
        hint: `Restore the folder from a backup, or remove its file "${WITNESS_FILE}" to go on without those changes.`,
      },
    )
  }

  /** A commit counts without its witness: one that cannot be written lags behind, which says nothing false. */
  async note(revision: number): Promise<void> {
    if (revision <= this.#revision) return
    const line = Buffer.from(lineOf(revision))
    try {
      this.#file ??= await open(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600)
      // One length for ever, in one place: the line is never half of the one and half of the other.
      await this.#file.write(line, 0, line.length, 0)
      this.#revision = revision
    } catch {}
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.datasync().catch(() => {})
    await file?.close()
  }
}

async function revisionIn(path: string): Promise<number | null> {
  try {
    const [line, digits = ''] = LINE.exec(await readFile(path, 'latin1')) ?? []
    return line !== undefined && line === lineOf(Number(digits)) ? Number(digits) : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw fileError(error)
  }
}

function lineOf(revision: number): string {
  const digits = String(revision).padStart(REVISION_DIGITS, '0')
  return `${digits} ${crc32(digits).toString(16).padStart(SUM_DIGITS, '0')}\n`
}
