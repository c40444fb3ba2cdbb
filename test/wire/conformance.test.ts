/** What the engine and its IMAP adapter bear together, on a server that says the unexpected, is slow, or does not read. */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Change, CommitResult, MessageStore } from '@tidemail/core'
import { createMailEngine } from '@tidemail/engine'
import { MemoryMessageStore } from '@tidemail/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { ME } from '../sim/engine-lab.ts'
import {
  closeScripted,
  collect,
  connectScripted,
  kinds,
  ofKind,
  outcomes,
  remoteOf,
  selectLines,
  step,
} from './scripted-session.ts'
import { WireAccount } from './wire-account.ts'

afterEach(closeScripted)

describe('a line that nobody asked for', () => {
  const INSERTED: Readonly<Record<string, string>> = {
    EXISTS: '* 7 EXISTS',
    EXPUNGE: '* 1 EXPUNGE',
    FETCH: '* 2 FETCH (FLAGS (\\Flagged))',
    'FETCH with UID': '* 2 FETCH (UID 2 FLAGS ())',
    FLAGS: '* FLAGS (\\Seen)',
    ALERT: '* OK [ALERT] The disk is full.',
    BYE: '* BYE Server shutting down.',
  }
  /** Each goes before every so many lines, all of them together before every line but the greeting. */
  const STRIDE = Object.keys(INSERTED).length

  it.each(Object.entries(INSERTED))('does no harm between any two lines: %s', { timeout: 60_000 }, async (_, inserted) => {
    // Verifies: DC-4549-3.8
    const offset = Object.values(INSERTED).indexOf(inserted) + 2
    for (let at = offset; ; at += STRIDE) {
      let lines = 0
      let isOn = false
      const account = await WireAccount.open({
        proxy: {
          rewriteLine: (line) => {
            if (!isOn) return line
            lines += 1
            return lines === at ? `${inserted}\r\n${line}` : line
          },
        },
      })
      account.arrive('INBOX', 5)
      await account.settle()
      account.arrive('INBOX', 1)
      const [newest, , third] = await account.references('INBOX')
      if (newest === undefined || third === undefined) throw new Error('There are too few messages.')
      await account.engine.flag(newest, { add: ['\\Seen'] }).accepted
      await account.engine.move(third, await account.id('Archive')).accepted
      await account.reopen()
      isOn = true
      expect(await account.settle(), `${inserted} before line ${at}`).toBe('done')
      isOn = false
      expect(await account.settle()).toBe('done')
      await account.expectEqual(`${inserted} before line ${at}`)
      expect(account.model.open('Archive').messages).toHaveLength(1)
      await account.close()
      if (lines < at) return expect(at).toBeGreaterThan(STRIDE * 3)
    }
  })

  it('that tells of an expunge by a number, while nobody knows the numbers, removes nothing', async () => {
    // Verifies: DC-4549-4.3.1d
    const row = (number: number, uid: number): string => `* ${number} FETCH (UID ${uid} FLAGS ())`
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.answer('UID FETCH', row(1, 11), '* 1 EXPUNGE', row(1, 12), row(2, 13), 'OK done')
    })
    const seen = await run(step.open('o'), step.fetch('f', '1:4294967295'))
    expect(ofKind(seen, 'row').map(({ uid }) => uid)).toEqual([11, 12, 13])
    expect(ofKind(seen, 'vanished')).toEqual([])
    expect(ofKind(seen, 'done').map(({ exists }) => exists)).toEqual([3, 2])
  })
})

describe('a MOVE', () => {
  it.each([
    ['EXPUNGE', ['* 1 EXPUNGE', '* 1 EXPUNGE'], 'opened copied done'],
    ['EXPUNGE of others among them', ['* 3 EXPUNGE', '* 1 EXPUNGE', '* 1 EXPUNGE'], 'opened copied done'],
    ['VANISHED', ['* VANISHED 1:2'], 'opened copied vanished done'],
    ['VANISHED of others among them', ['* VANISHED 1:3'], 'opened copied vanished done'],
  ] as const)('is answered by %s', async (_, lines, heard) => {
    // Verifies: DC-6851-4.3, DC-6851-4.4, DC-6851-3.3b
    const { run } = await connectScripted('MOVE UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.answer('UID MOVE 1:2 "Archive"', '* OK [COPYUID 9 1:2 11:12] moved', ...lines, 'OK done')
    })
    const seen = await run(step.open('o'), step.move('m', '1:2'))
    expect(kinds(seen).replace('opened done', 'opened')).toBe(heard)
    expect(ofKind(seen, 'copied').map(({ pairs }) => `${pairs.sources} ${pairs.destinations}`)).toEqual(['1:2 11:12'])
    expect(ofKind(seen, 'done').at(-1)?.exists).toBe(lines.some((line) => /3/.test(line)) ? 0 : 1)
  })
})

