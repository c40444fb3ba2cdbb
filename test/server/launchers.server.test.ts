import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  detectServers,
  FaultProxy,
  installServers,
  RawImap,
  type RealServer,
  readAccount,
  SERVER_MASKS,
  startCourier,
  startCyrus,
  startDovecot,
} from '@tidemail/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const LAUNCHERS = { dovecot: startDovecot, cyrus: startCyrus, courier: startCourier } as const
const NAMES = ['dovecot', 'cyrus', 'courier'] as const
const available = detectServers()
const runnable = NAMES.filter((name) => available[name].kind === 'ready')
const MESSAGE = Buffer.from(
  'From: Ada <ada@example.org>\r\nSubject: Tide\r\nMessage-ID:\r\n <tide-1@example.org>\r\n\r\nHigh water: 12:04\r\n',
)

it('installs nothing when all that can run here is there', () => {
  const report = installServers({ programs: runnable })
  expect(report).toEqual({ installed: [], ready: runnable, missing: [], unsupported: [], aptLine: null })
})

describe.each(runnable)('a private %s', (name) => {
  let server: RealServer

  beforeAll(async () => {
    server = await LAUNCHERS[name]()
  })
  afterAll(() => server.stop())

  it('lets a fresh user in and keeps what is appended, byte for byte', async () => {
    const user = server.user()
    const client = await RawImap.connect(server)
    await client.login(user)
    const before = await readAccount({ host: server.host, port: server.port, user })
    expect(before.mailboxes.flatMap((mailbox) => mailbox.messages)).toEqual([])
    await client.ok(['APPEND INBOX (\\Seen \\Flagged) "05-Jan-2026 10:00:00 +0100" ', MESSAGE])
    await client.logout()
    const { mailboxes } = await readAccount({ host: server.host, port: server.port, user })
    const inbox = mailboxes.find((mailbox) => mailbox.path === 'INBOX')
    expect(inbox?.uidValidity).toBeGreaterThan(0)
    expect(inbox?.messages).toEqual([
      {
        uid: 1,
        flags: ['\\Flagged', '\\Seen'],
        internalDate: Date.UTC(2026, 0, 5, 9),
        sizeBytes: MESSAGE.length,
        sha256: createHash('sha256').update(MESSAGE).digest('hex'),
        messageId: '<tide-1@example.org>',
      },
    ])
  })

  it('gives every user mailboxes of its own', async () => {
    const [ada, bob] = [server.user(), server.user()]
    const client = await RawImap.connect(server)
    await client.login(ada)
    await client.seed({ count: 12, flags: (number) => (number % 2 === 0 ? ['\\Seen'] : []) })
    await client.logout()
    const counts = await Promise.all(
      [ada, bob].map(async (user) => {
        const { mailboxes } = await readAccount({ host: server.host, port: server.port, user })
        return mailboxes.flatMap((mailbox) => mailbox.messages).length
      }),
    )
    expect(counts).toEqual([12, 0])
  })

  it('speaks TLS with a certificate that can be verified', async () => {
    if (server.tlsPort === undefined || server.caFile === undefined) throw new Error('no TLS')
    const ca = readFileSync(server.caFile, 'utf8')
    const { mailboxes } = await readAccount({ host: 'localhost', port: server.tlsPort, ca, user: server.user() })
    expect(mailboxes.map((mailbox) => mailbox.path)).toContain('INBOX')
  })

  it('refuses a wrong password', async () => {
    const client = await RawImap.connect(server)
    await expect(client.login({ name: server.user().name, password: 'wrong' })).rejects.toThrow('LOGIN was answered NO')
    client.close()
  })

  it('leaves no process, port or folder behind when it is stopped', async () => {
    const other = await LAUNCHERS[name]()
    const client = await RawImap.connect(other)
    await client.login(other.user())
    const folder = dirname(other.caFile ?? '')
    expect(processesOf(folder)).not.toEqual([])
    await other.stop()
    expect(processesOf(folder)).toEqual([])
    expect(existsSync(folder)).toBe(false)
    await expect(connects(other.port)).resolves.toBe(false)
    await expect(connects(server.port)).resolves.toBe(true)
    client.close()
  })

  it('ends with the process that started it, even one that is killed', async () => {
    const script = `
      import { startDovecot, startCyrus, startCourier } from ${JSON.stringify(fileURLToPath(new URL('../../packages/testing/src/index.ts', import.meta.url)))}
      const server = await { dovecot: startDovecot, cyrus: startCyrus, courier: startCourier }['${name}']()
      console.log(server.caFile)
      setInterval(() => {}, 1000)
    `
    const args = ['--conditions=@tidemail/source', '--import', 'tsx', '--input-type=module', '-e', script]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const folder = dirname(
      await new Promise<string>((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim()))),
    )
    expect(processesOf(folder)).not.toEqual([])
    child.kill('SIGKILL')
    await until(() => processesOf(folder).length === 0 && !existsSync(folder))
  })
})

describe.each(runnable.filter((name) => name === 'dovecot'))('a proxy before %s', () => {
  let server: RealServer
  beforeAll(async () => {
    server = await startDovecot()
  })
  afterAll(() => server.stop())

  it('loses the answer of an APPEND that was carried out, and a request that was not', async () => {
    const user = server.user()
    const proxy = await FaultProxy.start(server)
    for (const kind of ['lose-answer', 'lose-request'] as const) {
      const client = await RawImap.connect({ host: '127.0.0.1', port: proxy.port })
      await client.login(user)
      proxy.setFault({ kind, command: 'APPEND', how: 'rst' })
      await expect(client.command(['APPEND INBOX ', MESSAGE])).rejects.toThrow()
    }
    expect(proxy.counts().faults).toBe(2)
    await proxy.close()
    const { mailboxes } = await readAccount({ host: server.host, port: server.port, user })
    expect(mailboxes.flatMap((mailbox) => mailbox.messages).map((message) => message.messageId)).toEqual(['<tide-1@example.org>'])
  })

  it.each(['bare', 'exchange', 'hmailserver'] as const)('behind the %s mask it never mentions a mod-sequence', async (name) => {
    const said: string[] = []
    const spy = (line: string): string => {
      said.push(line)
      return line
    }
    const proxy = await FaultProxy.start({ host: server.host, port: server.port, mask: SERVER_MASKS[name], rewriteLine: spy })
    const client = await RawImap.connect({ host: '127.0.0.1', port: proxy.port })
    await client.login(server.user())
    await client.ok(['APPEND INBOX ', MESSAGE])
    await client.ok('SELECT INBOX')
    await client.ok('UID STORE 1 +FLAGS (\\Seen)')
    expect((await client.command('ENABLE QRESYNC')).status).toBe('BAD')
    expect((await client.command('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)')).status).toBe('BAD')
    await client.logout()
    await proxy.close()
    expect(said.length).toBeGreaterThan(10)
    expect(said.filter((line) => /MODSEQ|QRESYNC|CONDSTORE/i.test(line))).toEqual([])
  })
})

/** Command lines of living processes that belong to the instance in this folder, its guard included. */
function processesOf(folder: string): readonly string[] {
  const sessions = new Set<string>()
  const living: { readonly session: string; readonly commandLine: string }[] = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const [state = '', , , session = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      if (state === 'Z') continue
      living.push({ session, commandLine })
      if (commandLine.includes(folder)) sessions.add(session)
    } catch {
      // It ended while we looked.
    }
  }
  return living.filter(({ session }) => sessions.has(session)).map(({ commandLine }) => commandLine)
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Looks again on every turn of the event loop; the test's own deadline bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
