/** Hands operations to the process that owns the store, over a local socket in the store's folder; one line of JSON each way. */

import { open } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { SyncError } from '@tidemail/core'
import { decodeAnswer, encodeRequest } from './hand-over-codec.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'

/** The owner answers within this time, or is taken for dead. */
const ANSWER_MS_MAX = 30_000
/** What every system takes as the path of a socket (sun_path). */
const SOCKET_PATH_OCTETS_MAX = 100

/** A conversation with the owner: requests are answered in order. */
export interface OwnerConnection {
  /** @throws SyncError what the owner refused it with; `store.in-use` when the owner ended without an answer */
  accept(request: OperationRequest): Promise<readonly AcceptedOperation[]>
  close(): void
}

/** Null when no owner listens. */
export async function connectOwner(directory: string): Promise<OwnerConnection | null> {
  const socket = await connect(directory)
  if (socket === null) return null
  const reader = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
  const lines = reader[Symbol.asyncIterator]()
  // A connection that breaks has no end that the reader would see.
  socket.once('close', () => reader.close())
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy())
  return {
    async accept(request) {
      socket.write(`${encodeRequest(request)}\n`)
      const line = await lines.next().catch(() => ({ done: true as const, value: undefined }))
      if (line.done) throw unanswered()
      return decodeAnswer(line.value)
    },
    close: () => void socket.destroy(),
  }
}

/** Whether a running `tidemail sync` owns the store. */
export async function isOwnerListening(directory: string): Promise<boolean> {
  const socket = await connect(directory)
  socket?.destroy()
  return socket !== null
}

/** Calls `use` with a path of the socket that is short enough for the system. */
export async function withSocketPath<T>(directory: string, use: (path: string) => Promise<T>): Promise<T> {
  const absolute = join(directory, 'owner.sock')
  const fromHere = relative(process.cwd(), absolute)
  const shorter = Buffer.byteLength(fromHere) < Buffer.byteLength(absolute) ? fromHere : absolute
  if (Buffer.byteLength(shorter) <= SOCKET_PATH_OCTETS_MAX || process.platform !== 'linux') return use(shorter)
  // Linux names the open folder by its descriptor: a deep folder has a short path too.
  const folder = await open(directory, 'r')
  try {
    return await use(`/proc/self/fd/${folder.fd}/owner.sock`)
  } finally {
    await folder.close()
  }
}

async function connect(directory: string): Promise<Socket | null> {
  const attempt = (path: string): Promise<Socket | null> =>
    new Promise((resolve) => {
      const socket = createConnection(path)
      socket.on('error', () => resolve(null))
      socket.once('connect', () => resolve(socket))
    })
  return withSocketPath(directory, attempt).catch(() => null)
}

function unanswered(): SyncError {
  return new SyncError('store.in-use', 'The process that owns the store ended before it answered.', {
    hint: 'Run `tidemail ops` to see whether the operation was accepted, before asking for it again.',
  })
}
