/** Reads a message to append from a file or from standard input, and refuses what is no message before anything is accepted. */

import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { SyncError } from '@tidemail/core'

/** What the command takes; a server may take less. */
export const MESSAGE_BYTES_MAX = 67_108_864
const READ_PIECE_BYTES = 262_144
/** A message begins with a header field (RFC 5322 §2.2). */
const FIRST_LINE = /^[\x21-\x39\x3b-\x7e]+[ \t]*:/

/**
 * Reads and checks all of them, and gives the bytes of those that can be read only once, such as a pipe. The others are not kept: together they may be
 * larger than the memory.
 * @throws SyncError `input.file-missing`, `input.bad-message`, `input.message-too-large`
 */
export async function checkMessageFiles(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const held = new Map<string, Uint8Array>()
  for (const path of paths) {
    if (held.has(path)) continue
    const bytes = await readMessageFile(path)
    if (!(await stat(path)).isFile()) held.set(path, bytes)
  }
  return held
}

/** @throws SyncError `input.file-missing`, `input.bad-message`, `input.message-too-large` */
export async function readMessageFile(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  try {
    const file = await open(path, 'r')
    try {
      while (sizeBytes <= MESSAGE_BYTES_MAX) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_PIECE_BYTES), 0, READ_PIECE_BYTES, null)
        if (bytesRead === 0) break
        pieces.push(buffer.subarray(0, bytesRead))
        sizeBytes += bytesRead
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    const isFolder = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR'
    throw new SyncError('input.file-missing', `${path} ${isFolder ? 'is a folder, not a message' : 'cannot be read'}.`, { cause })
  }
  return checkedMessage(Buffer.concat(pieces), path)
}

/** @throws SyncError `input.bad-message`, `input.message-too-large`, `engine.aborted` */
export async function readMessageFrom(input: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  const end = (): void => void input.destroy()
  signal.addEventListener('abort', end)
  try {
    for await (const piece of input) {
      pieces.push(piece as Uint8Array)
      sizeBytes += (piece as Uint8Array).length
      if (sizeBytes > MESSAGE_BYTES_MAX) break
    }
  } catch (cause) {
    throw new SyncError(signal.aborted ? 'engine.aborted' : 'input.file-missing', 'The standard input cannot be read.', { cause })
  } finally {
    signal.removeEventListener('abort', end)
  }
  return checkedMessage(Buffer.concat(pieces), 'The standard input')
}

/** @throws SyncError `input.bad-message`, `input.message-too-large` */
export function checkedMessage(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    const mebibytes = MESSAGE_BYTES_MAX / 1_048_576
    throw new SyncError('input.message-too-large', `${name} is larger than ${mebibytes} MiB.`)
  }
  if (bytes.length === 0) throw new SyncError('input.bad-message', `${name} is empty.`)
  if (bytes.includes(0)) throw new SyncError('input.bad-message', `${name} holds NUL bytes, which IMAP cannot carry.`)
  if (!FIRST_LINE.test(Buffer.from(bytes.subarray(0, 1_000)).toString('latin1'))) {
    throw new SyncError('input.bad-message', `${name} does not begin with a header field.`)
  }
  return bytes
}
