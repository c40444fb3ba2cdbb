/** `tidemail plan` on the wire and on the disk: it asks for the state of mailboxes, and changes nothing, there or here. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FaultProxy, ImapServer, quoted, RawImap, SERVER_MASKS, type ServerMask, sampleMessages } from '@tidemail/testing'
import { describe, expect, it } from 'vitest'
import { openLevelBacking } from '../../packages/store/src/node/level-backing.ts'
import { TranscriptTap } from '../wire/transcript-tap.ts'
import { type JsonLine, Sandbox, succeeded } from './cli-process.ts'
import { onServers } from './real-servers.ts'

/** What the plan may say to a server. */
const READING = ['CAPABILITY', 'LOGIN', 'AUTHENTICATE', 'ENABLE', 'NAMESPACE', 'LIST', 'LOGOUT']
/** And what more where LIST alone does not tell (RFC 5819, RFC 5258). */
const IN_PLACE_OF = { 'LIST-STATUS': 'STATUS', 'LIST-EXTENDED': 'LSUB' } as const
const MESSAGES = 12

interface Reachable {
  readonly host: string
  readonly port: number
  readonly user: { readonly name: string; readonly password: string }
}

describe('the server in memory', () => {
  const user = { name: 'alice', password: 'secret' }
  it.each([[[]], [['LIST-STATUS'] as const], [['LIST-STATUS', 'CONDSTORE'] as const]])(
    'is only asked, without %j',
    async (without) => {
      const server = await ImapServer.start({
        users: { alice: 'secret' },
        without,
        accounts: { mailboxes: { Archive: 'archive' } },
      })
      try {
        await planChangesNothing({ host: server.host, port: server.port, user })
      } finally {
        await server.close()
      }
    },
  )
})

onServers(['dovecot'], (server) => {
  it.each<[string, ServerMask | undefined]>([
    ['as it is', undefined],
    ['behind the mask of Exchange, without LIST-STATUS, LIST-EXTENDED and CONDSTORE', SERVER_MASKS.exchange],
  ])('is only asked, %s', async (_name, mask) => {
    const { host, port } = server()
    await planChangesNothing({ host, port, user: server().user() }, mask)
  })
})

describe('without a network', () => {
  it('the plan is of what waits, and says so', async () => {
    const server = await ImapServer.start({ users: { alice: 'secret' } })
    const proxy = await FaultProxy.start({ host: server.host, port: server.port })
    const tap = await TranscriptTap.start(proxy.port)
    const sandbox = new Sandbox()
    try {
      server.account('alice').append('INBOX', sampleMessages({ count: 3, seed: 3 }))
      const account = ['--host', '127.0.0.1', '--port', String(tap.port), '--user', 'alice', '--security', 'none']
      succeeded(await sandbox.run(['sync', ...account, '--password-file', sandbox.passwordFile]))
      succeeded(await sandbox.run(['flag', 'INBOX', '1', '--add', 'flagged']))
      await proxy.close()
      await tap.close()
      for (const [words, code, why] of [
        [[], 'remote.unreachable', /^Note: .+: this is only what waits to be sent\. \(remote\.unreachable\)\n/],
        [['--offline'], null, /^Note: The server was not asked: this is only what waits to be sent\.\n/],
      ] as const) {
        const before = await contentOf(sandbox.store)
        const text = succeeded(await sandbox.run(['plan', ...words])).output
        expect(text).toMatch(why)
        expect(text).toContain('replay:\n  INBOX: add \\Flagged on 1\n')
        const lines = succeeded(await sandbox.run(['plan', ...words, '--json'])).json()
        expect(lines.map(({ kind }) => kind)).toEqual(['note', 'step', 'result'])
        expect(lines[0]).toMatchObject({ code, message: expect.any(String) })
        expect(await contentOf(sandbox.store)).toEqual(before)
      }
    } finally {
      sandbox.remove()
      await server.close()
    }
  })
})

