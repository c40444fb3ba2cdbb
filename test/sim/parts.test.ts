/** Which bytes come when: by the policy and the conditions, on demand, in pieces, and never twice for one content. */

import { type FetchBodyStep, type MessageView, type Observation, type Remote, UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { DEFAULT_POLICY, PART_BYTES_MAX, PART_PIECE_BYTES } from '@tidemail/planner'
import { MemoryMessageStore, SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, EngineLab, ME, message, messagesOf } from './engine-lab.ts'

const DAY_MS = 86_400_000
const ALL = { bodies: 'all', partBytesMax: 100_000_000 } as const

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
})

afterEach(() => lab.close())

/** A text, and a file of so many octets attached to it. */
function withFile(subject: string, octets: number): Uint8Array {
  const lines = Array.from({ length: Math.ceil(octets / 64) }, (_, i) => `${`${subject} ${i} `.padEnd(62, 'x')}\r\n`)
  const file = lines.join('').slice(0, octets)
  return new TextEncoder().encode(
    `From: a@lab.example\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@lab.example>\r\nMIME-Version: 1.0\r\n` +
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText.\r\n' +
      `--b\r\nContent-Type: application/x-file\r\nContent-Disposition: attachment; filename=f\r\n\r\n${file}\r\n--b--\r\n`,
  )
}

/** Messages that somebody else puts there; the last one is the newest. */
function arrive(path: string, ...messages: readonly { readonly bytes: Uint8Array; readonly ageDays?: number }[]): void {
  for (const [i, { bytes, ageDays = 0 }] of messages.entries()) {
    lab.account.open(path).append([{ bytes, flags: [], internalDate: lab.clock.now() - ageDays * DAY_MS + i * 1000 }])
  }
}

/** What was asked for since the last time, in order: `INBOX 1/2`, and `INBOX 1/2<0` for a piece. */
function asked(): string[] {
  const steps = lab.remote.sent.splice(0).flatMap(({ step }) => (step.kind === 'fetch-body' ? [step] : []))
  return steps.flatMap(({ mailbox, parts }) =>
    parts.map(({ uid, section, range }) => `${mailbox.path} ${uid}/${section}${range === undefined ? '' : `<${range.offset}`}`),
  )
}

/** The message of that subject. */
async function find(engine: MailEngine, path: string, subject: string): Promise<MessageView> {
  const found = (await messagesOf(engine, path)).find(({ envelope }) => envelope.subject === subject)
  if (found === undefined) throw new Error(`There is no message ${subject} in ${path}.`)
  return found
}

