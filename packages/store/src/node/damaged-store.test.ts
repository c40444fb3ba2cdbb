/** Holds a store whose files are damaged to a clear error, and to leaving alone what is left. */

import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountId, BodyId, EntrySeq, MessageStore, Write } from '@tidemail/core'
import { sampleAccount, sampleEnvelope } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WITNESS_FILE } from './commit-witness.ts'
import { openNodeMessageStore } from './node-message-store.ts'

const ADA = 'ada' as AccountId
const RECEIPTS = 30
let root: string
let directory: string
let bodyId: BodyId
const opened: MessageStore[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemail-damaged-'))
  directory = join(root, 'store')
  const store = await open()
  await commit(store, { kind: 'put-account', account: sampleAccount(ADA) })
  for (let n = 1; n <= RECEIPTS; n += 1) {
    // Much enough for several of the blocks that LevelDB's log is made of.
    const bytes = new TextEncoder().encode(`receipt ${n} `.repeat(300))
    await commit(store, { kind: 'put-receipt', receipt: { accountId: ADA, seq: n as EntrySeq, bytes } })
  }
  bodyId = await acceptDraft(store)
  await store.close()
})

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(root, { recursive: true })
})

async function open(path = directory): Promise<MessageStore> {
  const store = await openNodeMessageStore({ directory: path })
  opened.push(store)
  return store
}

async function commit(store: MessageStore, ...writes: readonly Write[]): Promise<void> {
  expect(await store.commit({ reason: 'a test', expect: {}, writes })).toMatchObject({ kind: 'committed' })
}

async function acceptDraft(store: MessageStore): Promise<BodyId> {
  const bytes = new TextEncoder().encode('Subject: a draft\r\n\r\n')
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const id = Buffer.from(digest).toString('hex') as BodyId
  const fixed = { flags: [], internalDate: 0, sizeBytes: bytes.length, envelope: sampleEnvelope(), parts: [], emailId: null }
  await store.accept({
    accountId: ADA,
    targets: [],
    bodies: [{ bodyId: id, bytes }],
    build: ({ firstLocal }) => ({
      bytes,
      localsUsed: 1,
      effects: [{ kind: 'new', mailboxId: 1 as never, message: { ...fixed, local: firstLocal, bodyId: id } }],
    }),
  })
  return id
}

const levels = (): string => join(directory, 'levels')
const witness = (): string => join(directory, WITNESS_FILE)
const bodyFile = (): string => join(directory, 'bodies', bodyId.slice(0, 2), bodyId)

async function removeFrom(folder: string, pattern: RegExp): Promise<void> {
  for (const name of await readdir(folder)) if (pattern.test(name)) await unlink(join(folder, name))
}

async function receiptsIn(store: MessageStore): Promise<number> {
  return (await store.planning.receipts(ADA, { limit: 99 })).length
}

function placesIn({ from, to, count }: { readonly from: number; readonly to: number; readonly count: number }): number[] {
  return Array.from({ length: count }, (_, i) => from + Math.floor(((to - from) * i) / count))
}

const codeOf = (error: { readonly code: string }): string => error.code