/** One life of an account, with a plan at every stage. */
async function planChangesNothing({ host, port, user }: Reachable, mask?: ServerMask): Promise<void> {
  const proxy = await FaultProxy.start({ host, port, ...(mask === undefined ? {} : { mask }) })
  const tap = await TranscriptTap.start(proxy.port)
  const rival = await RawImap.connect({ host, port })
  const sandbox = new Sandbox({ password: user.password })
  const account = ['--host', '127.0.0.1', '--port', String(tap.port), '--user', user.name, '--security', 'none']
  const run = async (...words: string[]): Promise<string> => succeeded(await sandbox.run(words)).output
  const knows = mask === undefined ? (name: string): boolean => rival.has(name) : () => false
  /** The plan, with what it asked held to be reading, and the store as it was. */
  const plan = async (...words: string[]): Promise<JsonLine[]> => {
    const before = await contentOf(sandbox.store)
    proxy.reset()
    const lines = succeeded(await sandbox.run(['plan', '--json', ...words])).json()
    const missing = (['LIST-STATUS', 'LIST-EXTENDED'] as const).filter((extension) => !knows(extension))
    const allowed = [...READING, ...missing.map((extension) => IN_PLACE_OF[extension])]
    const said = proxy.commands.map(({ name }) => name)
    expect(said.filter((name) => !allowed.includes(name))).toEqual([])
    expect(said).toContain('LIST')
    expect(await contentOf(sandbox.store)).toEqual(before)
    return lines
  }
  try {
    await rival.login(user)
    await rival.seed({ mailbox: 'INBOX', count: MESSAGES })
    const secret = ['--password-file', sandbox.passwordFile]

    // Nothing is here yet, and nothing is made.
    const first = await plan(...account, ...secret)
    expect(placesOf(first, 'resync')).toContain('INBOX')
    expect(first.find(({ part, mailbox }) => part === 'resync' && mailbox === 'INBOX')).toMatchObject({
      reason: 'it was never taken in',
    })
    expect(existsSync(sandbox.store)).toBe(false)
    // A SELECT would have taken \Recent from them (RFC 3501 §2.3.2).
    expect(await statusOf(rival, 'INBOX', 'RECENT')).toBe(await recentOfUnopened(rival))

    await run('sync', ...account, ...secret)
    const upToDate = await plan()
    if (knows('CONDSTORE')) expect(placesOf(upToDate, 'resync')).toEqual([])

    await rival.ok('SELECT INBOX')
    await rival.ok('UID STORE 1:2 +FLAGS (\\Flagged)')
    await rival.ok('UID STORE 3 +FLAGS (\\Deleted)')
    await rival.ok('EXPUNGE')
    await rival.ok('UNSELECT')
    await rival.ok('CREATE Fresh')
    await rival.seed({ mailbox: 'INBOX', count: 2 })
    const recent = await statusOf(rival, 'INBOX', 'RECENT')
    const changed = await plan()
    expect(placesOf(changed, 'resync')).toEqual(expect.arrayContaining(['INBOX', 'Fresh']))
    expect(await statusOf(rival, 'INBOX', 'RECENT')).toBe(recent)

    const eml = sandbox.file('m.eml', sampleMessages({ count: 1, seed: 1 })[0]?.bytes ?? '')
    await run('flag', 'INBOX', '5', '--add', 'seen')
    await run('copy', 'INBOX', '6', 'INBOX')
    await run('expunge', 'INBOX', '7')
    await run('append', 'INBOX', eml)
    const uidNext = await statusOf(rival, 'INBOX', 'UIDNEXT')
    const queued = await plan()
    expect(queued.filter(({ part }) => part === 'replay').map(({ step }) => (step as { kind: string }).kind)).toEqual(
      expect.arrayContaining(['store', 'copy', 'append']),
    )
    expect(await statusOf(rival, 'INBOX', 'UIDNEXT')).toBe(uidNext)
    expect(await flagsOf(rival, '5')).not.toContain('\\Seen')
    expect((await run('ops')).match(/queued:/g)).toHaveLength(4)

    // And what it showed is what happens.
    await run('sync')
    expect(await flagsOf(rival, '5')).toContain('\\Seen')
    expect(await statusOf(rival, 'INBOX', 'MESSAGES')).toBe(String(MESSAGES - 1 + 2 + 2 - 1))
  } finally {
    sandbox.remove()
    rival.close()
    await proxy.close()
  }
  await tap.close()
}

/** Every row of the store, and every file beside them; LevelDB may lay out the same rows anew whenever it opens. */
async function contentOf(store: string): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>()
  if (!existsSync(store)) return content
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(store, name)
    if (!name.startsWith('levels') && statSync(path).isFile()) content.set(name, readFileSync(path, 'hex'))
  }
  const backing = await openLevelBacking(join(store, 'levels'), { create: false })
  for await (const [key, value] of backing.rows()) content.set(`row ${key}`, Buffer.from(value).toString('hex'))
  await backing.close()
  expect(content.size).toBeGreaterThan(5)
  return content
}

function placesOf(lines: readonly JsonLine[], part: string): readonly unknown[] {
  return [...new Set(lines.filter((line) => line['part'] === part).map(({ mailbox }) => mailbox))]
}

/** What the rival's own messages count as before anybody has opened the mailbox; a server of IMAP4rev2 has no \Recent. */
async function recentOfUnopened(rival: RawImap): Promise<string | null> {
  await rival.ok('CREATE Unopened')
  await rival.seed({ mailbox: 'Unopened', count: MESSAGES })
  const recent = await statusOf(rival, 'Unopened', 'RECENT')
  await rival.ok('DELETE Unopened')
  return recent
}

async function statusOf(rival: RawImap, mailbox: string, item: string): Promise<string | null> {
  const { lines } = await rival.ok(`STATUS ${quoted(mailbox)} (${item})`)
  return new RegExp(`\\b${item} (\\d+)`).exec(lines.map(({ text }) => text).join('\n'))?.[1] ?? null
}

async function flagsOf(rival: RawImap, uid: string): Promise<string> {
  await rival.ok('EXAMINE INBOX')
  const { lines } = await rival.ok(`UID FETCH ${uid} (FLAGS)`)
  await rival.ok('UNSELECT')
  return lines.map(({ text }) => text).join('\n')
}
