/** A session of the real adapter with a scripted server, and short words for its steps. */

import {
  type AppendStep,
  type BodySource,
  bodyId,
  type Clock,
  type FetchItems,
  type KnownState,
  type MailboxIdentity,
  modSeq,
  type Observation,
  type PartAsked,
  type RemoteSession,
  type Step,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { type ImapRemoteOptions, imapRemote } from '@tidemail/imap'
import { expect } from 'vitest'
import { type Peer, type ScriptedServer, startScript } from './scripted-server.ts'

export const FAR_FUTURE = Date.UTC(2100, 0, 1)
export const SECRET = 'correct horse "battery"'
export const BODY_TEXT = 'Subject: hi\r\n\r\nhello\r\n'
export const BODIES: BodySource = { bytes: () => Promise.resolve(new TextEncoder().encode(BODY_TEXT)) }

/** Time that only the test moves. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  readonly #sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>()

  now(): number {
    return this.#now
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        dueMs: this.#now + delayMs,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      if (signal?.aborted === true) sleeper.wake()
      signal?.addEventListener('abort', sleeper.wake)
    })
  }

  advance(delayMs: number): void {
    this.#now += delayMs
    for (const sleeper of [...this.#sleepers]) if (sleeper.dueMs <= this.#now) sleeper.wake()
  }
}

/** A clock that moves on by so much when this line has been heard. */
export function clockMovedBy(
  line: string,
  advanceMs: number,
): Required<Pick<ImapRemoteOptions, 'onWire'>> & { readonly clock: ManualClock } {
  const clock = new ManualClock()
  const onWire: ImapRemoteOptions['onWire'] = (event) => {
    if (event.kind === 'line' && event.text === line) setImmediate(() => clock.advance(advanceMs))
  }
  return { clock, onWire }
}

export interface ScriptedSession {
  readonly server: ScriptedServer
  readonly session: RemoteSession
  run(...steps: readonly Step[]): Promise<readonly Observation[]>
  close(): Promise<void>
}

const open: ScriptedServer[] = []

/** Connects to a server that lets the client log in with these capabilities and then plays the script. */
export async function connectScripted(
  capabilities: string,
  script: (peer: Peer) => Promise<void>,
  options: Partial<ImapRemoteOptions> = {},
): Promise<ScriptedSession> {
  const server = await startScript(async (peer) => {
    await peer.login(capabilities)
    await script(peer)
  })
  open.push(server)
  const session = await remoteOf(server.port, options).connect(new AbortController().signal)
  return {
    server,
    session,
    run: (...steps) => collect(session.run(steps, { bodies: BODIES, signal: new AbortController().signal })),
    close: () => server.close(),
  }
}

export function remoteOf(port: number, options: Partial<ImapRemoteOptions> = {}): ReturnType<typeof imapRemote> {
  return imapRemote({ host: '127.0.0.1', port, security: 'none', user: 'ann', secret: () => Promise.resolve(SECRET), ...options })
}

/** For `afterEach`. */
export async function closeScripted(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close()))
}

export async function collect(observations: AsyncIterable<Observation>): Promise<readonly Observation[]> {
  const collected: Observation[] = []
  for await (const observation of observations) collected.push(observation)
  return collected
}

/** `a:ok b:unknown`. */
export function outcomes(observations: readonly Observation[]): string {
  return observations.flatMap((seen) => (seen.kind === 'done' ? [`${seen.id}:${seen.outcome}`] : [])).join(' ')
}

/** What came, in order, in few words. */
export function kinds(observations: readonly Observation[]): string {
  return observations.map(({ kind }) => kind).join(' ')
}

export function ofKind<K extends Observation['kind']>(
  observations: readonly Observation[],
  kind: K,
): readonly Extract<Observation, { readonly kind: K }>[] {
  return observations.filter((seen): seen is Extract<Observation, { readonly kind: K }> => seen.kind === kind)
}

export const INBOX: MailboxIdentity = { path: 'INBOX', uidValidity: uidValidity(7) }

