/** Plays a recorded session: a server that says what was said, and the real adapter, which must ask octet for octet what was asked. */

import { createHash } from 'node:crypto'
import type { DistrustedCapability, Observation, RemoteSession, Step } from '@tidemail/core'
import { type ImapRemoteOptions, imapRemote } from '@tidemail/imap'
import { PLAYED_USER } from './normal-records.ts'
import { ClientGone, type Peer, startScript } from './scripted-server.ts'
import { collect, ManualClock } from './scripted-session.ts'
import type { Transcript, TranscriptLine } from './transcript.ts'
import { type WireRecord, writeValue } from './wire-record.ts'

export interface PlayedSession {
  /** What the adapter observed, a line each. */
  readonly observed: string
  /** For the lint. */
  readonly transcript: Transcript
}

/** @throws Error where the adapter sends something else, or less, or more. */
export async function playRecords(records: readonly WireRecord[]): Promise<PlayedSession> {
  const server = await startScript((peer) => serve(peer, records))
  const transcript: TranscriptLine[] = []
  const onWire: ImapRemoteOptions['onWire'] = (event) => {
    if (event.kind === 'line') transcript.push({ direction: event.direction, text: event.text })
  }
  const remote = imapRemote({
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    user: PLAYED_USER.name,
    secret: () => Promise.resolve(PLAYED_USER.password),
    clock: new ManualClock(),
    onWire,
  })
  const observed: string[] = []
  try {
    await callAll(records, (learnt) => remote.connect(new AbortController().signal, learnt), observed)
    await server.played
  } catch (error) {
    // What the server was told, and did not expect, is why.
    await server.close()
    throw error
  }
  await server.close()
  return { observed: `${observed.join('\n')}\n`, transcript }
}

async function callAll(
  records: readonly WireRecord[],
  connect: (learnt: readonly DistrustedCapability[]) => Promise<RemoteSession>,
  observed: string[],
): Promise<void> {
  const texts = new Map(records.flatMap((record) => (record.kind === 'body' ? [[record.bodyId as string, record.text]] : [])))
  const bodies = { bytes: async (bodyId: string) => new Uint8Array(Buffer.from(texts.get(bodyId) ?? '', 'latin1')) }
  let session = null as RemoteSession | null
  for (const record of records) {
    if (record.kind !== 'call') continue
    const { name, argument } = record
    if (name === 'connect') session = await connect(argument as readonly DistrustedCapability[])
    if (name === 'heed') session?.heed?.(argument as readonly DistrustedCapability[])
    if (name === 'close') await session?.close()
    if (name !== 'run' || session === null) continue
    const seen = await collect(session.run(argument as readonly Step[], { bodies, signal: new AbortController().signal }))
    observed.push(...seen.map(shown), '')
  }
  observed.unshift(`server ${writeValue(session?.server)}`)
}

/** Octets by their number and digest. */
function shown(observation: Observation): string {
  if (observation.kind !== 'body' || observation.bytes === null) return `${observation.kind} ${writeValue(observation)}`
  const { bytes, ...rest } = observation
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return `${observation.kind} ${writeValue({ ...rest, octets: bytes.length, digest })}`
}

/** Says each line when all before it has been said and heard. */
async function serve(peer: Peer, records: readonly WireRecord[]): Promise<void> {
  /** Tags are the adapter's own business. */
  const tags = new Map<string, string>()
  let isAfterLiteral = false
  for (const [at, record] of records.entries()) {
    if (record.kind === 'literal') {
      if (record.from === 'S') peer.raw(record.text)
      else assertSame(await peer.literal(record.text.length), record.text, at)
      isAfterLiteral = record.from === 'C'
    } else if (record.kind === 'line' && record.from === 'S') {
      peer.send(inOwnTags(record.text, tags))
    } else if (record.kind === 'line') {
      const line = await peer.line()
      if (line === null) throw new ClientGone(`The client left instead of sending ${record.text}`)
      if (isAfterLiteral) assertSame(line, record.text, at)
      else noteCommand(line, record.text, { at, tags })
      isAfterLiteral = false
    }
  }
  peer.finish()
  const more = await peer.line()
  if (more !== null) throw new Error(`Nothing more was expected, got: ${more}`)
}

function noteCommand(
  line: string,
  expected: string,
  { at, tags }: { readonly at: number; readonly tags: Map<string, string> },
): void {
  const [tag = '', recordedTag = ''] = [line.split(' ', 1)[0], expected.split(' ', 1)[0]]
  assertSame(line.slice(tag.length), expected.slice(recordedTag.length), at)
  tags.set(recordedTag, tag)
}

function inOwnTags(text: string, tags: ReadonlyMap<string, string>): string {
  const own = (tag: string): string => tags.get(tag) ?? tag
  return text
    .replace(/^[^\s*+]+(?= (?:OK|NO|BAD)\b)/i, own)
    .replace(/\(TAG "([^"]+)"\)/i, (_all, tag: string) => `(TAG "${own(tag)}")`)
}

function assertSame(got: string, expected: string, at: number): void {
  if (got !== expected) throw new Error(`Record ${at + 1}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
}