describe('the policy of parts', () => {
  // Verifies: DC-4549-4.3.2, DC-4549-4.6
  it('fetches the texts of all mailboxes first, then what is attached, newest first', async () => {
    arrive('Archive', { bytes: withFile('a', 100) })
    arrive('INBOX', { bytes: withFile('b', 100) }, { bytes: withFile('c', 100) })
    await lab.openSynchronised({ policy: ALL })
    expect(asked()).toEqual(['INBOX 2/1', 'INBOX 1/1', 'Archive 1/1', 'INBOX 2/2', 'INBOX 1/2', 'Archive 1/2'])
  })

  it('leaves out what is too large, and what came too long ago', async () => {
    arrive(
      'INBOX',
      { bytes: withFile('old', 100), ageDays: 8 },
      { bytes: withFile('large', 5000) },
      { bytes: withFile('new', 100) },
    )
    await lab.openSynchronised({ policy: { ...ALL, partBytesMax: 1000, newestDays: 7 } })
    expect(asked().toSorted()).toEqual(['INBOX 2/1', 'INBOX 3/1', 'INBOX 3/2'])
  })

  it('fetches small texts only on a metered network, and the rest when it ends', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) }, { bytes: message('Plain') })
    const engine = await lab.open({ policy: { ...ALL, metered: { bodies: 'text', partBytesMax: 6 } } })
    engine.setConditions({ network: 'metered' })
    await engine.syncOnce()
    expect(asked()).toEqual(['INBOX 1/1'])
    await engine.syncOnce()
    expect(asked()).toEqual([])
    engine.setConditions({ network: 'unmetered' })
    await engine.syncOnce()
    expect(asked()).toEqual(['INBOX 2/1', 'INBOX 1/2'])
  })

  it('is as sparing on battery as the policy says, and knows both at once', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) })
    const none = { bodies: 'none', partBytesMax: 0 } as const
    const engine = await lab.open({ policy: { ...ALL, battery: none, metered: DEFAULT_POLICY.metered } })
    engine.setConditions({ power: 'battery', network: 'metered' })
    await engine.syncOnce()
    expect(asked()).toEqual([])
    engine.setConditions({ power: 'mains' })
    await engine.syncOnce()
    expect(asked()).toEqual(['INBOX 1/1'])
  })

  it('asks once in a pass for what the server refuses, though both rounds want it', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) })
    lab.remote.fault = (step) => (step.kind === 'fetch-body' ? 'reject' : 'pass')
    const engine = await lab.openSynchronised({ policy: ALL })
    expect(asked()).toEqual(['INBOX 1/1', 'INBOX 1/2'])
    lab.remote.fault = () => 'pass'
    await engine.syncOnce()
    expect(asked()).toEqual(['INBOX 1/1', 'INBOX 1/2'])
  })

  it('stops what it has begun when the network becomes metered', async () => {
    arrive('INBOX', { bytes: withFile('film', 20 * PART_PIECE_BYTES) })
    const engine = await lab.open({ policy: ALL })
    lab.remote.fault = (step) => {
      if (step.kind === 'fetch-body' && step.parts[0]?.range?.offset === 0) engine.setConditions({ network: 'metered' })
      return 'pass'
    }
    await engine.syncOnce()
    expect(asked()).toHaveLength(1 + 8)
  })
})

describe('a part that is asked for', () => {
  it('is fetched, kept, and not fetched again, also offline', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) })
    const engine = await lab.openSynchronised()
    const { reference } = await find(engine, 'INBOX', 'one')
    expect(await engine.part(reference, '2')).toBeNull()
    expect(await engine.fetchPart(reference, '2')).toHaveLength(100)
    expect(asked()).toEqual(['INBOX 1/2'])
    lab.remote.goOffline()
    expect(await engine.fetchPart(reference, '2')).toHaveLength(100)
    expect((await engine.message(reference))?.heldSections).toEqual(['2'])
  })

  it('may be the whole message', async () => {
    arrive('INBOX', { bytes: message('Plain') })
    const engine = await lab.openSynchronised()
    expect(await engine.fetchPart((await find(engine, 'INBOX', 'Plain')).reference, '')).toEqual(message('Plain'))
  })

  // Verifies: DC-4549-4.3.1c, DC-4549-4.3.3b
  it('comes between two runs of a pass that has much to fetch', async () => {
    arrive('INBOX', { bytes: withFile('film', 20 * PART_PIECE_BYTES) }, { bytes: withFile('late', 2000) })
    const engine = await lab.openSynchronised()
    const { reference } = await find(engine, 'INBOX', 'late')
    await engine.close()
    const another = await lab.open({ policy: { ...ALL, partBytesMax: 50_000_000, newestMessages: 2 } })
    asked()
    const wanted: Promise<Uint8Array>[] = []
    lab.remote.fault = (step) => {
      const isFirst = step.kind === 'fetch-body' && step.parts[0]?.range?.offset === 0
      if (isFirst) wanted.push(another.fetchPart(reference, ''))
      return 'pass'
    }
    await another.syncOnce()
    expect((await Promise.all(wanted)).map(({ length }) => length)).toEqual([withFile('late', 2000).length])
    const order = asked()
    const at = order.indexOf('INBOX 2/')
    expect([order.indexOf(`INBOX 1/2<0`) < at, at < order.indexOf(`INBOX 1/2<${10 * PART_PIECE_BYTES}`)]).toEqual([true, true])
  })

  it('is refused by code: offline, gone here, gone there, unknown, too large', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) }, { bytes: withFile('two', 100) })
    const engine = await lab.openSynchronised()
    const { reference } = await find(engine, 'INBOX', 'one')
    const two = (await find(engine, 'INBOX', 'two')).reference
    expect(await codeOf(engine.fetchPart(reference, '7'))).toBe('input.unknown-part')
    lab.account.inbox.remove(UidSet.of(1))
    expect(await codeOf(engine.fetchPart(reference, '2'))).toBe('remote.not-there')
    await engine.syncOnce()
    expect(await codeOf(engine.fetchPart(reference, '2'))).toBe('input.unknown-message')
    lab.remote.goOffline()
    expect(await codeOf(engine.fetchPart(two, '2'))).toBe('remote.unreachable')
    await resize(2, PART_BYTES_MAX + 1)
    expect(await codeOf(engine.fetchPart(two, ''))).toBe('input.part-too-large')
    expect(asked()).toEqual(['INBOX 1/2'])
  })

  it('is not waited for any longer when the app says so, nor after the engine was closed', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) })
    const engine = await lab.openSynchronised()
    const { reference } = await find(engine, 'INBOX', 'one')
    const stop = new AbortController()
    const wanted = codeOf(engine.fetchPart(reference, '2', { signal: stop.signal }))
    stop.abort()
    expect(await wanted).toBe('engine.aborted')
    await engine.close()
    expect(await codeOf(engine.fetchPart(reference, '2'))).toBe('engine.closed')
  })
})

