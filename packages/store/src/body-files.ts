/** Where the bytes of messages are kept when they are not kept in the database, and how bytes are named. */

import type { BodyId } from '@tidemail/core'

/** The port to a place for bytes. A file is written before the transaction that names it, and never changes. */
export interface BodyFiles {
  /** Resolves when the bytes will survive a crash. */
  write(id: BodyId, bytes: Uint8Array): Promise<void>
  /** Null where there are none. */
  read(id: BodyId): Promise<Uint8Array | null>
  /** Removes the bytes; there need not be any. */
  remove(id: BodyId): Promise<void>
}

/** SHA-256 in lower-case hex. */
export async function bodyIdOf(bytes: Uint8Array<ArrayBuffer>): Promise<BodyId> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') as BodyId
}