const why = { reason: 'a test' }

export const step = {
  list: (id: string): Step => ({ ...why, kind: 'list', id, withStatus: true }),
  status: (id: string, path: string): Step => ({ ...why, kind: 'status', id, path }),
  open: (id: string, path = 'INBOX', known?: KnownState): Step => ({
    ...why,
    kind: 'open',
    id,
    path,
    access: 'select',
    ...(known === undefined ? {} : { known }),
  }),
  leave: (id: string): Step => ({ ...why, kind: 'leave', id }),
  search: (id: string, uids = UidSet.ALL): Step => ({ ...why, kind: 'search', id, mailbox: INBOX, uids }),
  fetch: (id: string, uids: string, items: FetchItems = 'flags'): Step => ({
    ...why,
    kind: 'fetch',
    id,
    mailbox: INBOX,
    uids: UidSet.parse(uids),
    items,
  }),
  body: (id: string, parts: readonly (Pick<PartAsked, 'section' | 'range'> & { readonly uid: number })[]): Step => ({
    ...why,
    kind: 'fetch-body',
    id,
    mailbox: INBOX,
    parts: parts.map((part) => ({ ...part, sizeBytes: 100 })) as never,
  }),
  store: (id: string, uids: string, extra: Partial<Step> = {}): Step =>
    ({
      ...why,
      kind: 'store',
      id,
      mailbox: INBOX,
      uids: UidSet.parse(uids),
      direction: 'add',
      flags: ['\\Seen'],
      notAfter: FAR_FUTURE,
      ...extra,
    }) as Step,
  move: (id: string, uids: string, target = 'Archive'): Step => ({
    ...why,
    kind: 'move',
    id,
    mailbox: INBOX,
    uids: UidSet.parse(uids),
    target,
    notAfter: FAR_FUTURE,
  }),
  copy: (id: string, uids: string, target = 'Archive'): Step => ({
    ...why,
    kind: 'copy',
    id,
    mailbox: INBOX,
    uids: UidSet.parse(uids),
    target,
    notAfter: FAR_FUTURE,
  }),
  expunge: (id: string, uids: string): Step => ({
    ...why,
    kind: 'expunge',
    id,
    mailbox: INBOX,
    uids: UidSet.parse(uids),
    notAfter: FAR_FUTURE,
  }),
  append: (id: string, count = 1, extra: Partial<AppendStep> = {}): Step => ({
    ...why,
    kind: 'append',
    id,
    target: 'Sent',
    notAfter: FAR_FUTURE,
    messages: Array.from({ length: count }, () => ({
      bodyId: bodyId('b'),
      sizeBytes: BODY_TEXT.length,
      flags: ['\\Seen'],
      internalDate: Date.UTC(2026, 1, 5, 10, 11, 12),
    })),
    ...extra,
  }),
}

export function known(highest: number): KnownState {
  return { uidValidity: uidValidity(7), modSeq: modSeq(highest) }
}

/** The server's side of one IDLE: it agrees, says these lines, and the client ends it, be it for what happens meanwhile. */
export async function idleOnce(peer: Peer, lines: readonly string[] = [], meanwhile: () => void = () => {}): Promise<void> {
  const tag = await peer.expect('IDLE')
  peer.send('+ idling', ...lines)
  meanwhile()
  expect(await peer.line()).toBe('DONE')
  peer.send(`${tag} OK done`)
}

/** The lines of a SELECT of INBOX with three messages, and its tagged reply. */
export function selectLines(lines: readonly string[] = [], code = 'READ-WRITE'): readonly string[] {
  return [
    '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
    '* OK [PERMANENTFLAGS (\\Answered \\Seen \\*)] kept',
    '* 3 EXISTS',
    '* OK [UIDVALIDITY 7] valid',
    '* OK [UIDNEXT 10] next',
    '* OK [HIGHESTMODSEQ 40] highest',
    ...lines,
    `OK [${code}] selected`,
  ]
}