/** Tells how steps ended only after all that they brought; those before a lost one are then lost as well. */
function withLateReplies(inner: Remote, beforeReplies: () => void): Remote {
  return {
    connect: async (signal) => {
      const session = await inner.connect(signal)
      return {
        server: session.server,
        get ended() {
          return session.ended
        },
        watch: (request, until) => session.watch(request, until),
        close: () => session.close(),
        run: async function* (steps, options) {
          const done: Observation[] = []
          for await (const item of session.run(steps, options)) {
            if (item.kind === 'done' && item.id.startsWith('parts')) done.push(item)
            else yield item
          }
          const isLost = done.some((item) => item.kind === 'done' && item.outcome !== 'ok')
          if (done.length > 0) beforeReplies()
          for (const item of done) yield isLost && item.kind === 'done' ? { ...item, outcome: 'unknown' } : item
        },
      }
    },
  }
}

/** As if the message were of another size than it is. */
async function resize(uid: number, sizeBytes: number): Promise<void> {
  const store = new MemoryMessageStore({ disk: lab.disk })
  const inbox = (await store.planning.mailboxes(ME.id)).find(({ path }) => path === 'INBOX')
  const rows = inbox === undefined ? undefined : lab.disk.state.rows.get(inbox.box)
  const row = rows?.get(uid)
  if (inbox === undefined || rows === undefined || row === undefined) throw new Error('There is no such row.')
  lab.disk.state.rows.set(inbox.box, new Map(rows).set(uid, { ...row, summary: { ...row.summary, sizeBytes } }))
  await store.close()
}

