/** Everything that can go wrong from the command line: one message, one hint, the exit status of docs/errors.md, and nothing lost. */

import { execFileSync } from 'node:child_process'
import { readFileSync, truncateSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { UidSet } from '@tidemail/core'
import { FaultProxy, ImapServer, sampleMessages } from '@tidemail/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TranscriptTap } from '../wire/transcript-tap.ts'
import { type Finished, failed, Sandbox, succeeded } from './cli-process.ts'
import { answering, withServer } from './cli-silent-server.ts'

const PASSWORD = 'correct horse'
const MESSAGE = 'Subject: x\r\n\r\ny\r\n'

let server: ImapServer
let sandbox: Sandbox
let tap: TranscriptTap
/** Synchronised, with one operation waiting; each test works on a copy. */
let original: Sandbox

const settings = (port: number, security = 'none'): string[] => {
  return ['--host', '127.0.0.1', '--port', String(port), '--user', 'alice', '--security', security, '--timeout', '10']
}

beforeAll(async () => {
  server = await ImapServer.start({
    users: { alice: PASSWORD, bob: PASSWORD },
    accounts: { mailboxes: { Archive: 'archive' } },
  })
  server.account('alice').append('INBOX', sampleMessages({ count: 5, seed: 3 }))
  tap = await TranscriptTap.start(server.port)
  original = new Sandbox({ password: PASSWORD })
  succeeded(await original.run(['sync', ...settings(tap.port), '--password-file', original.passwordFile]))
  succeeded(await original.run(['flag', 'INBOX', '1', '--add', 'flagged']))
})
afterAll(async () => {
  original.remove()
  await server.close()
  await tap.close({ history: 'partial' })
})

beforeEach(() => {
  sandbox = original.copy()
})
afterEach(async () => {
  // Whatever failed: what was accepted before is still there.
  const ops = succeeded(await sandbox.run(['ops', '--json'])).json()
  expect(ops.filter(({ kind }) => kind === 'entry' || kind === 'receipt').map(({ seq }) => seq)).toContain(1)
  sandbox.remove()
})

/** The command fails so, and says so in JSON as well. */
async function fails(words: readonly string[], code: string, status: number): Promise<Finished> {
  const finished = failed(await sandbox.run(words), code, status)
  const inJson = await sandbox.run([...words, '--json'])
  expect(inJson.status).toBe(status)
  expect(inJson.json().at(-1)).toMatchObject({ kind: 'error', code, message: expect.any(String), hint: expect.any(String) })
  return finished
}

describe('a command line that is not understood', () => {
  // input.usage
  it.each([
    [['nope']],
    [['list', '--nope']],
    [['flag', 'INBOX', '1']],
    [['show', 'INBOX']],
    [['sync', '--port', '0']],
    [['list', '--password', 'x']],
  ])('ends with 64: %j', async (words) => {
    await fails(words, 'input.usage', 64)
  })
})

describe('a name that begins with a dash', () => {
  it.each([
    [['list', '-dash'], 'list -- -dash'],
    [['show', '-dash', '1'], 'show ... -- -dash'],
    [['move', 'INBOX', '1', '--Trash'], 'move ... -- --Trash'],
    [['append', 'INBOX', '-m.eml'], 'append ... -- -m.eml'],
    [['sync', '-dash'], 'sync -- -dash'],
  ])('is told how to be written: %j', async (words, written) => {
    expect((await fails(words, 'input.usage', 64)).notes).toContain(`\`tidemail ${written}\``)
  })

  it('is understood after --', async () => {
    const finished = failed(await sandbox.run(['list', '--', '-dash']), 'input.unknown-mailbox', 65)
    expect(finished.notes).toContain('There is no mailbox "-dash" in the store.')
  })
})

describe('a part that cannot be had', () => {
  it('ends with 65 where the message has none of that name, and with 64 where none is named to be written', async () => {
    await fails(['fetch', 'INBOX', '1', '--part', '9.9'], 'input.unknown-part', 65)
    await fails(['fetch', 'INBOX', '1', '--out', 'x'], 'input.usage', 64)
  })

  it('ends with 69 where the server does not give it', async () => {
    const archive = server.account('alice').open('Archive')
    archive.append([{ flags: [], internalDate: Date.UTC(2026, 0, 1), bytes: Buffer.from(MESSAGE) }])
    succeeded(await sandbox.run(['sync', 'Archive', '--bodies', 'none']))
    archive.remove(UidSet.ALL)
    const { notes } = await fails(['fetch', 'Archive', '1'], 'remote.not-there', 69)
    expect(notes).toContain('the message may have gone')
  })
})

describe('input that cannot be used', () => {
  it.each(['', '0', '1:*', 'x', '1,,2', '4294967296', 'local:x'])('a malformed UID set ends with 65: "%s"', async (uids) => {
    await fails(['flag', 'INBOX', uids, '--add', 'seen'], 'input.bad-uid-set', 65)
  })

  it.each(['99', '1,99', 'local:7', '50:60'])('UIDs that are not there end with 65: %s', async (uids) => {
    const { notes } = await fails(['move', 'INBOX', uids, 'Archive'], 'input.unknown-message', 65)
    expect(notes).toContain(uids.replace('1,', ''))
  })

  it.each([
    ['list', 'Nope'],
    ['show', 'Nope', '1'],
    ['flag', 'Nope', '1', '--add', 'seen'],
    ['copy', 'INBOX', '1', 'Nope'],
    ['expunge', '\\All', '1'],
    ['sync', 'Nope'],
  ])('an unknown mailbox ends with 65: %s %s', async (...words) => {
    const { notes } = await fails(words, 'input.unknown-mailbox', 65)
    expect(notes).toContain('The mailboxes are INBOX, Archive.')
  })

  it.each(['two words', '\\Recent', '', 'ä', 'a)'])('a keyword that IMAP cannot carry ends with 65: "%s"', async (flag) => {
    await fails(['flag', 'INBOX', '1', '--add', flag], 'input.bad-flag', 65)
  })

  it('a date that is none ends with 65', async () => {
    await fails(['append', 'INBOX', sandbox.file('m', MESSAGE), '--date', '2026-02-30'], 'input.bad-date', 65)
  })

  it('a bad flag of a message to append ends with 65', async () => {
    await fails(['append', 'INBOX', sandbox.file('m', MESSAGE), '--flags', 'two words'], 'input.bad-flag', 65)
  })

  it.each([
    ['empty', ''],
    ['with NUL bytes', `${MESSAGE}\0`],
    ['that is no message', 'hello\n'],
  ])('a file %s ends with 65, and the good one beside it is not appended', async (_what, content) => {
    await fails(['append', 'INBOX', sandbox.file('good', MESSAGE), sandbox.file('bad', content)], 'input.bad-message', 65)
    expect(
      succeeded(await sandbox.run(['ops', '--json']))
        .json()
        .at(-1),
    ).toMatchObject({ waiting: 1 })
  })

  it('a huge file ends with 65', async () => {
    const path = sandbox.file('huge', MESSAGE)
    truncateSync(path, 2 ** 36)
    await fails(['append', 'INBOX', path], 'input.message-too-large', 65)
  })

  it('a missing file, or a folder, ends with 66', async () => {
    await fails(['append', 'INBOX', join(sandbox.folder, 'none')], 'input.file-missing', 66)
    await fails(['append', 'INBOX', sandbox.folder], 'input.file-missing', 66)
    await fails(['sync', '--ca', 'none'], 'input.file-missing', 66)
    await fails(['list', '--config', 'none'], 'input.file-missing', 66)
  })

  it('a change that depends on what others did, where nobody can tell that, ends with 65', async () => {
    succeeded(await sandbox.run(['append', 'INBOX', sandbox.file('unsent', MESSAGE)]))
    const { output } = succeeded(await sandbox.run(['list', 'INBOX']))
    const local = /local:\d+/.exec(output)?.[0] ?? ''
    await fails(['flag', 'INBOX', local, '--add', 'seen', '--if-unchanged'], 'input.not-conditional', 65)
  })

  it('an operation that is not there ends with 65', async () => {
    await fails(['undo', '99'], 'input.unknown-operation', 65)
  })

  it('an operation that was sent and has no opposite cannot be undone: 65', async () => {
    const { output } = succeeded(await sandbox.run(['expunge', 'INBOX', '5']))
    succeeded(await sandbox.run(['sync']))
    await fails(['undo', /^#(\d+)/.exec(output)?.[1] ?? ''], 'input.not-undoable', 65)
  })

  it('a decision without a mailbox where it needs one ends with 64, and one that cannot be with 65', async () => {
    await fails(['ops', 'retarget', '1'], 'input.usage', 64)
    await fails(['ops', 'retry', '1', 'Archive'], 'input.usage', 64)
    await fails(['ops', 'retarget', '1', 'Nope'], 'input.unknown-mailbox', 65)
    await fails(['ops', 'retarget', '1', 'Archive'], 'input.not-retargetable', 65)
  })

  it('a draft, or a deletion, where the account has no mailbox for it ends with 65', async () => {
    await fails(['draft', sandbox.file('m', MESSAGE)], 'input.no-drafts', 65)
    await fails(['delete', 'INBOX', '1'], 'input.no-trash', 65)
  })

  it('a host with characters that no host has ends with 65', async () => {
    const other = new Sandbox({ password: PASSWORD })
    const words = ['sync', '--host', 'two words', '--user', 'alice', '--password-file', other.passwordFile]
    failed(await other.run(words), 'input.bad-name', 65)
    other.remove()
  })
})

describe('a mail server that cannot be used', () => {
  /** A first sync elsewhere, so that another host is not another account. */
  async function firstSyncFails(words: readonly string[], code: string, status: number): Promise<void> {
    const other = new Sandbox({ password: PASSWORD })
    try {
      failed(await other.run(['sync', ...words, '--password-file', other.passwordFile]), code, status)
    } finally {
      other.remove()
    }
  }

  it('a wrong password ends with 77, and is told nowhere', async () => {
    const wrong = sandbox.file('wrong', 'battery staple')
    const { notes } = await fails(['sync', '--password-file', wrong], 'remote.auth-rejected', 77)
    expect(notes).not.toMatch(/battery|correct horse/)
  })

  it('a host whose name is unknown ends with 68', async () => {
    await firstSyncFails(['--host', 'no-such-host.invalid', '--user', 'alice', '--timeout', '20'], 'remote.host-unknown', 68)
  })

  it('a port where nobody listens ends with 69', async () => {
    const ports: number[] = []
    await withServer(
      () => undefined,
      async (port) => void ports.push(port),
    )
    await fails(['sync', '--port', String(ports[0])], 'remote.unreachable', 69)
  })

  it('a certificate that nobody vouches for ends with 69; --ca vouches for it', async () => {
    const [key, cert] = [join(sandbox.folder, 'key.pem'), join(sandbox.folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...subject]
    execFileSync('openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    for (const security of ['tls', 'starttls']) {
      const secure = await ImapServer.start({ users: { alice: PASSWORD }, tls, implicitTls: security === 'tls' })
      try {
        const words = [...settings(secure.port, security)]
        await firstSyncFails(words, 'remote.tls', 69)
        const other = new Sandbox({ password: PASSWORD })
        succeeded(await other.run(['sync', ...words, '--ca', cert, '--password-file', other.passwordFile]))
        other.remove()
      } finally {
        await secure.close()
      }
    }
  })

  it('a server without STARTTLS is not talked to in clear: 69 or 78, and no password on the wire', async () => {
    const before = server.commands.length
    const finished = await sandbox.run(['sync', '--security', 'starttls', '--port', String(tap.port)])
    expect(finished.notes).toMatch(/\((remote\.tls|remote\.cleartext-refused)\)/)
    expect(server.commands.slice(before).filter((line) => /LOGIN|AUTHENTICATE/i.test(line))).toEqual([])
  })

  it('a server that hangs ends with 75 when the deadline has passed', async () => {
    await withServer(
      () => undefined,
      async (port) => {
        await fails(['sync', '--port', String(port), '--timeout', '1'], 'remote.timeout', 75)
      },
    )
  })

  it('a server that hangs after the login ends with 75, too', async () => {
    const variables = { TIDEMAIL_STEP_DEADLINE_MS: '700' }
    await withServer(answering('* OK [CAPABILITY IMAP4rev1] hi', { login: 'OK [CAPABILITY IMAP4rev1] in' }), async (port) => {
      const words = ['sync', '--host', '127.0.0.1', '--port', String(port)]
      failed(await sandbox.run(words, { variables }), 'remote.timeout', 75)
    })
  })

  it('a server that keeps talking without an answer does not hold an interrupted command', async () => {
    const greet = answering('* OK [CAPABILITY IMAP4rev1] hi', { login: 'OK [CAPABILITY IMAP4rev1] in' })
    let begun: () => void = () => undefined
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const talking = (socket: Socket): void => {
      greet(socket)
      socket.on('data', (piece: Buffer) => {
        if (!piece.includes('LIST')) return
        const talk = setInterval(() => socket.write('* OK Still here\r\n'), 50)
        socket.once('close', () => clearInterval(talk))
        begun()
      })
    }
    await withServer(talking, async (port) => {
      const { child, finished } = sandbox.start(['sync', '--port', String(port), '--timeout', '2'])
      await hasBegun
      child.kill('SIGTERM')
      failed(await finished, 'engine.aborted', 130)
    })
  })

  it('a server that hangs up ends with 75', async () => {
    const hangUp = answering('* OK [CAPABILITY IMAP4rev1] hi', { login: 'OK [CAPABILITY IMAP4rev1] in', list: null })
    await withServer(hangUp, async (port) => {
      await fails(['sync', '--port', String(port)], 'remote.disconnected', 75)
    })
  })

  it('a server that asks to come back later ends with 75', async () => {
    await withServer(answering('* OK [CAPABILITY IMAP4rev1] hi', { login: 'NO [UNAVAILABLE] Come back later' }), async (port) => {
      await fails(['sync', '--port', String(port)], 'remote.try-later', 75)
    })
  })

  it('a server that speaks garbage ends with 76', async () => {
    await withServer(
      (socket) => void socket.write('220 smtp.example ESMTP\r\nHTTP/1.1 400 Bad Request\r\n\r\n\u0000\u0001\r\n'),
      async (port) => {
        await fails(['sync', '--port', String(port)], 'remote.protocol', 76)
      },
    )
  })

  it('a password in clear to another machine is refused with 78', async () => {
    await firstSyncFails(['--host', 'mail.example', '--user', 'alice', '--security', 'none'], 'remote.cleartext-refused', 78)
  })

  it('a mailbox that cannot be opened ends with 75, and the others are taken in', async () => {
    const refusing = await FaultProxy.start({ host: server.host, port: server.port, refuse: ['SELECT', 'EXAMINE'] })
    try {
      const finished = failed(await sandbox.run(['sync', '--port', String(refusing.port)]), 'sync.incomplete', 75)
      expect(finished.output).toMatch(/mailboxes checked.*1 waiting/)
    } finally {
      await refusing.close()
    }
  })

  it('an operation that the server refuses for good is parked, and shown with the reason', async () => {
    const full = await ImapServer.start({ users: { alice: PASSWORD } })
    const other = new Sandbox({ password: PASSWORD })
    try {
      succeeded(await other.run(['sync', ...settings(full.port), '--password-file', other.passwordFile]))
      succeeded(await other.run(['append', 'INBOX', other.file('m', MESSAGE)]))
      full.account('alice').quotaOctets = 1
      expect(succeeded(await other.run(['sync'])).output).toContain('1 parked (see `tidemail ops`)')
      expect(succeeded(await other.run(['ops'])).output).toContain('parked (over-quota): local:1')
    } finally {
      other.remove()
      await full.close()
    }
  })
})

describe('an account that is not configured', () => {
  it('a missing password stops with 78 only what needs the network', async () => {
    const other = new Sandbox({ password: PASSWORD })
    const variables = { TIDEMAIL_PASSWORD: PASSWORD }
    succeeded(await other.run(['sync', ...settings(tap.port)], { variables }))
    failed(await other.run(['sync']), 'account.missing-secret', 78)
    succeeded(await other.run(['flag', 'INBOX', '2', '--add', 'answered']))
    succeeded(await other.run(['list', 'INBOX']))
    other.remove()
  })

  it.each([
    ['kill -TERM $$', 'was killed by SIGTERM'],
    ['exit 3', 'failed with status 3'],
    ['true', 'holds no password'],
  ])('a password command that gives none stops with 78: %s', async (command, what) => {
    const { notes } = await fails(['sync', '--password-command', command], 'account.missing-secret', 78)
    expect(notes).toContain(what)
  })

  it('the credentials of another account end with 78', async () => {
    await fails(['sync', '--user', 'bob'], 'account.mismatch', 78)
    await fails(['sync', '--host', 'localhost'], 'account.mismatch', 78)
    await fails(['plan', '--user', 'bob'], 'account.mismatch', 78)
  })

  it('settings that contradict each other end with 78', async () => {
    await fails(['sync', '--password-file', 'a', '--password-command', 'b'], 'account.configuration', 78)
    await fails(['sync', '--config', sandbox.file('c.json', '{"password":"x"}')], 'account.configuration', 78)
  })
})
