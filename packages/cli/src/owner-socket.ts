/** Listens, while this process owns the store, for operations that other commands hand over. */

import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { withSocketPath } from './hand-over.ts'
import { decodeRequest, encodeAccepted, encodeRefusal } from './hand-over-codec.ts'
import { MESSAGE_BYTES_MAX } from './message-file.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'

/** A message in base64 with its fields around it. */
const LINE_OCTETS_MAX = Math.ceil((MESSAGE_BYTES_MAX * 4) / 3) + 1_048_576

export interface OwnerSocket {
  /** Takes nothing more, and ends when what was taken is answered. */
  close(): Promise<void>
}

/** Accepts an operation on the open store. */
export type Accept = (request: OperationRequest) => Promise<readonly AcceptedOperation[]>

/** Null where the system has no place for the socket: others then find the store in use. */
export async function listenAsOwner(directory: string, accept: Accept): Promise<OwnerSocket | null> {
  const conversations = new Set<Conversation>()
  const server = createServer((socket) => {
    const conversation = converse(socket, accept)
    conversations.add(conversation)
    socket.once('close', () => conversations.delete(conversation))
  })
  const isListening = await withSocketPath(directory, (path) => listen(server, path)).catch(() => false)
  if (!isListening) return null
  return {
    async close() {
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.all([...conversations].map((conversation) => conversation.end()))
      await isClosed
    },
  }
}

async function listen(server: Server, path: string): Promise<boolean> {
  // The store's lock is ours, so a socket that lies there belongs to a process that died.
  await rm(path, { force: true })
  const isListening = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    const before = process.umask(0o177)
    server.listen(path, () => resolve(true))
    process.umask(before)
  })
  if (!(await isListening)) return false
  await chmod(path, 0o600)
  return true
}

interface Conversation {
  /** Answers what has arrived whole, then hangs up. */
  end(): Promise<void>
}

function converse(socket: Socket, accept: Accept): Conversation {
  let answered: Promise<void> = Promise.resolve()
  let pieces: Buffer[] = []
  let octets = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    for (let rest = piece; rest.length > 0; ) {
      const end = rest.indexOf(0x0a)
      const taken = end === -1 ? rest : rest.subarray(0, end)
      pieces.push(taken)
      octets += taken.length
      if (octets > LINE_OCTETS_MAX) return void socket.destroy()
      if (end === -1) return
      const line = Buffer.concat(pieces).toString('utf8')
      pieces = []
      octets = 0
      // Two operations of one conversation are accepted in the order they were sent.
      answered = answered.then(() => answer(socket, line, accept))
      rest = rest.subarray(end + 1)
    }
  })
  return {
    async end() {
      socket.pause()
      await answered
      socket.end()
      socket.destroySoon()
    },
  }
}

async function answer(socket: Socket, line: string, accept: Accept): Promise<void> {
  const text = await Promise.resolve(line).then(decodeRequest).then(accept).then(encodeAccepted, encodeRefusal)
  if (!socket.destroyed) socket.write(`${text}\n`)
}
