/** Servers that always say something and never answer: each command ends by a bound of its own, whatever is said meanwhile. */

import type { RemoteSession, Step } from '@tidemail/core'
import { COMMAND_DEADLINE_MS_MAX, TRANSFER_DEADLINE_MS_MAX } from '@tidemail/core'
import { CONNECT_DEADLINE_MS } from '@tidemail/imap'
import { afterEach, describe, expect, it } from 'vitest'
import { type Peer, startScript } from './scripted-server.ts'
import {
  BODY_TEXT,
  closeScripted,
  collect,
  connectScripted,
  ManualClock,
  ofKind,
  outcomes,
  remoteOf,
  selectLines,
  step,
} from './scripted-session.ts'

const PLAIN = 'UIDPLUS MOVE LITERAL+'
const DRIBBLE_MS = 50_000
/** Far beyond every bound: a test that comes here has failed. */
const DRIBBLES_MAX = 60

afterEach(closeScripted)

/** A session whose clock goes on by `DRIBBLE_MS` with every line that the server says in vain. */
class Dribbling {
  readonly clock = new ManualClock()
  session: RemoteSession | null = null
  linesHeard = 0
  lines = 0

  /** Says line after line until the client has enough. */
  async dribble(peer: Peer, line: (n: number) => string, end: (n: number) => boolean = () => false): Promise<void> {
    for (this.lines = 0; this.lines < DRIBBLES_MAX && !this.isOver && !end(this.lines); this.lines += 1) {
      const before = this.linesHeard
      peer.send(line(this.lines))
      while (this.linesHeard === before && !this.isOver) await turn()
      this.clock.advance(DRIBBLE_MS)
      for (let turns = 0; turns < 4; turns += 1) await turn()
    }
    if (this.lines === DRIBBLES_MAX) peer.cut()
  }

  get isOver(): boolean {
    return this.session !== null && this.session.ended !== null
  }

  get lastedMs(): number {
    return this.lines * DRIBBLE_MS
  }

  async run(script: (peer: Peer) => Promise<void>, ...steps: readonly Step[]) {
    const { session, run } = await connectScripted(PLAIN, script, {
      clock: this.clock,
      onWire: (event) => {
        if (event.kind === 'line' && event.direction === 'down') this.linesHeard += 1
      },
    })
    this.session = session
    return run(...steps)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

// Verifies: I-NET-1
describe('a command', () => {
  it.each([
    ['a STORE', 'UID STORE', step.store('b', '1')],
    ['a MOVE', 'UID MOVE', step.move('b', '1')],
    ['a STATUS', 'STATUS', step.status('b', 'Other')],
    ['an UNSELECT', 'EXAMINE', step.leave('b')],
  ])('such as %s ends although the server goes on talking', async (_name, command, asked) => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(
      async (peer) => {
        await peer.answer('SELECT "INBOX"', ...selectLines())
        await peer.expect(command)
        await dribbling.dribble(peer, () => '* OK Hang in there')
      },
      step.open('a'),
      asked,
    )
    expect(outcomes(seen)).toBe('a:ok b:unknown')
    expect(dribbling.session?.ended?.code).toBe('remote.timeout')
    expect(dribbling.lastedMs).toBeGreaterThanOrEqual(COMMAND_DEADLINE_MS_MAX - DRIBBLE_MS)
    expect(dribbling.lastedMs).toBeLessThanOrEqual(COMMAND_DEADLINE_MS_MAX + DRIBBLE_MS)
  })

  it('has the whole of its time when it comes behind others', async () => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(
      async (peer) => {
        await peer.answer('SELECT "INBOX"', ...selectLines())
        for (let stores = 0; stores < 3; stores += 1) {
          const tag = await peer.expect('UID STORE')
          await dribbling.dribble(
            peer,
            () => '* OK Hang in there',
            (lines) => lines === 4,
          )
          peer.send(`${tag} OK`)
        }
      },
      step.open('a'),
      step.store('b', '1'),
      step.store('c', '2'),
      step.store('d', '3'),
    )
    expect(outcomes(seen)).toBe('a:ok b:ok c:ok d:ok')
  })
})

