/** Packed against one row a message, in one run on one machine: run with `tsx -C @tidemail/source benchmarks/packed-store.ts`. */

import type { AccountId, BoxEpoch, MailboxId, MessageStore, ModSeq, ServerMessage, Uid } from '@tidemail/core'
import { openDexieMessageStore } from '@tidemail/store'
import { Dexie } from 'dexie'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'

const MESSAGES = 20_000
const BATCH_MESSAGES = 500
const FLAG_CHANGES = 2_000
const INBOX = 1 as MailboxId
const ADA = 'ada' as AccountId

interface Contender {
  fill(messages: readonly ServerMessage[]): Promise<void>
  changeFlags(uids: readonly number[]): Promise<void>
  loadSorted(): Promise<number>
}

const messages = Array.from({ length: MESSAGES }, (_, i) => message(i + 1))
const scattered = Array.from({ length: FLAG_CHANGES }, (_, i) => 1 + ((i * 7_919) % MESSAGES))
const rows = await measure(await openRows())
const packed = await measure(await openPacked())

console.log(
  `${MESSAGES} messages in batches of ${BATCH_MESSAGES}, ${FLAG_CHANGES} scattered flag changes, Node ${process.version}`,
)
for (const task of ['fill', 'changeFlags', 'loadSorted'] as const) {
  const ratio = rows[task] / packed[task]
  console.log(
    `${task.padEnd(12)} rows ${rows[task].toFixed(0)} ms, packed ${packed[task].toFixed(0)} ms: ${ratio.toFixed(1)} times faster`,
  )
}

type Times = Record<keyof Contender, number>

async function measure(contender: Contender): Promise<Times> {
  const fill = await timed(async () => {
    for (let i = 0; i < MESSAGES; i += BATCH_MESSAGES) await contender.fill(messages.slice(i, i + BATCH_MESSAGES))
  })
  const changeFlags = await timed(() => contender.changeFlags(scattered))
  const loadSorted = await timed(async () => {
    const count = await contender.loadSorted()
    if (count === 0) throw new Error('Nothing was loaded.')
  })
  return { fill, changeFlags, loadSorted }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** The store as it is, by way of its port. */
async function openPacked(): Promise<Contender> {
  const store = await openDexieMessageStore({ name: 'packed', indexedDB: new IDBFactory(), IDBKeyRange, ownership: 'process' })
  await putMailbox(store)
  return {
    fill: async (batch) => {
      await store.commit({
        reason: 'a benchmark',
        expect: {},
        writes: [{ kind: 'put-messages', mailboxId: INBOX, messages: batch }],
      })
    },
    changeFlags: async (uids) => {
      const states = uids.map((uid) => ({ uid: uid as Uid, flags: ['\\Seen', '\\Flagged'], modSeq: 9n as ModSeq }))
      await store.commit({ reason: 'a benchmark', expect: {}, writes: [{ kind: 'put-flags', mailboxId: INBOX, states }] })
    },
    loadSorted: async () => (await store.view.page({ mailboxId: INBOX, limit: 50 })).messages.length,
  }
}

/** What one would write first: a row a message, with an index by date. */
async function openRows(): Promise<Contender> {
  const db = new Dexie('rows', { indexedDB: new IDBFactory(), IDBKeyRange, cache: 'disabled' })
  db.version(1).stores({ messages: '[box+uid], [box+internalDate]' })
  await db.open()
  const table = db.table<ServerMessage & { box: number }, [number, number]>('messages')
  return {
    fill: async (batch) => {
      await table.bulkPut(batch.map((row) => ({ box: 1, ...row })))
    },
    changeFlags: (uids) =>
      db.transaction('rw', table, async () => {
        const held = await table.bulkGet(uids.map((uid): [number, number] => [1, uid]))
        const changed = held.flatMap((row) => (row === undefined ? [] : [{ ...row, flags: ['\\Seen', '\\Flagged'] }]))
        await table.bulkPut(changed)
      }),
    loadSorted: async () => {
      const all = await table.where('[box+uid]').between([1, 0], [1, 4_294_967_295], true, true).toArray()
      return all.sort((a, b) => b.internalDate - a.internalDate).slice(0, 50).length
    },
  }
}

async function putMailbox(store: MessageStore): Promise<void> {
  await store.commit({
    reason: 'to begin with',
    expect: {},
    writes: [
      { kind: 'put-account', account: { id: ADA, host: '', user: '', settings: {}, server: null, syncedAt: null } },
      {
        kind: 'put-mailbox',
        mailbox: {
          id: INBOX,
          accountId: ADA,
          path: 'INBOX',
          delimiter: '/',
          role: 'inbox',
          isSelectable: true,
          isSubscribed: true,
          objectId: null,
          box: 1 as BoxEpoch,
          uidValidity: null,
          checkpoint: null,
          permanentFlags: [],
          isOnServer: true,
          isReadOnly: false,
          partsHeldFor: null,
          tierLimit: null,
          formerBox: null,
        },
      },
    ],
  })
}

function message(uid: number): ServerMessage {
  const person = { name: `Person ${uid % 97}`, address: `person${uid % 97}@mail.example` }
  return {
    uid: uid as Uid,
    flags: uid % 3 === 0 ? ['\\Seen'] : [],
    modSeq: 5n as ModSeq,
    internalDate: 1_700_000_000_000 + ((uid * 7_919) % MESSAGES) * 1000,
    sizeBytes: 2_000 + (uid % 5_000),
    envelope: {
      subject: `About the matter of ${uid}, and what follows from it`,
      date: 1_700_000_000_000,
      from: [person],
      sender: [person],
      replyTo: [],
      to: [person],
      cc: [],
      bcc: [],
      inReplyTo: null,
      messageId: `<${uid}.benchmark@mail.example>`,
    },
    parts: [
      {
        section: '1',
        type: 'text/plain',
        charset: 'utf-8',
        encoding: 'quoted-printable',
        sizeBytes: 1_500,
        disposition: null,
        fileName: null,
        contentId: null,
      },
    ],
    emailId: null,
  }
}
