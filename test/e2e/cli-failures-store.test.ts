/** What can go wrong with the store, the output and the process: one message, one hint, the exit status, and nothing lost. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { FaultProxy, ImapServer, sampleMessages } from '@tidemail/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TranscriptTap } from '../wire/transcript-tap.ts'
import { failed, type Running, Sandbox, succeeded, TIDEMAIL } from './cli-process.ts'
import { withServer } from './cli-silent-server.ts'

/** Small and read-only file systems can be mounted by root only, and not in every container. */
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

let server: ImapServer
let sandbox: Sandbox
let tap: TranscriptTap
/** Synchronised, with one operation waiting; each test works on a copy. */
let original: Sandbox
let account: readonly string[]

beforeAll(async () => {
  server = await ImapServer.start({ users: { alice: 'secret' }, accounts: { mailboxes: { Archive: 'archive' } } })
  server.account('alice').append('INBOX', sampleMessages({ count: 5, seed: 3 }))
  tap = await TranscriptTap.start(server.port)
  original = new Sandbox()
  const { passwordFile } = original
  account = [
    '--host',
    '127.0.0.1',
    '--port',
    String(tap.port),
    '--user',
    'alice',
    '--security',
    'none',
    '--password-file',
    passwordFile,
  ]
  succeeded(await original.run(['sync', ...account]))
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
afterEach(() => sandbox.remove())

async function waiting(): Promise<readonly unknown[]> {
  const lines = succeeded(await sandbox.run(['ops', '--json'])).json()
  return lines.filter(({ kind }) => kind === 'entry').map(({ seq }) => seq)
}

describe('a store that cannot be used', () => {
  it('a folder that holds something else ends with 66 and is left alone', async () => {
    const folder = join(sandbox.folder, 'photos')
    mkdirSync(folder)
    writeFileSync(join(folder, 'cat.jpg'), 'cat')
    for (const verb of ['list', 'ops', 'plan']) failed(await sandbox.run([verb, '--store', folder]), 'input.no-store', 66)
    failed(await sandbox.run(['sync', '--store', folder, ...account]), 'input.no-store', 66)
    expect(readdirSync(folder)).toEqual(['cat.jpg'])
  })

  it('a folder that is not there, or is a file, ends with 66 and is not made', async () => {
    const folder = join(sandbox.folder, 'none')
    failed(await sandbox.run(['list', '--store', folder]), 'input.no-store', 66)
    failed(await sandbox.run(['sync', '--store', folder]), 'input.no-store', 66)
    failed(await sandbox.run(['list', '--store', sandbox.passwordFile]), 'input.no-store', 66)
    expect(readdirSync(sandbox.folder)).not.toContain('none')
  })

  it('a store of a newer version ends with 78 and is left as it is', async () => {
    const marker = join(sandbox.store, 'tidemail.json')
    const before = readFileSync(marker, 'utf8')
    const newer = JSON.stringify({ ...(JSON.parse(before) as object), version: 99 })
    writeFileSync(marker, newer)
    for (const words of [['list'], ['sync'], ['expunge', 'INBOX', '1']]) failed(await sandbox.run(words), 'store.too-new', 78)
    expect(readFileSync(marker, 'utf8')).toBe(newer)
    writeFileSync(marker, before)
    expect(await waiting()).toEqual([1])
  })

  it('a store that cannot be understood ends with 74 and is kept', async () => {
    const marker = join(sandbox.store, 'tidemail.json')
    const before = readFileSync(marker, 'utf8')
    writeFileSync(marker, 'garbage')
    failed(await sandbox.run(['list']), 'store.corrupt', 74)
    failed(await sandbox.run(['sync']), 'store.corrupt', 74)
    writeFileSync(marker, before)
    expect(await waiting()).toEqual([1])
  })

  it('a store whose files cannot be read ends with 74 and is kept', async () => {
    const marker = join(sandbox.store, 'tidemail.json')
    const before = readFileSync(marker, 'utf8')
    rmSync(marker)
    mkdirSync(marker)
    for (const words of [['list'], ['sync'], ['expunge', 'INBOX', '1']]) failed(await sandbox.run(words), 'store.io', 74)
    rmdirSync(marker)
    writeFileSync(marker, before)
    expect(await waiting()).toEqual([1])
  })

  it('a store that differs from the server ends with 65, and is set right on request', async () => {
    const other = await FaultProxy.start({
      ...{ host: server.host, port: server.port },
      rewriteLine: (line) => line.replace(/RFC822\.SIZE \d+/, 'RFC822.SIZE 7'),
    })
    const there = ['--port', String(other.port)]
    failed(await sandbox.run(['verify', ...there]), 'sync.differs', 65)
    succeeded(await sandbox.run(['verify', '--repair', ...there]))
    succeeded(await sandbox.run(['verify', ...there]))
    await other.close()
    failed(await sandbox.run(['verify']), 'sync.differs', 65)
    expect(await waiting()).toEqual([1])
  })

  it('a folder where nothing may be made ends with 73', async () => {
    failed(await sandbox.run(['sync', '--store', '/proc/tidemail', ...account]), 'store.read-only', 73)
  })

  it.runIf(canMount)('a read-only store ends with 73', async () => {
    execFileSync('mount', ['--bind', sandbox.store, sandbox.store])
    try {
      execFileSync('mount', ['-o', 'remount,ro,bind', sandbox.store])
      for (const words of [['sync'], ['flag', 'INBOX', '2', '--add', 'seen']])
        failed(await sandbox.run(words), 'store.read-only', 73)
    } finally {
      execFileSync('umount', [sandbox.store])
    }
    expect(await waiting()).toEqual([1])
  })

  it.runIf(canMount)('a full disk ends with 74, and everything accepted before is there', async () => {
    const disk = join(sandbox.folder, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'none', disk])
    try {
      const store = ['--store', join(disk, 'store')]
      succeeded(await sandbox.run(['sync', ...store, ...account]))
      succeeded(await sandbox.run(['flag', ...store, 'INBOX', '1', '--add', 'answered']))
      const large = sandbox.file('large', `Subject: large\r\n\r\n${'x'.repeat(4_000_000)}\r\n`)
      failed(await sandbox.run(['append', ...store, 'INBOX', large]), 'store.full', 74)
      const ops = succeeded(await sandbox.run(['ops', ...store, '--json'])).json()
      expect(ops.filter(({ kind }) => kind === 'entry')).toMatchObject([{ seq: 1 }])
      succeeded(await sandbox.run(['sync', ...store]))
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

describe('an output that is closed', () => {
  it('a reader that went away ends with 74', async () => {
    const { child, finished } = sandbox.start(['list', 'INBOX'])
    child.stdout?.destroy()
    failed(await finished, 'output.closed', 74)
  })

  it('an output that was never open ends with 0 or 74, and the operation is accepted all the same', async () => {
    const words = ['flag', '--store', sandbox.store, 'INBOX', '2', '--add', 'seen']
    const { status, stderr } = spawnSync('/bin/sh', ['-c', 'exec "$@" >&-', 'sh', process.execPath, TIDEMAIL, ...words], {
      encoding: 'utf8',
    })
    expect([0, 74]).toContain(status)
    expect(stderr).not.toMatch(/\bat .+:\d+:\d+/)
    expect(await waiting()).toEqual([1, 2])
  })

  it('a full device ends with 74, and the operation is accepted all the same', async () => {
    const { finished } = sandbox.start(['flag', 'INBOX', '2', '--add', 'seen'], { outputFile: openSync('/dev/full', 'w') })
    failed(await finished, 'output.closed', 74)
    expect(await waiting()).toEqual([1, 2])
  })
})

describe('a sync that runs', () => {
  /** A sync that waits for a server that says nothing. */
  async function whileSyncing(use: (running: Running) => Promise<void>, words: readonly string[] = []): Promise<void> {
    const connections: Socket[] = []
    let connected = (): void => undefined
    const isConnected = new Promise<void>((resolve) => {
      connected = resolve
    })
    const hold = (socket: Socket): void => {
      connections.push(socket)
      connected()
    }
    await withServer(hold, async (port) => {
      const running = sandbox.start(['sync', '--port', String(port), ...words])
      await Promise.race([isConnected, running.finished])
      try {
        await use(running)
      } finally {
        running.child.kill('SIGKILL')
        await running.finished
      }
    })
  }

  it('keeps a second sync out with 75', async () => {
    await whileSyncing(async () => {
      failed(await sandbox.run(['sync']), 'store.in-use', 75)
      const json = await sandbox.run(['list', '--json'])
      expect(json.json().at(-1)).toMatchObject({ kind: 'error', code: 'store.in-use' })
    })
    expect(await waiting()).toEqual([1])
  })

  // Verifies: I-LOG-1, I-SYNC-4
  it('takes the operations of other commands over, and they survive its sudden end', async () => {
    await whileSyncing(async () => {
      const { output } = succeeded(await sandbox.run(['move', 'INBOX', '2:3', 'Archive']))
      expect(output).toBe('#2 move 2 messages from INBOX to Archive\n')
      failed(await sandbox.run(['expunge', 'INBOX', '2']), 'input.unknown-message', 65)
      failed(await sandbox.run(['expunge', 'Nope', '2']), 'input.unknown-mailbox', 65)
      failed(await sandbox.run(['mailbox', 'create', 'Archive']), 'input.mailbox-exists', 65)
      succeeded(await sandbox.run(['append', 'INBOX', '-', '--flags', 'seen'], { input: 'Subject: x\n\ny\n' }))
      succeeded(await sandbox.run(['undo', '1']))
    })
    expect(await waiting()).toEqual([2, 3])
  })

  it.runIf(canMount)('accepts nothing more once the disk was full, and loses nothing of what it had accepted', async () => {
    const disk = join(sandbox.folder, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', disk])
    try {
      const store = ['--store', join(disk, 'store')]
      const flag = ['flag', ...store, 'INBOX']
      succeeded(await sandbox.run(['sync', ...store, ...account]))
      await whileSyncing(async () => {
        succeeded(await sandbox.run([...flag, '1', '--add', 'answered']))
        const { bavail, bsize } = statfsSync(disk)
        writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize))
        failed(await sandbox.run([...flag, '2', '--add', 'answered']), 'store.full', 74)
        rmSync(join(disk, 'ballast'))
        const { notes } = failed(await sandbox.run([...flag, '3', '--add', 'answered']), 'store.poisoned', 74)
        expect(notes).toContain('hint: Wait until the other tidemail has ended, and run the command again.')
      }, store)
      succeeded(await sandbox.run([...flag, '3', '--add', 'answered']))
      const ops = succeeded(await sandbox.run(['ops', ...store, '--json'])).json()
      expect(ops.filter(({ kind }) => kind === 'entry').map(({ groups }) => groups)).toMatchObject([
        [{ targets: '1' }],
        [{ targets: '3' }],
      ])
    } finally {
      execFileSync('umount', [disk])
    }
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends on %s with 130 and one message', async (signal) => {
    await whileSyncing(async ({ child, finished }) => {
      child.kill(signal)
      failed(await finished, 'engine.aborted', 130)
    })
    expect(await waiting()).toEqual([1])
    succeeded(await sandbox.run(['sync']))
  })

  it('tells of its interruption as NDJSON', async () => {
    await whileSyncing(
      async ({ child, finished }) => {
        child.kill('SIGINT')
        expect((await finished).json().at(-1)).toMatchObject({ kind: 'error', code: 'engine.aborted' })
      },
      ['--json'],
    )
  })

  it('leaves nothing behind that would stop the next command, when it is killed', async () => {
    await whileSyncing(async ({ child, finished }) => {
      child.kill('SIGKILL')
      await finished
    })
    expect(readdirSync(sandbox.store)).toContain('owner.sock')
    succeeded(await sandbox.run(['flag', 'INBOX', '2', '--add', 'seen']))
    succeeded(await sandbox.run(['sync']))
  })
})