/** Every file with its bytes, but for LevelDB's own diary. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    if (!/\/LO(?:CK|G)(?:\.old)?$/.test(path) && (await stat(path)).isFile()) files.set(name, await readFile(path, 'hex'))
  }
  return files
}

describe('a store whose rows are damaged', () => {
  it.each<[string, () => Promise<void>]>([
    ['CURRENT is gone', () => unlink(join(levels(), 'CURRENT'))],
    ['CURRENT is empty', () => truncate(join(levels(), 'CURRENT'), 0)],
    ['the folder of the rows is gone', () => rm(levels(), { recursive: true })],
    ['the folder of the rows is empty', () => removeFrom(levels(), /./)],
    ['the list of its files is gone', () => removeFrom(levels(), /^MANIFEST/)],
    ['CURRENT names a list that is not there', () => writeFile(join(levels(), 'CURRENT'), 'MANIFEST-000099\n')],
    ['CURRENT is garbage', () => writeFile(join(levels(), 'CURRENT'), 'garbage')],
  ])('is refused, and left as it is, when %s', async (_name, damage) => {
    await damage()
    const before = await contentOf(directory)
    await expect(open()).rejects.toMatchObject({ code: 'store.corrupt', hint: expect.stringContaining('backup') })
    expect(await contentOf(directory)).toEqual(before)
  })

  it('is refused, and keeps its bodies, when its log is gone', async () => {
    await removeFrom(levels(), /\.log$/)
    await expect(open()).rejects.toMatchObject({ code: 'store.corrupt' })
    await expect(open()).rejects.toMatchObject({ code: 'store.corrupt' })
    expect((await stat(bodyFile())).isFile()).toBe(true)
  })

  it('is refused, again and again, when an octet of its rows is another: it opens with every commit or not at all', async () => {
    const [log = ''] = (await readdir(levels())).filter((name) => name.endsWith('.log'))
    const bytes = await readFile(join(levels(), log))
    const everywhere = placesIn({ from: 3, to: bytes.length, count: 30 })
    // What LevelDB takes for a record that was never finished.
    const nearTheEnd = placesIn({ from: bytes.length - 1500, to: bytes.length, count: 30 })
    const refusals: string[] = []
    for (const at of [...everywhere, ...nearTheEnd]) {
      const copy = join(root, `copy-${at}`)
      await cp(directory, copy, { recursive: true })
      const damaged = Buffer.from(bytes)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 4, at)
      await writeFile(join(copy, 'levels', log), damaged)
      const store = await open(copy).catch(codeOf)
      if (typeof store === 'string') refusals.push(store, String(await open(copy).catch(codeOf)))
      else expect(await receiptsIn(store)).toBe(RECEIPTS)
    }
    expect(new Set(refusals)).toEqual(new Set(['store.corrupt']))
    expect(refusals.length).toBeGreaterThan(100)
  })

  it('is refused with an error of the store when a file of its rows was cut short', async () => {
    // Opening makes tables of the log.
    await (await open()).close()
    for (const name of await readdir(levels())) if (name.endsWith('.ldb')) await truncate(join(levels(), name), 20)
    await expect(open()).rejects.toMatchObject({ code: expect.stringMatching(/^store\.(?:io|corrupt)$/) })
  })

  it('is refused when the end of its log was cut off, and says how to go on without it', async () => {
    const [log = ''] = (await readdir(levels())).filter((name) => name.endsWith('.log'))
    await truncate(join(levels(), log), (await stat(join(levels(), log))).size - 700)
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(open()).rejects.toMatchObject({ code: 'store.corrupt', hint: expect.stringContaining(WITNESS_FILE) })
    }
    await unlink(witness())
    expect(await receiptsIn(await open())).toBeGreaterThan(RECEIPTS / 2)
  })
})

describe('the witness of what was committed', () => {
  it('is written with every commit, on a power failure too late or not at all: then the store opens as it is', async () => {
    const whole = await readFile(witness(), 'utf8')
    const store = await open()
    await commit(store, { kind: 'remove-entry', seq: 99 as EntrySeq })
    await store.close()
    expect(await readFile(witness(), 'utf8')).not.toBe(whole)
    const late = ['', '\0'.repeat(whole.length), whole.slice(0, 9), whole.replace(/^0/, '9'), whole]
    for (const text of late) {
      await writeFile(witness(), text)
      const again = await open()
      expect(await receiptsIn(again)).toBe(RECEIPTS)
      await commit(again, { kind: 'remove-entry', seq: 99 as EntrySeq })
      await again.close()
    }
    await unlink(witness())
    await (await open()).close()
  })

  it('is ahead of nothing before the first commit, and guards the second', async () => {
    const path = join(root, 'other')
    const first = await open(path)
    await first.close()
    const copy = join(root, 'copy')
    await cp(join(path, 'levels'), copy, { recursive: true })
    const second = await open(path)
    await commit(second, { kind: 'remove-entry', seq: 1 as EntrySeq })
    await second.close()
    await rm(join(path, 'levels'), { recursive: true })
    await cp(copy, join(path, 'levels'), { recursive: true })
    await expect(open(path)).rejects.toMatchObject({ code: 'store.corrupt' })
  })
})

describe('a store whose bodies are damaged', () => {
  it.each<[string, (path: string) => Promise<void>]>([
    ['cut short', (path) => truncate(path, 5)],
    ['changed', (path) => writeFile(path, 'Subject: b draft\r\n\r\n')],
    ['gone', (path) => unlink(path)],
  ])('never gives other bytes than it was given: %s', async (_name, damage) => {
    await damage(bodyFile())
    const store = await open()
    await expect(store.planning.body(bodyId)).rejects.toMatchObject({ code: 'store.corrupt' })
  })

  it('writes a body that was cut short anew', async () => {
    await truncate(bodyFile(), 5)
    const store = await open()
    await acceptDraft(store)
    expect((await store.planning.body(bodyId)).length).toBe(20)
  })

  it('leaves alone what others put among them', async () => {
    const strange = [join(directory, 'bodies', '.DS_Store'), join(directory, 'bodies', bodyId.slice(0, 2), '.hidden')]
    for (const path of strange) await writeFile(path, '')
    await open()
    for (const path of strange) expect((await stat(path)).isFile()).toBe(true)
  })
})

describe('the folder of a store', () => {
  it('is one however it is named', async () => {
    await symlink(directory, join(root, 'link'))
    await open()
    for (const path of [join(root, 'link'), `${directory}/../store/`]) {
      await expect(open(path)).rejects.toMatchObject({ code: 'store.in-use' })
    }
  })

  it('is made to its end when that was interrupted', async () => {
    for (const half of [
      ['tidemail.json.tmp'],
      ['tidemail.json.tmp', 'levels/LOCK'],
      ['tidemail.json.tmp', 'levels/000001.log'],
    ]) {
      const path = join(root, half.join('-').replaceAll('/', '-'))
      await cp(directory, path, { recursive: true, filter: (name) => !/levels.|bodies.|committed$|tidemail.json$/.test(name) })
      for (const name of half) await writeFile(join(path, name), '')
      const store = await open(path)
      expect(await store.planning.accounts()).toEqual([])
      await store.close()
      await expect(open(path)).resolves.toBeDefined()
    }
  })

  it('may have any name', async () => {
    for (const name of ['with space', 'ümlaut', 'a#b%20c', 'line\nbreak', '-rf', 'quote\'"', '漢字']) {
      const path = join(root, name)
      await (await open(path)).close()
      expect(await readdir(path)).toContain('tidemail.json')
    }
  })
})
