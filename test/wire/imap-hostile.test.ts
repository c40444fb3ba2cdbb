/** Servers that break the rules: what they say is given to nobody else, and neither the process nor the memory pays for it. */

import { imapRemote } from '@tidemail/imap'
import { afterEach, describe, expect, it } from 'vitest'
import { type Peer, type ScriptedServer, startScript } from './scripted-server.ts'
import {
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

const QRESYNC = 'UIDPLUS MOVE ESEARCH LITERAL+ ENABLE CONDSTORE QRESYNC'
const PLAIN = 'UIDPLUS MOVE'
const servers: ScriptedServer[] = []

afterEach(async () => {
  await closeScripted()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function failure(script: (peer: Peer) => Promise<void>, { connectDeadlineMs = 100 } = {}): Promise<unknown> {
  const server = await startScript(script)
  servers.push(server)
  return remoteOf(server.port, { connectDeadlineMs })
    .connect(new AbortController().signal)
    .then(
      async (session) => {
        await session.close()
        return null
      },
      (error: unknown) => error,
    )
}

describe('while connecting', () => {
  it.each([
    ['a tagged PREAUTH', '1 PREAUTH welcome'],
    ['a status with an endless tag', `${'A'.repeat(80)} OK done`],
    ['a second greeting', '* OK again'],
    ['a PREAUTH after the greeting', '* PREAUTH again'],
    ['a continuation nobody asked for', '+ go on'],
    ['an answer to a command that was never sent', 'FF OK done'],
    ['an empty tagged line', '1 OK'],
    ['a literal that never comes', '* X {100000}'],
    ['a literal that is too large', '* X {99999999999}'],
    ['nested lists', `* X ${'('.repeat(20_000)}`],
    ['NUL and 8-bit', '* OK \0\xff\xfe'],
    ['a lone carriage return', '* OK a\rb'],
  ])('survives %s', async (_name, line) => {
    const error = await failure(async (peer) => {
      peer.send('* OK [CAPABILITY IMAP4rev1] ready')
      peer.send(line)
      await peer.line()
      peer.send(line)
    })
    expect(error).toMatchObject({ name: 'SyncError', code: expect.stringMatching(/^remote\./) })
  })

  it('survives a line without an end', async () => {
    const script = async (peer: Peer): Promise<void> => {
      peer.send('* OK [CAPABILITY IMAP4rev1] ready')
      await peer.line()
      // In pieces of a size that brings one over every limit at once.
      await peer.trickle('x'.repeat(4_000_000), 60_000)
    }
    // The line is too long before the time is up, on a busy machine too.
    const error = await failure(script, { connectDeadlineMs: 15_000 })
    expect(error).toMatchObject({ name: 'SyncError', code: 'remote.protocol' })
  })

  it('masks the secret also as it was quoted', async () => {
    const error = await failure(async (peer) => {
      peer.send('* OK [CAPABILITY IMAP4rev1] ready')
      const line = await peer.line()
      const [tag] = (line ?? '').split(' ')
      peer.send(`${tag} BAD cannot parse ${line?.slice(2)}`)
    })
    expect(String(error)).not.toContain('correct horse')
  })

  it('is interrupted also while the secret is asked for', async () => {
    const remote = imapRemote({
      host: '127.0.0.1',
      port: 1,
      security: 'none',
      user: 'ann',
      secret: () => new Promise<string>(() => {}),
    })
    const abort = new AbortController()
    const connecting = remote.connect(abort.signal)
    abort.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'engine.aborted' })
  })
})

describe('a session that was closed', () => {
  it('sends nothing of a plan, and says so at once', async () => {
    const { session, run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('LOGOUT', '* BYE', 'OK')
    })
    await session.close()
    expect(outcomes(await run(step.list('a')))).toBe('a:not-sent')
    expect(await collect(session.watch({ path: 'INBOX', beside: [] }, new AbortController().signal))).toEqual([])
  })
})

describe('news of the mailbox that was open', () => {
  it('is not given to the one that is being opened, where the server says no CLOSED', async () => {
    // Verifies: DC-7162-3.2.11
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer(
        'SELECT "Other"',
        '* 2 FETCH (UID 9 FLAGS (\\Deleted))',
        ...selectLines().map((line) => line.replace('UIDVALIDITY 7', 'UIDVALIDITY 8')),
      )
    })
    const seen = await run(step.open('a'), step.open('b', 'Other'))
    expect(outcomes(seen)).toBe('a:ok b:ok')
    expect(ofKind(seen, 'row').map(({ mailbox, uid }) => `${mailbox.path} ${uid}`)).toEqual(['INBOX 9'])
  })
})

describe('evidence of a copy', () => {
  it.each(['7 1,1 5:6', '7 1:2 5,5'])('is none when it names a message twice: %s', async (args) => {
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID COPY', `OK [COPYUID ${args}] done`)
    })
    const seen = await run(step.open('a'), step.copy('b', '1:2'))
    expect(ofKind(seen, 'copied')).toEqual([])
  })
})

describe('names of mailboxes', () => {
  it('stay apart when two are written differently and read alike', async () => {
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('LIST', '* LIST () "/" "ab"', '* LIST () "/" "&AGEAYg-"', 'OK')
      await peer.answer('LSUB', 'OK')
      await peer.answer('SELECT "ab"', ...selectLines())
    })
    const seen = await run(step.list('a'), step.open('b', 'ab'))
    expect(outcomes(seen)).toBe('a:ok b:ok')
    expect(new Set(ofKind(seen, 'mailbox').map(({ path }) => path)).size).toBe(2)
  })
})

describe('a search', () => {
  it('answered by OK alone is no proof that a mailbox with messages is empty', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID SEARCH', 'OK done')
    })
    const seen = await run(step.open('a'), step.search('b'))
    expect(outcomes(seen)).toBe('a:ok b:rejected')
    expect(ofKind(seen, 'uids')).toEqual([])
  })

  it('answered one UID at a time costs no more for it', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `* SEARCH ${i * 3 + 1}`)
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID SEARCH', ...lines, 'OK done')
    })
    const seen = await run(step.open('a'), step.search('b'))
    expect(ofKind(seen, 'uids')[0]?.uids.size).toBe(20_000)
  }, 3_000)
})

describe('an IDLE that the server ends by itself', () => {
  it('is not asked for again at once', async () => {
    const clock = new ManualClock()
    let hasPolled = false
    let hear: (line: string) => void = () => {}
    const idling = new Promise<void>((resolve) => {
      hear = (line) => line.startsWith('+') && setImmediate(resolve)
    })
    const { session } = await connectScripted(
      `${PLAIN} IDLE`,
      async (peer) => {
        await peer.answer('EXAMINE "INBOX"', ...selectLines())
        const tag = await peer.expect('IDLE')
        peer.send('+ idling')
        await idling
        peer.send(`${tag} OK done`)
        await peer.answer('NOOP', 'OK')
        hasPolled = true
        peer.finish()
      },
      { clock, stepDeadlineMs: Number.MAX_SAFE_INTEGER, onWire: (event) => event.kind === 'line' && hear(event.text) },
    )
    const watching = collect(session.watch({ path: 'INBOX', beside: [] }, new AbortController().signal))
    while (!hasPolled && session.ended === null) {
      clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await watching
    expect(hasPolled).toBe(true)
  })
})
