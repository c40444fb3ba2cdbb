/** Holds the store to what it can do on a disk that has no room left at all. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountId, EntrySeq, MessageStore, Write } from '@tidemail/core'
import { sampleAccount } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openNodeMessageStore } from './node-message-store.ts'

const ADA = 'ada' as AccountId
const RECEIPTS = 12
const FOLDERS_OF_COPIES = ['/dev/shm', tmpdir()]

let root: string
let directory: string
const opened: MessageStore[] = []

/** Only the superuser may make a small disk. */
describe.runIf(process.getuid?.() === 0)('a disk without any room left', () => {
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'full-'))
    directory = join(root, 'disk', 'store')
    await mkdir(join(root, 'disk'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', join(root, 'disk')])
    const store = await open()
    await commit(store, { kind: 'put-account', account: sampleAccount(ADA) })
    for (let n = 1; n <= RECEIPTS; n += 1) await commit(store, receipt(n))
    await store.close()
    fill(join(root, 'disk', 'filler'))
  })

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    execFileSync('umount', [join(root, 'disk')])
    await rm(root, { recursive: true })
  })

  it('lets the store be read, and nothing be written; everything is there when there is room again', async () => {
    const before = await copies()
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const store = await open()
      expect(await receiptsIn(store)).toBe(RECEIPTS)
      await expect(store.commit({ reason: 'a test', expect: {}, writes: [receipt(99)] })).rejects.toMatchObject({
        code: 'store.full',
      })
      await store.close()
    }
    expect(await copies()).toEqual(before)
    await rm(join(root, 'disk', 'filler'))
    const store = await open()
    await commit(store, receipt(RECEIPTS + 1))
    expect(await receiptsIn(store)).toBe(RECEIPTS + 1)
  })

  it('keeps a second process out while one has the store open all the same', async () => {
    await rm(join(root, 'disk', 'filler'))
    await open()
    fill(join(root, 'disk', 'filler'))
    await expect(open()).rejects.toMatchObject({ code: 'store.in-use' })
  })

  it('makes no store', async () => {
    directory = join(root, 'disk', 'other')
    await expect(open()).rejects.toMatchObject({ code: 'store.full' })
  })
})

async function open(): Promise<MessageStore> {
  const store = await openNodeMessageStore({ directory })
  opened.push(store)
  return store
}

async function commit(store: MessageStore, ...writes: readonly Write[]): Promise<void> {
  expect(await store.commit({ reason: 'a test', expect: {}, writes })).toMatchObject({ kind: 'committed' })
}

function receipt(n: number): Write {
  return { kind: 'put-receipt', receipt: { accountId: ADA, seq: n as EntrySeq, bytes: new Uint8Array(20_000).fill(n) } }
}

async function receiptsIn(store: MessageStore): Promise<number> {
  return (await store.planning.receipts(ADA, { limit: 99 })).length
}

/** Takes every octet that is left. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, new Uint8Array(4096))
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(file)
  }
}

async function copies(): Promise<string[]> {
  const names = await Promise.all(FOLDERS_OF_COPIES.map((folder) => readdir(folder).catch(() => [])))
  return names.flat().filter((name) => /^tidemail-.{6}$/.test(name))
}