describe('a large part', () => {
  const SIZE = 3 * PART_PIECE_BYTES + 1000

  it('comes in pieces, each kept as it comes, and is joined to what the server has', async () => {
    arrive('INBOX', { bytes: withFile('film', SIZE) })
    const engine = await lab.openSynchronised({ policy: ALL })
    expect(asked()).toEqual(['INBOX 1/1', ...[0, 1, 2, 3].map((piece) => `INBOX 1/2<${piece * PART_PIECE_BYTES}`)])
    const bytes = await engine.part((await find(engine, 'INBOX', 'film')).reference, '2')
    expect(bytes).toHaveLength(SIZE)
    expect(isEqual(bytes, theirs('film'))).toBe(true)
  })

  it('is kept piece by piece though the replies to the commands come late, as those of Dovecot do', async () => {
    arrive('INBOX', { bytes: withFile('film', SIZE) })
    const heldBeforeReplies: number[] = []
    const remote = withLateReplies(lab.remote, () => heldBeforeReplies.push(lab.disk.state.bodies.size))
    const engine = await lab.openSynchronised({ remote })
    lab.remote.fault = (step) => (isPiece(step, 2) ? 'cut' : 'pass')
    const { reference } = await find(engine, 'INBOX', 'film')
    expect(await codeOf(engine.fetchPart(reference, '2'))).toBe('remote.disconnected')
    lab.remote.fault = () => 'pass'
    await engine.fetchPart(reference, '2')
    expect(heldBeforeReplies).toEqual([2, 4])
    // The one that was cut off is asked for twice; those before it were told to have failed, too.
    expect(asked()).toEqual([0, 1, 2, 2, 3].map((piece) => `INBOX 1/2<${piece * PART_PIECE_BYTES}`))
  })

  // Verifies: I-SYNC-3
  it('is resumed after a cut and after a kill: what is there is not fetched again', async () => {
    arrive('INBOX', { bytes: withFile('film', SIZE) })
    let engine = await lab.open({ policy: ALL })
    for (const cut of [1, 2, 3]) {
      lab.remote.fault = (step) => (isPiece(step, cut) ? 'lose-answer' : 'pass')
      expect(await codeOf(engine.syncOnce())).toBe('remote.disconnected')
      expect((await find(engine, 'INBOX', 'film')).heldSections).toEqual(['1'])
      if (cut !== 2) continue
      await engine.close()
      engine = await lab.open({ policy: ALL })
    }
    lab.remote.fault = () => 'pass'
    await engine.syncOnce()
    // Each piece that was cut off is asked for twice, no other.
    expect(asked()).toEqual(['INBOX 1/1', ...[0, 1, 1, 2, 2, 3, 3].map((piece) => `INBOX 1/2<${piece * PART_PIECE_BYTES}`)])
    expect(isEqual(await engine.part((await find(engine, 'INBOX', 'film')).reference, '2'), theirs('film'))).toBe(true)
  })

  it('goes on from where it was when the app asks for it', async () => {
    arrive('INBOX', { bytes: withFile('film', SIZE) })
    const engine = await lab.openSynchronised()
    const { reference } = await find(engine, 'INBOX', 'film')
    lab.remote.fault = (step) => (isPiece(step, 2) ? 'cut' : 'pass')
    expect(await codeOf(engine.fetchPart(reference, '2'))).toBe('remote.disconnected')
    asked()
    lab.remote.fault = () => 'pass'
    expect(await engine.fetchPart(reference, '2')).toHaveLength(SIZE)
    expect(asked()).toEqual([2, 3].map((piece) => `INBOX 1/2<${piece * PART_PIECE_BYTES}`))
  })

  it('loses its pieces with its message', async () => {
    arrive('INBOX', { bytes: withFile('film', SIZE) })
    const engine = await lab.openSynchronised()
    const before = lab.disk.state.bodies.size
    lab.remote.fault = (step) => (isPiece(step, 2) ? 'cut' : 'pass')
    await codeOf(engine.fetchPart((await find(engine, 'INBOX', 'film')).reference, '2'))
    expect(lab.disk.state.bodies.size).toBe(before + 2)
    lab.remote.fault = () => 'pass'
    lab.account.inbox.remove(UidSet.of(1))
    await engine.syncOnce()
    expect(lab.disk.state.bodies.size).toBe(before)
  })

  function isPiece(step: { readonly kind: string }, piece: number): boolean {
    return step.kind === 'fetch-body' && (step as FetchBodyStep).parts[0]?.range?.offset === piece * PART_PIECE_BYTES
  }

  /** What the file of that message is. */
  function theirs(subject: string): Uint8Array {
    const text = new TextDecoder().decode(withFile(subject, SIZE))
    const from = text.indexOf('filename=f') + 'filename=f\r\n\r\n'.length
    return new TextEncoder().encode(text.slice(from, from + SIZE))
  }

  /** Without the long text that a failed comparison of megabytes would make. */
  function isEqual(a: Uint8Array | null, b: Uint8Array): boolean {
    return a !== null && a.length === b.length && a.every((octet, i) => octet === b[i])
  }
})

