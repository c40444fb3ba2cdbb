/** Holds the store in a folder to what it promises about its folder and about failing disks. */

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountId, AccountRecord, BodyId, MessageStore, Write } from '@tidemail/core'
import { SyncError } from '@tidemail/core'
import { sampleAccount, sampleEnvelope } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BackedRow, Backing } from './durable-backing.ts'
import { openLevelBacking } from './level-backing.ts'
import { openBackedStore, openNodeMessageStore } from './node-message-store.ts'
import { decodeRow } from './row-codec.ts'

const ADA = 'ada' as AccountId
let root: string
let directory: string
const opened: MessageStore[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemail-node-'))
  directory = join(root, 'store')
})

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(root, { recursive: true })
})

async function open(options: { readonly create?: boolean } = {}): Promise<MessageStore> {
  const store = await openNodeMessageStore({ directory, ...options })
  opened.push(store)
  return store
}

function account(syncedAt: number | null = null): AccountRecord {
  return sampleAccount(ADA, { syncedAt })
}

async function commit(store: MessageStore, ...writes: readonly Write[]): Promise<void> {
  expect(await store.commit({ reason: 'a test', expect: {}, writes })).toMatchObject({ kind: 'committed' })
}

const putAccount = (syncedAt: number): Write => ({ kind: 'put-account', account: account(syncedAt) })

