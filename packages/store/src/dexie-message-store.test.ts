/** Holds the store over IndexedDB to what it promises about newer versions, damaged rows, and databases that fail. */

import {
  type AccountId,
  type MailboxId,
  type MessageStore,
  modSeq,
  SyncError,
  type Uid,
  UidSet,
  type Write,
} from '@tidemail/core'
import { sampleMailbox, sampleMessage } from '@tidemail/testing/simulated'
import { Dexie } from 'dexie'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDexieMessageStore } from './dexie-message-store.ts'
import { StoreDatabase } from './schema.ts'
import { translateError } from './store-errors.ts'

const ADA = 'ada' as AccountId
const INBOX = 1 as MailboxId
const ARCHIVE = 2 as MailboxId
let indexedDB: IDBFactory
const opened: { close(): unknown }[] = []

beforeEach(() => {
  indexedDB = new IDBFactory()
})

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function open(sleep?: (delayMs: number) => Promise<void>): Promise<MessageStore> {
  const clock = sleep === undefined ? {} : { clock: { sleep } }
  const store = await openDexieMessageStore({ name: 'mail', indexedDB, IDBKeyRange, ...clock })
  opened.push(store)
  return store
}

/** The same database, as somebody who goes past the store sees it. */
async function openTables(): Promise<StoreDatabase> {
  const db = new StoreDatabase('mail', { indexedDB, IDBKeyRange })
  await db.open()
  opened.push(db)
  return db
}

const putMailbox = (id: MailboxId): Write => ({ kind: 'put-mailbox', mailbox: sampleMailbox(id, { accountId: ADA }) })

const putMessage = (mailboxId: MailboxId, uid: number): Write => ({
  kind: 'put-messages',
  mailboxId,
  messages: [sampleMessage(uid, { modSeq: modSeq(1) })],
})

async function fill(store: MessageStore): Promise<void> {
  const account = { id: ADA, host: '', user: '', settings: {}, server: null, syncedAt: null }
  const rows = [INBOX, ARCHIVE].flatMap((id) => [putMailbox(id), putMessage(id, 1)])
  await store.commit({ reason: 'a test', expect: {}, writes: [{ kind: 'put-account', account }, ...rows] })
}

describe('a store of a newer version', () => {
  it('is not opened, and not touched', async () => {
    const newer = new Dexie('mail', { indexedDB, IDBKeyRange })
    newer.version(2).stores({ store: 'key' })
    await newer.open()
    newer.close()
    await expect(open()).rejects.toMatchObject({ code: 'store.too-new' })
    expect(await indexedDB.databases()).toEqual([{ name: 'mail', version: 20 }])
    await newer.open()
    opened.push(newer)
    expect([...newer.backendDB().objectStoreNames]).toEqual(['store'])
  })

  it('is not written by a page that was opened before the upgrade', async () => {
    const store = await open()
    await fill(store)
    const db = await openTables()
    await db.store.update('store', { schemaEpoch: 2 } as never)
    await expect(store.lead(ADA)).rejects.toMatchObject({ code: 'store.too-new' })
    await expect(store.planning.accounts()).rejects.toMatchObject({ code: 'store.too-new' })
    expect((await db.store.get('store'))?.nextEpoch).toBe(1)
    await expect(open()).rejects.toMatchObject({ code: 'store.too-new' })
  })

  it('closes the older page instead of waiting for it', async () => {
    const store = await open()
    const newer = new Dexie('mail', { indexedDB, IDBKeyRange })
    opened.push(newer)
    newer.version(2).stores({ store: 'key' })
    await newer.open()
    await expect(store.planning.accounts()).rejects.toMatchObject({ code: 'store.closed', recovery: 'reopen' })
  })

  it('is told to be in use when an older page does not let go in time', async () => {
    const older = indexedDB.open('mail', 1)
    await new Promise((resolve) => {
      older.onsuccess = resolve
    })
    // Answers no versionchange, as a page does that is frozen.
    const opening = open((delayMs) => (delayMs > 5_000 ? new Promise(() => {}) : Promise.resolve()))
    await expect(opening).rejects.toMatchObject({ code: 'store.in-use', message: expect.stringContaining('older version') })
    older.result.close()
  })

  it('is told to be in use when nobody says why it does not open', async () => {
    const silent = { open: () => ({}) } as unknown as IDBFactory
    const opening = openDexieMessageStore({ name: 'mail', indexedDB: silent, IDBKeyRange, clock: { sleep: async () => {} } })
    await expect(opening).rejects.toMatchObject({ code: 'store.in-use' })
  })
})

describe('rows that cannot be understood', () => {
  it.each([
    ['columns', { uids: new Uint32Array([9, 3]) }],
    ['columns', { flags: [1, 2, 3] }],
    ['envelopes', { bytes: new Uint8Array([1, 2, 3]), ends: new Uint32Array([3]) }],
  ] as const)('of %s stop their mailbox, are kept, and leave the others alone', async (table, damage) => {
    const store = await open()
    await fill(store)
    const db = await openTables()
    const key: [number, number] = [11, 0]
    const damaged = { ...(await db.table(table).get(key)), ...damage }
    await db.table(table).put(damaged)
    const refused = await store.view.page({ mailboxId: INBOX, limit: 9 }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(SyncError)
    expect(refused).toMatchObject({ code: 'store.corrupt', scope: 'mailbox' })
    expect((refused as SyncError).message).toContain(`mailbox ${INBOX}`)
    expect((await store.view.page({ mailboxId: ARCHIVE, limit: 9 })).messages.length).toBe(1)
    expect(await db.table(table).get(key)).toEqual(damaged)
  })

  it('of the log stop their account', async () => {
    const store = await open()
    await fill(store)
    await store.accept({
      accountId: ADA,
      targets: [],
      bodies: [],
      build: () => ({ bytes: new Uint8Array(), effects: [], localsUsed: 0 }),
    })
    const db = await openTables()
    await db.entries.update(
      1 as never,
      { effects: [{ kind: 'hide', on: { kind: 'local', mailboxId: 1, locals: '*' } }] } as never,
    )
    await expect(store.planning.entries(ADA)).rejects.toMatchObject({ code: 'store.corrupt' })
  })
})

describe('the bytes of a part', () => {
  it('that goes while it is read is not taken for damage', async () => {
    const store = await open()
    await fill(store)
    const bytes = new TextEncoder().encode('one')
    await store.commit({
      reason: 'a test',
      expect: {},
      writes: [{ kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes }],
    })
    const reading = store.view.part({ kind: 'stored', mailboxId: INBOX, box: 11 as never, uid: 1 as Uid }, '1')
    const remove: Write = { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(1) }
    await store.commit({ reason: 'a test', expect: {}, writes: [remove] })
    // The name was read before the change, the bytes are read after it.
    expect(await reading).toBe(null)
  })
})

describe('the errors of a database', () => {
  it.each([
    [{ name: 'AbortError', inner: { name: 'QuotaExceededError' } }, 'store.full'],
    [{ name: 'BulkError', failures: [{ name: 'QuotaExceededError' }] }, 'store.full'],
    [{ name: 'VersionError', inner: null }, 'store.too-new'],
    [{ name: 'DatabaseClosedError', inner: null }, 'store.closed'],
    [{ name: 'UnknownError', inner: { name: 'UnknownError' } }, 'store.io'],
  ])('%j is told as %s', (shape, code) => {
    expect(translateError(Object.assign(new Error(shape.name), shape))).toMatchObject({ code })
  })

  it('are not what a caller threw', () => {
    const thrown = new RangeError('mine')
    expect(translateError(thrown)).toBe(thrown)
  })
})