describe.each([
  { server: 'EMAILID (RFC 8474)', options: {} },
  { server: 'X-GM-MSGID', options: { without: ['OBJECTID'], adds: ['X-GM-EXT-1'] } },
] as const)('one content in many mailboxes, by $server', ({ options }) => {
  let remote: SimulatedRemote

  beforeEach(() => {
    remote = new SimulatedRemote({ account: lab.account, clock: lab.clock, ...options })
  })

  function bodies(): number {
    return remote.sent.splice(0).reduce((sum, { step }) => sum + (step.kind === 'fetch-body' ? step.parts.length : 0), 0)
  }

  // Verifies: DC-8474-8.3b
  it('is downloaded once, whichever mailbox it comes up in, then or later', async () => {
    arrive('INBOX', { bytes: message('Everywhere') }, { bytes: message('Here') })
    lab.account.copy(lab.account.inbox, UidSet.of(1), 'Work')
    lab.account.copy(lab.account.inbox, UidSet.of(1), 'Archive')
    const engine = await lab.openSynchronised({ remote, policy: { bodies: 'text' } })
    expect(bodies()).toBe(2)
    lab.account.copy(lab.account.inbox, UidSet.of(2), 'Archive')
    await engine.syncOnce()
    expect(bodies()).toBe(0)
    for (const [path, subject] of [
      ['Work', 'Everywhere'],
      ['Archive', 'Everywhere'],
      ['Archive', 'Here'],
    ] as const)
      expect((await find(engine, path, subject)).heldSections).toEqual(['1'])
  })

  // Verifies: DC-8474-8.3b
  it('is not downloaded again when somebody else moves it', async () => {
    arrive('INBOX', { bytes: message('Everywhere') })
    const engine = await lab.openSynchronised({ remote, policy: { bodies: 'text' } })
    expect(bodies()).toBe(1)
    lab.account.move(lab.account.inbox, UidSet.of(1), 'Archive')
    await engine.syncOnce()
    expect(bodies()).toBe(0)
    expect((await find(engine, 'Archive', 'Everywhere')).heldSections).toEqual(['1'])
    expect(lab.disk.state.released).toEqual([])
  })

  it('is found for a part that is asked for, without a connection', async () => {
    arrive('INBOX', { bytes: withFile('one', 100) })
    lab.account.copy(lab.account.inbox, UidSet.of(1), 'Work')
    const engine = await lab.openSynchronised({ remote })
    await engine.fetchPart((await find(engine, 'INBOX', 'one')).reference, '2')
    expect(bodies()).toBe(1)
    remote.goOffline()
    expect(await engine.fetchPart((await find(engine, 'Work', 'one')).reference, '2')).toHaveLength(100)
  })
})

// Verifies: DC-8474-8.4a
it('takes two messages of one EMAILID and two sizes for two', async () => {
  arrive('INBOX', { bytes: message('One') })
  lab.account.open('Work').admit([{ bytes: message('Quite another'), flags: [], internalDate: 0, emailId: 'M1' }])
  const engine = await lab.openSynchronised({ policy: { bodies: 'text' } })
  expect(asked()).toEqual(['INBOX 1/1', 'Work 1/1'])
  expect((await find(engine, 'Work', 'Quite another')).emailId).toBe((await find(engine, 'INBOX', 'One')).emailId)
})