// Verifies: I-NET-1
describe('a large answer', () => {
  it.each([
    ['text', () => '* OK Hang in there'],
    ['rows of other messages', (n: number) => `* ${n + 10} FETCH (UID ${n + 1000} FLAGS ())`],
    ['the same row', () => '* 1 FETCH (UID 1 FLAGS ())'],
    ['sizes of the mailbox', (n: number) => `* ${n + 10} EXISTS`],
  ])('ends when only %s comes in its place', async (_name, line) => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(
      async (peer) => {
        await peer.answer('SELECT "INBOX"', ...selectLines())
        await peer.expect('UID FETCH')
        await dribbling.dribble(peer, line)
      },
      step.open('a'),
      step.fetch('b', '1:900'),
    )
    expect(outcomes(seen)).toBe('a:ok b:unknown')
    expect(dribbling.session?.ended).toMatchObject({ code: 'remote.timeout' })
    expect(dribbling.lastedMs).toBeLessThanOrEqual(COMMAND_DEADLINE_MS_MAX + 2 * DRIBBLE_MS)
  })

  it('may last as long as it goes on, and no longer than its own bound', async () => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(
      async (peer) => {
        await peer.answer('SELECT "INBOX"', ...selectLines())
        await peer.expect('UID FETCH')
        await dribbling.dribble(peer, (n) => `* ${n + 1} FETCH (UID ${n + 1} FLAGS ())`)
      },
      step.open('a'),
      step.fetch('b', '1:900'),
    )
    expect(outcomes(seen)).toBe('a:ok b:unknown')
    expect(ofKind(seen, 'row').length).toBe(TRANSFER_DEADLINE_MS_MAX / DRIBBLE_MS)
    expect(dribbling.session?.ended?.code).toBe('remote.timeout')
  })

  it('is not begun by a SELECT that says the same again and again', async () => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(async (peer) => {
      await peer.expect('SELECT')
      await dribbling.dribble(peer, () => '* OK [UIDNEXT 10] next')
    }, step.open('a'))
    expect(outcomes(seen)).toBe('a:unknown')
    expect(dribbling.lastedMs).toBeLessThanOrEqual(COMMAND_DEADLINE_MS_MAX + 2 * DRIBBLE_MS)
  })

  it('is not an APPEND whose message was taken and that is never answered', async () => {
    const dribbling = new Dribbling()
    const seen = await dribbling.run(async (peer) => {
      await peer.expect('APPEND')
      await peer.literal(BODY_TEXT.length)
      await dribbling.dribble(peer, () => '* OK Hang in there')
    }, step.append('a'))
    expect(outcomes(seen)).toBe('a:unknown')
    expect(dribbling.lastedMs).toBeLessThanOrEqual(COMMAND_DEADLINE_MS_MAX + 2 * DRIBBLE_MS)
  })
})

// Verifies: I-NET-1
describe('an IDLE', () => {
  it.each([
    ['is not agreed to', false],
    ['is not ended', true],
  ])('that %s ends although the server goes on talking', async (_name, isAgreed) => {
    const dribbling = new Dribbling()
    const abort = new AbortController()
    const { session } = await connectScripted(
      `${PLAIN} IDLE`,
      async (peer) => {
        await peer.answer('EXAMINE "INBOX"', ...selectLines())
        await peer.expect('IDLE')
        if (isAgreed) {
          peer.send('+ idling')
          await heardAgreement
          abort.abort()
          expect(await peer.line()).toBe('DONE')
        }
        await dribbling.dribble(peer, () => '* OK Still here')
      },
      {
        clock: dribbling.clock,
        onWire: (event) => {
          if (event.kind !== 'line' || event.direction !== 'down') return
          dribbling.linesHeard += 1
          if (event.text.startsWith('+')) setImmediate(hearAgreement)
        },
      },
    )
    dribbling.session = session
    await collect(session.watch({ path: 'INBOX', beside: [] }, abort.signal))
    expect(session.ended?.code).toBe('remote.timeout')
    expect(dribbling.lastedMs).toBeLessThanOrEqual(COMMAND_DEADLINE_MS_MAX + 2 * DRIBBLE_MS)
  })
  let hearAgreement: () => void = () => {}
  const heardAgreement = new Promise<void>((resolve) => {
    hearAgreement = resolve
  })
})

// Verifies: I-NET-1
describe('connecting', () => {
  it.each([
    ['before its greeting', async (peer: Peer) => peer.raw('* ')],
    [
      'during LOGIN',
      async (peer: Peer) => {
        peer.send('* OK [CAPABILITY IMAP4rev1] ready')
        await peer.expect('LOGIN')
      },
    ],
    [
      'during ENABLE',
      async (peer: Peer) => {
        peer.send('* OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] ready')
        await peer.answer('LOGIN', 'OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] in')
        await peer.expect('ENABLE')
      },
    ],
  ])('ends although the server goes on talking %s', async (_name, begin) => {
    const clock = new ManualClock()
    let isOver = false
    const server = await startScript(async (peer) => {
      await begin(peer)
      while (!isOver) {
        peer.raw('OK ')
        clock.advance(CONNECT_DEADLINE_MS / 10)
        for (let turns = 0; turns < 4; turns += 1) await turn()
      }
    })
    const failure = await remoteOf(server.port, { clock })
      .connect(new AbortController().signal)
      .catch((error: unknown) => error)
    isOver = true
    expect(failure).toMatchObject({ code: 'remote.timeout' })
    await server.close()
  })

  it('ends although TLS is never begun', async () => {
    const clock = new ManualClock()
    let isOver = false
    const server = await startScript(async () => {
      while (!isOver) {
        clock.advance(CONNECT_DEADLINE_MS / 10)
        await turn()
      }
    })
    const failure = await remoteOf(server.port, { clock, security: 'tls' })
      .connect(new AbortController().signal)
      .catch((error: unknown) => error)
    isOver = true
    expect(failure).toMatchObject({ code: 'remote.timeout' })
    await server.close()
  })
})
