/** What a server answered to each command, and a server that says it again: changed on the way, to whoever asks in whatever order. */

import { connect, createServer, type Server } from 'node:net'
import { ImapLineSplitter } from '@tidemail/testing'
import { Peer } from './scripted-server.ts'

/** By the name of the command, every answer heard to it: untagged responses, then the tagged reply without its tag. */
export interface RecordedAnswers {
  readonly greeting: string
  readonly answers: ReadonlyMap<string, readonly (readonly string[])[]>
}

/** Records what goes by between a client and the server of that port, one connection, while the work lasts. */
export async function recordAnswers(port: number, work: (port: number) => Promise<void>): Promise<RecordedAnswers> {
  const answers = new Map<string, string[][]>()
  const names = new Map<string, string>()
  const said: string[] = []
  let greeting = ''
  const hear = (response: string): void => {
    const tag = response.slice(0, response.indexOf(' '))
    const name = names.get(tag)
    if (greeting === '') greeting = response
    else if (name === undefined) said.push(response)
    else answers.set(name, [...(answers.get(name) ?? []), [...said.splice(0), response.slice(tag.length)]])
  }
  const listener = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    const [fromClient, fromServer] = [new ImapLineSplitter('client'), new ImapLineSplitter('server')]
    let response = ''
    client.on('data', (chunk) => {
      for (const piece of fromClient.push(Buffer.from(chunk))) {
        if (piece.kind === 'line' && piece.isFirst) noteCommand(names, piece.bytes.toString('latin1'))
      }
      server.write(chunk)
    })
    server.on('data', (chunk) => {
      for (const piece of fromServer.push(Buffer.from(chunk))) {
        response += piece.bytes.toString('latin1')
        if (piece.kind === 'literal' || piece.literal !== null) continue
        hear(response.slice(0, -2))
        response = ''
      }
      client.write(chunk)
    })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await work(await portOf(listener))
  await new Promise<void>((resolve) => listener.close(() => resolve()))
  return { greeting, answers }
}

export interface AnswerServer {
  readonly port: number
  close(): Promise<void>
}

/** Every connection gets its own `mutate`, in the order of connecting. */
export async function startAnswering(
  { greeting, answers }: RecordedAnswers,
  connected: () => (response: string) => readonly string[],
): Promise<AnswerServer> {
  const peers = new Set<Peer>()
  const listener = createServer((socket) => {
    const peer = new Peer(socket)
    const mutate = connected()
    peers.add(peer)
    socket.on('close', () => peers.delete(peer))
    void answerAll(peer, { greeting, answers }, mutate)
  })
  const port = await portOf(listener)
  return {
    port,
    close: async () => {
      for (const peer of peers) peer.cut()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

async function answerAll(
  peer: Peer,
  { greeting, answers }: RecordedAnswers,
  mutate: (response: string) => readonly string[],
): Promise<void> {
  const asked = new Map<string, number>()
  peer.send(...mutate(greeting))
  for (let line = await peer.line(); line !== null; line = await peer.line()) {
    const [tag = '', name = ''] = commandIn(line) ?? []
    // Literals are taken in, and whatever follows them.
    for (let more: string | null = line; more !== null; ) {
      const literal: RegExpExecArray | null = /\{(\d+)(\+?)\}$/.exec(more)
      if (literal === null) break
      if (literal[2] === '') peer.send('+ go on')
      await peer.literal(Number(literal[1]))
      more = await peer.line()
    }
    const known = answers.get(name) ?? [[' BAD what']]
    const turn = asked.get(name) ?? 0
    asked.set(name, turn + 1)
    const answer = known[turn % known.length] ?? []
    const responses = answer.map((text, index) => (index === answer.length - 1 ? tag + text : text))
    peer.send(...responses.flatMap((response) => mutate(response)))
    if (name === 'LOGOUT') peer.finish()
  }
}

function noteCommand(names: Map<string, string>, line: string): void {
  const [tag, name] = commandIn(line.trimEnd()) ?? []
  if (tag !== undefined && name !== undefined) names.set(tag, name)
}

function commandIn(line: string): readonly [tag: string, name: string] | null {
  const found = /^(\S+) ((?:UID )?[A-Z]+)/i.exec(line)
  return found === null ? null : [found[1] ?? '', (found[2] ?? '').toUpperCase()]
}

async function portOf(listener: Server): Promise<number> {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.')
  return address.port
}
