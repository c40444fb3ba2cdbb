/** Keeps the bytes of messages in files: for as long as a transaction names them, or is about to. */

import type { BodyId } from '@tidemail/core'
import type { BodyFiles } from './body-files.ts'

export class BodyKeeper {
  readonly #files: BodyFiles
  /** How many transactions that are still to come, or under way, name a body. */
  readonly #awaited: Map<BodyId, number> = new Map()
  /** Bodies that are being removed: whoever writes one again waits. */
  readonly #leaving: Map<BodyId, Promise<void>> = new Map()

  constructor(files: BodyFiles) {
    this.#files = files
  }

  read(id: BodyId): Promise<Uint8Array | null> {
    return this.#files.read(id)
  }

  /** Writes the bytes and carries out the transaction that names them; until it has ended they are not removed. */
  async keepFor<T>(bytes: ReadonlyMap<BodyId, Uint8Array>, transaction: () => Promise<T>): Promise<T> {
    for (const id of bytes.keys()) this.#awaited.set(id, (this.#awaited.get(id) ?? 0) + 1)
    try {
      for (const [id, content] of bytes) {
        await this.#leaving.get(id)
        await this.#files.write(id, content)
      }
      return await transaction()
    } finally {
      for (const id of bytes.keys()) this.#release(id)
    }
  }

  /**
   * Removes bodies that nobody names since a transaction. `named` says which of them have come to be named again. What cannot be removed now is
   * collected when the store is opened: the transaction is done all the same.
   */
  async remove(dropped: readonly BodyId[], named: (ids: readonly BodyId[]) => Promise<ReadonlySet<BodyId>>): Promise<void> {
    const ids = dropped.filter((id) => !this.#awaited.has(id) && !this.#leaving.has(id))
    if (ids.length === 0) return
    const removing = this.#removeUnless(ids, named)
      .catch(() => {})
      .finally(() => {
        for (const id of ids) this.#leaving.delete(id)
      })
    for (const id of ids) this.#leaving.set(id, removing)
    await removing
  }

  async #removeUnless(ids: readonly BodyId[], named: (ids: readonly BodyId[]) => Promise<ReadonlySet<BodyId>>): Promise<void> {
    const kept = await named(ids)
    for (const id of ids) if (!kept.has(id)) await this.#files.remove(id)
  }

  #release(id: BodyId): void {
    const left = (this.#awaited.get(id) ?? 0) - 1
    if (left > 0) this.#awaited.set(id, left)
    else this.#awaited.delete(id)
  }
}
