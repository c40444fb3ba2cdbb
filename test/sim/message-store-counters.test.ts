/** Whatever is written, what is counted once is what counting again gives, and what is kept in memory is what the database holds. */

import {
  type AccountId,
  type BoxEpoch,
  type MailboxId,
  type MailboxRecord,
  type MessageStore,
  modSeq,
  type PageCursor,
  type ServerMessage,
  type Uid,
  UidPairs,
  UidSet,
  type Write,
} from '@tidemail/core'
import { openDexieMessageStore } from '@tidemail/store'
import { sampleEnvelope, sampleMailbox, sampleMessage } from '@tidemail/testing/simulated'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const ADA = 'ada' as AccountId
const MAILBOXES = [1, 2, 3] as MailboxId[]
const UIDS = [1, 2, 254, 255, 256, 257, 700, 4_294_967_295]
const RUNS = Number(process.env['TIDEMAIL_COUNTER_RUNS'] ?? 40)
/** More than the dictionary of a mailbox holds. */
const KEYWORDS = Array.from({ length: 30 }, (_, i) => `k${i}`)

const mailboxId = fc.constantFrom(...MAILBOXES)
const some = fc.subarray(UIDS, { minLength: 1 })
const flags = fc.oneof(
  fc.subarray(['\\Seen', '\\seen', '\\SEEN', 'Seen', '\\Flagged', 'work', 'Work']),
  fc.subarray(KEYWORDS, { minLength: 20 }),
)
const modSeqs = fc.option(fc.constantFrom(1n, 5n, 9n).map(modSeq))

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ mailboxId, uids: some, flags, modSeq: modSeqs, date: fc.nat(2) }).map(({ uids, date, ...rest }): Write => {
    const { mailboxId: id, ...state } = rest
    return {
      kind: 'put-messages',
      mailboxId: id,
      messages: uids.map((uid) => message(uid, { ...state, internalDate: date * 1000 })),
    }
  }),
  fc
    .record({
      mailboxId,
      states: fc.array(fc.record({ uid: fc.constantFrom(...UIDS).map((uid) => uid as Uid), flags, modSeq: modSeqs })),
    })
    .map((fields): Write => ({ kind: 'put-flags', ...fields })),
  fc
    .record({ mailboxId, uids: some.map((uids) => UidSet.from(uids)), delta: fc.record({ add: flags, remove: flags }) })
    .map((fields): Write => ({ kind: 'infer-flags', ...fields })),
  fc
    .record({
      mailboxId,
      uids: fc.oneof(
        some.map((uids) => UidSet.from(uids)),
        fc.constant(UidSet.ALL),
      ),
    })
    .map((fields): Write => ({ kind: 'remove-messages', ...fields })),
  fc.record({ from: mailboxId, to: mailboxId, picks: fc.subarray([0, 1, 2, 3]) }).map(
    ({ from, to, picks }): Write => ({
      kind: 'carry-messages',
      from,
      to,
      pairs: new UidPairs(picks.map((pick) => ({ from: UIDS[pick] as number, to: 254 + pick, length: 1 }))),
    }),
  ),
  fc
    .record({ mailboxId, uid: fc.constantFrom(...UIDS).map((uid) => uid as Uid), section: fc.constantFrom('', '1') })
    .map((fields): Write => ({ kind: 'put-part', ...fields, bytes: bytesOf(`part ${fields.uid}`) })),
  fc.record({ id: mailboxId, life: fc.nat(2) }).map(({ id, life }): Write => ({ kind: 'put-mailbox', mailbox: inBox(id, life) })),
  mailboxId.map((id): Write => ({ kind: 'remove-mailbox', mailboxId: id })),
)

/** Boxes come back: a number that was used before must not bring its rows with it. */
function inBox(id: MailboxId, life: number): MailboxRecord {
  return sampleMailbox(id, { accountId: ADA, box: (10 * id + life) as BoxEpoch })
}

function message(uid: number, state: Pick<ServerMessage, 'flags' | 'modSeq' | 'internalDate'>): ServerMessage {
  return sampleMessage(uid, { sizeBytes: uid, envelope: sampleEnvelope({ subject: `message ${uid}` }), ...state })
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Counts from the server's flags, and from the pages, one by one. */
async function recounted(store: MessageStore, id: MailboxId): Promise<object> {
  const held = await store.planning.flags(id, UidSet.ALL)
  const shown: string[] = []
  let after: PageCursor | null = null
  do {
    const page = await store.view.page({ mailboxId: id, limit: 3, ...(after === null ? {} : { after }) })
    shown.push(...page.messages.map(({ reference }) => JSON.stringify(reference)))
    after = page.next
  } while (after !== null)
  expect(new Set(shown).size).toBe(shown.length)
  expect(shown.length).toBe(held.length)
  return { total: held.length, unread: held.filter((row) => !row.flags.includes('\\Seen')).length }
}

async function check(store: MessageStore): Promise<void> {
  for (const { id, total, unread } of await store.view.mailboxes(ADA)) {
    expect({ total, unread }).toEqual(await recounted(store, id))
  }
}

it('keeps counters that a recount confirms, in the tab that wrote and in another (Verifies: I-STORE-3)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { maxLength: 20 }), async (changes) => {
      const shared = { name: 'counted', indexedDB: new IDBFactory(), IDBKeyRange }
      const [one, other] = [await openDexieMessageStore(shared), await openDexieMessageStore(shared)]
      try {
        const begin = MAILBOXES.map((id): Write => ({ kind: 'put-mailbox', mailbox: inBox(id, 0) }))
        await one.commit({
          reason: 'a test',
          expect: {},
          writes: [
            { kind: 'put-account', account: { id: ADA, host: '', user: '', settings: {}, server: null, syncedAt: null } },
            ...begin,
          ],
        })
        for (const [i, writes] of changes.entries()) {
          await (i % 2 === 0 ? one : other).commit({ reason: 'a test', expect: {}, writes })
          await check(one)
          if (i % 3 === 0) await check(other)
        }
        await check(other)
        await one.wipe(ADA)
        expect(await other.view.mailboxes(ADA)).toEqual([])
        await expectNothingOf(shared.indexedDB)
      } finally {
        await one.close()
        await other.close()
      }
    }),
    { numRuns: RUNS },
  )
})

/** After the only account is wiped nothing is left but the store's own row. */
async function expectNothingOf(indexedDB: IDBFactory): Promise<void> {
  const opening = indexedDB.open('counted')
  await new Promise((resolve) => {
    opening.onsuccess = resolve
  })
  const db = opening.result
  for (const table of db.objectStoreNames) {
    const counting = db.transaction(table).objectStore(table).count()
    await new Promise((resolve) => {
      counting.onsuccess = resolve
    })
    expect([table, counting.result]).toEqual([table, table === 'store' ? 1 : 0])
  }
  db.close()
}