describe('the folder of a store', () => {
  it('keeps what was committed, and the numbers that were given', async () => {
    const store = await open()
    await commit(store, putAccount(1))
    const before = await store.planning.allocateMailbox()
    await store.close()
    const again = await open({ create: false })
    expect(await again.planning.accounts()).toEqual([account(1)])
    expect((await again.planning.allocateMailbox()).id).toBe(before.id + 1)
    expect(again.ownership).toBe('process')
  })

  it('is for its owner alone', async () => {
    await open()
    for (const name of ['', 'levels', 'bodies']) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'tidemail.json'))).mode & 0o777).toBe(0o600)
  })

  it('belongs to one process at a time', async () => {
    const store = await open()
    await expect(open()).rejects.toMatchObject({ code: 'store.in-use', recovery: 'retry-later' })
    await store.close()
    await expect(open()).resolves.toBeDefined()
  })

  it('is not made when it must be there', async () => {
    await expect(open({ create: false })).rejects.toMatchObject({ code: 'input.no-store' })
    await mkdir(directory)
    await expect(open({ create: false })).rejects.toMatchObject({ code: 'input.no-store' })
    expect(await readdir(directory)).toEqual([])
  })

  it('is refused, and left alone, when it holds something else', async () => {
    await mkdir(directory)
    await writeFile(join(directory, 'letter.txt'), 'dear')
    await expect(open()).rejects.toMatchObject({ code: 'input.no-store' })
    expect(await readdir(directory)).toEqual(['letter.txt'])
  })

  it('is refused when it is a file', async () => {
    await writeFile(directory, '')
    await expect(open()).rejects.toMatchObject({ code: 'input.no-store' })
  })

  it('is refused when a newer version wrote it', async () => {
    await (await open()).close()
    await writeFile(join(directory, 'tidemail.json'), '{"format":"tidemail-store","version":2}')
    await expect(open()).rejects.toMatchObject({ code: 'store.too-new' })
  })

  it('is refused when a newer version wrote its rows', async () => {
    const store = await open()
    await commit(store, putAccount(1))
    await store.close()
    const backing = await openLevelBacking(join(directory, 'levels'))
    const newer = { key: 'store', schemaEpoch: 2, revision: 1, nextSeq: 1, nextMailbox: 1, nextBox: 1, nextEpoch: 1 }
    const { serialize } = await import('node:v8')
    await backing.write([{ key: 'store:"store"', value: serialize(newer) }])
    await backing.close()
    await expect(open()).rejects.toMatchObject({ code: 'store.too-new' })
    await expect(open()).rejects.toMatchObject({ code: 'store.too-new' })
  })

  it.each(['', '{"format":"other","version":1}', '{"format":"tidemail-store"}', 'null'])(
    'is kept, and refused, when its marker reads %j',
    async (marker) => {
      await (await open()).close()
      await writeFile(join(directory, 'tidemail.json'), marker)
      await expect(open()).rejects.toMatchObject({ code: 'store.corrupt' })
      expect(await readFile(join(directory, 'tidemail.json'), 'utf8')).toBe(marker)
    },
  )

  it('is kept, and refused, when its marker is lost or a row cannot be read', async () => {
    const store = await open()
    await commit(store, putAccount(1))
    await store.close()
    await rm(join(directory, 'tidemail.json'))
    await expect(open()).rejects.toMatchObject({ code: 'store.corrupt' })
    await writeFile(join(directory, 'tidemail.json'), '{"format":"tidemail-store","version":1}')
    const backing = await openLevelBacking(join(directory, 'levels'))
    await backing.write([{ key: 'accounts:"ada"', value: new Uint8Array([1, 2, 3]) }])
    await backing.close()
    await expect(open()).rejects.toMatchObject({ code: 'store.corrupt' })
  })

  it('is told to be read-only where nothing can be made', async () => {
    // The kernel makes nothing there, not even for the superuser.
    directory = '/proc/self/tidemail'
    await expect(open()).rejects.toMatchObject({ code: 'store.read-only' })
  })

  it('is made with the folders above it', async () => {
    directory = join(root, 'a', 'b', 'store')
    await expect(open()).resolves.toBeDefined()
  })

  it('collects the bodies that no transaction has come to name, when it opens', async () => {
    const store = await open()
    await commit(store, putAccount(1))
    const bytes = new TextEncoder().encode('draft')
    const bodyId = 'abcdef' as BodyId
    await store.accept({
      accountId: ADA,
      targets: [],
      bodies: [
        { bodyId, bytes },
        { bodyId: 'abffff' as BodyId, bytes },
      ],
      build: ({ firstLocal }) => ({
        bytes,
        localsUsed: 1,
        effects: [{ kind: 'new', mailboxId: 1 as never, message: { ...LOCAL, local: firstLocal, bodyId } }],
      }),
    })
    await store.close()
    await writeFile(join(directory, 'bodies', 'ab', 'half.tmp'), 'half')
    await chmod(join(directory, 'bodies', 'ab'), 0o700)
    const again = await open()
    expect(await readdir(join(directory, 'bodies', 'ab'))).toEqual(['abcdef'])
    expect(await again.planning.body(bodyId)).toEqual(bytes)
  })

  it('removes the bodies of an account when it is wiped, but for those that another names', async () => {
    const store = await open()
    const both = ['ada', 'bob'] as AccountId[]
    for (const id of both) await commit(store, { kind: 'put-account', account: { ...account(), id } })
    await acceptBodies(store, ADA, ['abcdef', 'abffff'] as BodyId[])
    await acceptBodies(store, 'bob' as AccountId, ['abffff'] as BodyId[])
    await store.wipe(ADA)
    expect(await readdir(join(directory, 'bodies', 'ab'))).toEqual(['abffff'])
    expect(await store.planning.body('abffff' as BodyId)).toEqual(BYTES)
    await store.wipe('bob' as AccountId)
    expect(await readdir(join(directory, 'bodies', 'ab'))).toEqual([])
  })
})

const BYTES = new TextEncoder().encode('draft')

async function acceptBodies(store: MessageStore, accountId: AccountId, ids: readonly BodyId[]): Promise<void> {
  await store.accept({
    accountId,
    targets: [],
    bodies: ids.map((bodyId) => ({ bodyId, bytes: BYTES })),
    build: ({ firstLocal }) => ({
      bytes: BYTES,
      localsUsed: ids.length,
      effects: ids.map((bodyId, i) => {
        const local = (firstLocal + i) as typeof firstLocal
        return { kind: 'new', mailboxId: 1 as never, message: { ...LOCAL, local, bodyId } }
      }),
    }),
  })
}

const LOCAL = { flags: [], internalDate: 0, sizeBytes: 5, envelope: sampleEnvelope(), parts: [], emailId: null } as const

