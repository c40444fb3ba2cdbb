/** Why connecting fails, in the words of the catalogue, and that the secret is nowhere in them. */

import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { SyncError } from '@tidemail/core'
import type { ImapRemoteOptions, WireEvent } from '@tidemail/imap'
import { afterEach, describe, expect, it } from 'vitest'
import { type Peer, type ScriptedServer, startScript } from './scripted-server.ts'
import { ManualClock, remoteOf, SECRET } from './scripted-session.ts'

const servers: ScriptedServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function failure(script: (peer: Peer) => Promise<void>, options: Partial<ImapRemoteOptions> = {}): Promise<SyncError> {
  const server = await startScript(script)
  servers.push(server)
  return errorOf(server.port, options)
}

async function errorOf(port: number, options: Partial<ImapRemoteOptions>): Promise<SyncError> {
  const events: WireEvent[] = []
  const remote = remoteOf(port, { onWire: (event) => events.push(event), ...options })
  const error: unknown = await remote.connect(new AbortController().signal).then(
    () => new Error('connected'),
    (reason: unknown) => reason,
  )
  // Verifies: I-SEC-1
  const told = inspect([error, events], { depth: 10 })
  expect(told).not.toContain('correct horse')
  expect(told).not.toContain(Buffer.from(SECRET).toString('base64'))
  if (!(error instanceof SyncError)) throw error
  return error
}

const GREETING = '* OK [CAPABILITY IMAP4rev1 UIDPLUS] ready'