describe('a server that reads nothing until it is read', () => {
  const MEGABYTE = 1_048_576

  it('gets a large message all the same: reading has priority over writing', async () => {
    // Verifies: DC-4549-4.3.3b, H-6
    const sockets = new Set<Socket>()
    const said = `* OK still here ${'and here '.repeat(450)}\r\n`.repeat(32)
    const server = createServer((socket) => {
      sockets.add(socket)
      let heard = ''
      let octets = 0
      socket.write('* OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS] ready\r\n')
      socket.on('data', (chunk) => {
        octets += chunk.length
        if (octets < MEGABYTE) heard += chunk.toString('latin1')
        if (/^\S+ LOGIN /.test(heard)) {
          socket.write(`${heard.split(' ')[0]} OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS] in\r\n`)
          heard = ''
        } else if (/^T1 APPEND /.test(heard) && !socket.isPaused() && octets < MEGABYTE) {
          socket.pause()
          const talk = async (): Promise<void> => {
            for (let i = 0; i < 200; i += 1) if (!socket.write(said)) await once(socket, 'drain')
            socket.resume()
          }
          void talk()
        } else if (octets > 24 * MEGABYTE) {
          socket.write('T1 OK [APPENDUID 5 6] done\r\n')
        }
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const session = await remoteOf(typeof address === 'object' ? (address?.port ?? 0) : 0).connect(new AbortController().signal)
    const bytes = new Uint8Array(24 * MEGABYTE).fill(120)
    const bodies = { bytes: async () => bytes }
    const seen = await collect(session.run([step.append('a')], { bodies, signal: new AbortController().signal }))
    expect(outcomes(seen)).toBe('a:ok')
    for (const socket of sockets) socket.destroy()
    server.close()
    await session.close()
  })
})

describe('local work', () => {
  it('is done while the next answers are on their way', async () => {
    // Verifies: DC-4549-2.4
    const account = await WireAccount.open()
    account.arrive('INBOX', 1_800)
    const inner = new MemoryMessageStore({ disk: account.disk, clock: account.clock.engine })
    const fetches = (): number => account.server.commands.filter((line) => /UID FETCH .*BODYSTRUCTURE/.test(line)).length
    const atCommit: number[] = []
    /** A commit of the first chunk takes until the server has been asked for all the others. */
    const commit = async (change: Change): Promise<CommitResult> => {
      const rows = change.writes.some(({ kind }) => kind === 'put-messages')
      while (rows && fetches() < 4) await new Promise((resolve) => setImmediate(resolve))
      if (rows) atCommit.push(fetches())
      return inner.commit(change)
    }
    const engine = await createMailEngine({
      store: withCommit(inner, commit),
      remote: account.recorder.remote({
        host: '127.0.0.1',
        port: account.proxy.port,
        security: 'none',
        user: 'me',
        secret: async () => 'secret',
      }),
      account: ME,
      policy: { bodies: 'none' },
    })
    expect((await engine.syncOnce()).outcome).toBe('done')
    expect(atCommit).toEqual([4, 4, 4, 4])
    await engine.close()
    await account.close()
  })
})

function withCommit(inner: MessageStore, commit: MessageStore['commit']): MessageStore {
  return {
    ownership: inner.ownership,
    planning: inner.planning,
    view: inner.view,
    commit,
    accept: (acceptance) => inner.accept(acceptance),
    lead: (account) => inner.lead(account),
    subscribe: (listener) => inner.subscribe(listener),
    wipe: (account) => inner.wipe(account),
    close: () => inner.close(),
  }
}

describe('messages that others marked for deletion', () => {
  it.each([
    ['with UID EXPUNGE', []],
    ['without it', ['UIDPLUS']],
  ] as const)('stay, with their mark, when the user removes others, %s', async (_, without) => {
    // Verifies: DC-4315-2.1, DC-4549-4.2.4a, DC-4549-4.2.4b
    const account = await WireAccount.open({ without })
    account.arrive('INBOX', 5)
    await account.settle()
    const references = await account.references('INBOX')
    await account.engine.expunge(references.slice(0, 2)).accepted
    account.model.inbox.store(account.model.inbox.uids.highest(4).difference(account.model.inbox.uids.highest(3)), {
      direction: 'add',
      flags: ['\\Deleted', '$rival'],
    })
    expect(await account.settle()).toBe('done')
    expect(account.model.inbox.messages.map(({ uid, flags }) => `${uid} ${flags.join(' ')}`)).toEqual([
      '1 ',
      '2 $rival \\Deleted',
      '3 ',
    ])
    await account.expectEqual()
    await account.close()
  })
})