/** A disk that fails when it is told to, and otherwise keeps what it is given. */
class FlakyBacking implements Backing {
  readonly kept: Map<string, Uint8Array> = new Map()
  readonly batches: (readonly BackedRow[])[] = []
  /** Thrown by the next write. */
  failure: SyncError | null = null
  /** Waited for by the next write. */
  gate: Promise<void> | null = null

  async *rows(): AsyncGenerator<readonly [string, Uint8Array]> {
    yield* this.kept
  }

  async write(batch: readonly BackedRow[]): Promise<void> {
    const { gate, failure } = this
    this.gate = null
    this.failure = null
    await gate
    if (failure !== null) throw failure
    this.batches.push(batch)
    for (const { key, value } of batch) {
      if (value === null) this.kept.delete(key)
      else this.kept.set(key, value)
    }
  }

  async close(): Promise<void> {}
}

describe('a disk that fails (Verifies: H-19)', () => {
  async function openOn(backing: Backing): Promise<MessageStore> {
    const store = await openBackedStore({ directory }, async () => backing)
    opened.push(store)
    return store
  }

  it('poisons the store until it is opened again, and nothing of the failed commit is there', async () => {
    const disk = new FlakyBacking()
    const store = await openOn(disk)
    await commit(store, putAccount(1))
    disk.failure = new SyncError('store.full', 'The disk is full.')
    await expect(store.commit({ reason: 'a test', expect: {}, writes: [putAccount(2)] })).rejects.toMatchObject({
      code: 'store.full',
    })
    const refused = [
      store.commit({ reason: 'a test', expect: {}, writes: [putAccount(3)] }),
      store.planning.accounts(),
      store.lead(ADA),
    ]
    for (const attempt of refused) await expect(attempt).rejects.toMatchObject({ code: 'store.poisoned', recovery: 'reopen' })
    await store.close()
    const again = await openOn(disk)
    expect(await again.planning.accounts()).toEqual([account(1)])
  })

  it('loses every commit behind the one that failed, and says so', async () => {
    const disk = new FlakyBacking()
    const store = await openOn(disk)
    await commit(store, putAccount(1))
    let release: () => void = () => {}
    disk.gate = new Promise((resolve) => {
      release = resolve
    })
    disk.failure = new SyncError('store.io', 'The disk failed.')
    const attempts = [2, 3, 4].map((at) => store.commit({ reason: 'a test', expect: {}, writes: [putAccount(at)] }))
    const outcomes = Promise.allSettled(attempts)
    release()
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await store.close()
    expect(await (await openOn(disk)).planning.accounts()).toEqual([account(1)])
  })

  it('writes batches in the order of their commits, one after another', async () => {
    const disk = new FlakyBacking()
    const store = await openOn(disk)
    await commit(store, putAccount(1))
    let release: () => void = () => {}
    disk.gate = new Promise((resolve) => {
      release = resolve
    })
    const before = disk.batches.length
    const committing = [2, 3].map((at) => commit(store, putAccount(at)))
    for (let i = 0; i < 5; i += 1) await store.planning.accounts()
    expect(disk.batches.length).toBe(before)
    release()
    await Promise.all(committing)
    const written = disk.batches.slice(before).map(([row]) => decodeRow(row?.value ?? new Uint8Array()))
    expect(written).toMatchObject([{ record: { syncedAt: 2 } }, { record: { syncedAt: 3 } }])
  })

  it('does not resolve a commit before its batch is written, and writes one batch a commit', async () => {
    const disk = new FlakyBacking()
    const store = await openOn(disk)
    const before = disk.batches.length
    let release: () => void = () => {}
    disk.gate = new Promise((resolve) => {
      release = resolve
    })
    const order: string[] = []
    const committing = commit(store, putAccount(1)).then(() => order.push('committed'))
    await store.planning.accounts()
    await store.planning.accounts()
    order.push('released')
    release()
    await committing
    expect(order).toEqual(['released', 'committed'])
    expect(disk.batches.length - before).toBe(1)
    expect(disk.batches.at(-1)?.map(({ key }) => key)).toEqual(['accounts:"ada"', 'store:"store"', 'sum:'])
  })
})