describe('connecting', () => {
  it.each([
    ['NO [AUTHENTICATIONFAILED] wrong', 'remote.auth-rejected'],
    ['NO wrong', 'remote.auth-rejected'],
    ['BAD what', 'remote.auth-rejected'],
    ['NO [UNAVAILABLE] later', 'remote.try-later'],
    ['NO [INUSE] later', 'remote.try-later'],
    ['NO [LIMIT] later', 'remote.try-later'],
    ['NO [SERVERBUG] oops', 'remote.try-later'],
    ['NO [CORRUPTION] oops', 'remote.try-later'],
    ['NO [AUTHORIZATIONFAILED] not as somebody else', 'remote.auth-rejected'],
    ['NO [EXPIRED] choose a new password', 'remote.auth-rejected'],
    ['NO [CONTACTADMIN] call us', 'remote.auth-rejected'],
    ['BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds', 'remote.try-later'],
  ])('takes %s to the login for %s', async (reply, code) => {
    // Verifies: DC-5530-3
    const error = await failure(async (peer) => {
      peer.send(GREETING)
      await peer.answer('LOGIN', reply)
    })
    expect(error.code).toBe(code)
    expect(error.hint).toBeDefined()
    expect(error.retryAfterMs).toBe(reply.includes('Backoff') ? 92_415 : undefined)
  })

  it('masks the secret where the server repeats it', async () => {
    const error = await failure(async (peer) => {
      peer.send(GREETING)
      await peer.answer('LOGIN', `NO no user ann with password ${SECRET}`)
    })
    expect(error.message).toContain('password ***')
  })

  it('takes a BYE for a greeting as come back later, and says what the server said', async () => {
    const error = await failure(async (peer) => peer.send('* BYE Too many connections'))
    expect(error).toMatchObject({ code: 'remote.try-later', message: expect.stringContaining('Too many connections') })
  })

  it('knows what is no IMAP by its first octets', async () => {
    for (const words of ['HTTP/1.1 400 Bad Request', 'SSH-2.0-OpenSSH_9.2', '220 mail ESMTP', '* HELLO']) {
      expect((await failure(async (peer) => peer.send(words))).code, words).toBe('remote.protocol')
    }
  })

  it.each([
    ['garbage', 'HTTP/1.1 400 Bad Request'],
    ['a wrong tag', 'ZZ9 OK in'],
    ['the tag of a command that was never sent', 'FF OK in'],
    ['a tag without a status', '1 MAYBE in'],
    ['octets that are no text', '\x16\x03\x01\x02\xff'],
  ])('takes %s instead of the answer to LOGIN for no IMAP', async (_name, line) => {
    const error = await failure(async (peer) => {
      peer.send(GREETING)
      await peer.expect('LOGIN')
      peer.send(line)
      await peer.line()
    })
    expect(error.code).toBe('remote.protocol')
    expect(error.hint).toBeDefined()
  })

  it('bears empty lines and literals before the answer to LOGIN', async () => {
    const server = await startScript(async (peer) => {
      peer.send(GREETING)
      await peer.answer('LOGIN', '', '* X-NEWS {13}', 'two', 'lines ok', 'OK [CAPABILITY IMAP4rev1 UIDPLUS] in')
    })
    servers.push(server)
    const session = await remoteOf(server.port).connect(new AbortController().signal)
    expect(session.server.capabilities).toContain('UIDPLUS')
  })

  it.each([
    ['is cut', (peer: Peer) => peer.cut(), 'remote.disconnected'],
    ['is closed', (peer: Peer) => peer.finish(), 'remote.disconnected'],
    ['ends with BYE', (peer: Peer) => peer.send('* BYE too many'), 'remote.try-later'],
    ['brings garbage', (peer: Peer) => peer.send('garbage'), 'remote.protocol'],
  ])('tells that the connection %s during ENABLE', async (_name, end, code) => {
    const capabilities = 'IMAP4rev1 ENABLE QRESYNC'
    const error = await failure(async (peer) => {
      peer.send(`* OK [CAPABILITY ${capabilities}] ready`)
      await peer.answer('LOGIN', `OK [CAPABILITY ${capabilities}] in`)
      await peer.expect('ENABLE')
      end(peer)
    })
    expect(error).toMatchObject({ code, recovery: code === 'remote.protocol' ? 'none' : 'retry-later' })
  })

  it('waits for a greeting and for the login no longer than its deadline', async () => {
    for (const greeting of [[], [GREETING]]) {
      const clock = new ManualClock()
      const error = await failure(
        async (peer) => {
          peer.send(...greeting)
          if (greeting.length > 0) await peer.expect('LOGIN')
          clock.advance(5000)
        },
        { clock, connectDeadlineMs: 5000 },
      )
      expect(error.code).toBe('remote.timeout')
    }
  })

  it('refuses to go on without STARTTLS when it was asked for, and sends no password', async () => {
    let lines: readonly string[] = []
    const error = await failure(
      async (peer) => {
        peer.send(GREETING)
        while ((await peer.line()) !== null);
        lines = peer.lines
      },
      { security: 'starttls' },
    )
    expect(error.code).toBe('remote.tls')
    expect(lines.join()).not.toContain('LOGIN')
  })

  it('refuses to go on when something was put before the TLS of STARTTLS', async () => {
    const error = await failure(
      async (peer) => {
        peer.send('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready')
        const tag = await peer.expect('STARTTLS')
        peer.send(`${tag} OK begin`, '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected')
      },
      { security: 'starttls' },
    )
    expect(error.code).toBe('remote.tls')
  })

  it('says that a server without TLS has none', async () => {
    const error = await failure(async (peer) => peer.send(GREETING), { security: 'tls' })
    expect(error.code).toBe('remote.tls')
  })

  it('tells a closed port, an unknown host and a closed connection apart', async () => {
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const address = probe.address()
    await new Promise((resolve) => probe.close(resolve))
    expect((await errorOf(typeof address === 'object' ? (address?.port ?? 1) : 1, {})).code).toBe('remote.unreachable')
    expect((await errorOf(993, { host: 'no-such-host.invalid', security: 'tls' })).code).toBe('remote.host-unknown')
    expect((await failure(async (peer) => peer.finish())).code).toBe('remote.unreachable')
  })

  it('refuses to send the password in clear to another machine, before it sends anything', async () => {
    expect((await errorOf(143, { host: '192.0.2.1' })).code).toBe('remote.cleartext-refused')
    expect((await errorOf(143, { host: '127.evil.example' })).code).toBe('remote.cleartext-refused')
  })

  it('refuses names that IMAP or the network cannot carry', async () => {
    for (const host of ['', 'a b', 'a\r\nb', 'a\0b', 'user@host'])
      expect((await errorOf(143, { host })).code).toBe('input.bad-name')
    for (const user of ['', 'a\r\nb', 'a\0b']) expect((await errorOf(143, { user })).code).toBe('input.bad-name')
  })

  it('asks for the secret once per connection, and needs one', async () => {
    expect((await errorOf(143, { secret: () => Promise.resolve('') })).code).toBe('account.missing-secret')
  })

  it('stops when it is aborted', async () => {
    const abort = new AbortController()
    const server = await startScript(async (peer) => {
      peer.send(GREETING)
      await peer.expect('LOGIN')
      abort.abort()
    })
    servers.push(server)
    await expect(remoteOf(server.port).connect(abort.signal)).rejects.toMatchObject({ code: 'engine.aborted' })
  })

  it('logs in by SASL PLAIN in one line where LOGIN cannot carry the password', async () => {
    const server = await startScript(async (peer) => {
      peer.send('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready')
      const expected = Buffer.from('\0ann\0pässword').toString('base64')
      await peer.answer(`AUTHENTICATE PLAIN ${expected}`, 'OK [CAPABILITY IMAP4rev1 UIDPLUS] in')
    })
    servers.push(server)
    const session = await remoteOf(server.port, { secret: () => Promise.resolve('pässword') }).connect(
      new AbortController().signal,
    )
    expect(session.server.capabilities).toContain('UIDPLUS')
  })

  it('logs in with a token', async () => {
    const server = await startScript(async (peer) => {
      peer.send('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready')
      const expected = Buffer.from(`user=ann\x01auth=Bearer ${SECRET}\x01\x01`).toString('base64')
      await peer.answer(`AUTHENTICATE XOAUTH2 ${expected}`, 'OK [CAPABILITY IMAP4rev1 MOVE] in')
    })
    servers.push(server)
    const session = await remoteOf(server.port, { auth: 'xoauth2' }).connect(new AbortController().signal)
    expect(session.server.capabilities).toContain('MOVE')
  })

  it('keeps neither the secret nor imapflow within reach of the session', async () => {
    const server = await startScript(async (peer) => peer.login('UIDPLUS'))
    servers.push(server)
    const session = await remoteOf(server.port).connect(new AbortController().signal)
    expect(inspect(session, { depth: 20, showHidden: true })).not.toContain('correct horse')
  })
})
