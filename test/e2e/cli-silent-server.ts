/** A mail server that takes connections and says what a script tells it to say: nothing, garbage, half a session. */

import { createServer, type Socket } from 'node:net'

/** Listens on a port that the system chooses for as long as `use` takes. */
export async function withServer(onConnection: (socket: Socket) => void, use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onConnection(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  try {
    await use(typeof address === 'object' && address !== null ? address.port : 0)
  } finally {
    for (const socket of sockets) socket.destroy()
    listener.close()
  }
}

/** Greets, and answers commands by their verb: null hangs up, and what is not named is never answered. */
export function answering(greeting: string, answers: Readonly<Record<string, string | null>>): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${greeting}\r\n`)
    socket.on('data', (piece: Buffer) => {
      for (const line of piece.toString('latin1').split('\r\n')) {
        const [tag = '', verb = ''] = line.split(' ')
        const answer = answers[verb.toLowerCase()]
        if (answer === null) socket.destroy()
        else if (answer !== undefined) socket.write(`${tag} ${answer}\r\n`)
      }
    })
  }
}
