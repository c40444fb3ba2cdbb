/** The contract of the message store, part four: the view, its pages and counts, and the change feed. */

import { type LocalId, type PageCursor, type StoreNews, type Uid, UidSet } from '@tidemail/core'
import { assertEqual, assertRejects, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  ARCHIVE_BOX,
  accept,
  bytesOf,
  counts,
  draft,
  fill,
  INBOX,
  INBOX_BOX,
  inInbox,
  local,
  message,
  moveEffects,
  nameOf,
  pageText,
  pairs,
  put,
  stored,
} from './sample.ts'

/** Fifty, and what timers are early by. */
const NEWS_INTERVAL_MS_MIN = 45
/** Longer than any coalescing. */
const NEWS_WAIT_MS_MAX = 5_000

export const VIEW_CLAUSES: readonly Clause[] = [
  {
    says: 'pages newest first; of equal dates locals first, then the greater number',
    holds: async (store) => {
      await fill(store)
      const tied = [10, 300, 20, 4000].map((uid) => message(uid, { internalDate: 3000 }))
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages: tied })
      const date = { internalDate: 3000, flags: [] }
      for (let i = 0; i < 2; i += 1) {
        await accept(store, [], ({ firstLocal }) => ({
          effects: [{ kind: 'new', mailboxId: INBOX, message: draft(firstLocal, 'none' as never, date) }],
          localsUsed: 1,
        }))
      }
      const whole = ['5', '4', 'local:2', 'local:1', '4000', '300', '20', '10', '3', '2', '1']
      assertEqual(await pageText(store, INBOX), whole)
      for (const limit of [1, 2, 3, 4, 11, 12]) {
        const names: string[] = []
        let after: PageCursor | null = null
        do {
          const page = await store.view.page({ mailboxId: INBOX, limit, ...(after === null ? {} : { after }) })
          names.push(...page.messages.map(({ reference }) => nameOf(reference)))
          assertEqual(page.messages.length <= limit, true, 'size of a page')
          after = page.next
        } while (after !== null)
        assertEqual(names, whole, `pages of ${limit}`)
      }
    },
  },

  {
    says: 'goes on from a cursor whose message has gone',
    holds: async (store) => {
      await fill(store)
      const first = await store.view.page({ mailboxId: INBOX, limit: 2 })
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(4, 5) })
      const rest = await store.view.page({ mailboxId: INBOX, limit: 9, after: first.next as PageCursor })
      assertEqual(
        rest.messages.map(({ reference }) => nameOf(reference)),
        ['3', '2', '1'],
      )
      assertEqual(rest.next, null)
      assertEqual((await store.view.page({ mailboxId: ARCHIVE, limit: 9 })).messages, [])
    },
  },

  {
    says: 'shows pending flags over those of the server, and counts them (Verifies: I-STORE-3)',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'infer-flags', mailboxId: INBOX, uids: UidSet.of(1), delta: { add: ['\\Seen'], remove: [] } })
      const entry = await accept(store, [inInbox('1:3')], ({ targets: [on] }) => ({
        effects: on === undefined ? [] : [{ kind: 'flags', on, delta: { add: ['\\Seen', 'todo'], remove: ['\\Flagged'] } }],
      }))
      assertEqual(await counts(store, INBOX), '5 of which 2 unread, 0 to fetch')
      const two = await store.view.message(stored(INBOX, INBOX_BOX, 2))
      assertEqual([two?.flags, two?.isPending], [['\\Seen', 'todo'], true])
      const stated = { uid: 2 as Uid, flags: ['\\Flagged', '\\Answered'], modSeq: null }
      await put(store, { kind: 'put-flags', mailboxId: INBOX, states: [stated] })
      assertEqual((await store.view.message(stored(INBOX, INBOX_BOX, 2)))?.flags, ['\\Answered', '\\Seen', 'todo'])
      await put(store, { kind: 'remove-entry', seq: entry.seq })
      assertEqual(await pageText(store, INBOX), ['5', '4', '3', '2 \\Answered \\Flagged', '1 \\Seen'])
      assertEqual(await counts(store, INBOX), '5 of which 4 unread, 0 to fetch')
    },
  },

  {
    says: 'shows a pending move where it leads, with the parts of its origin',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-part', mailboxId: INBOX, uid: 2 as Uid, section: '1', bytes: bytesOf('two') })
      await accept(store, [inInbox('2:3')], (context) => ({ effects: moveEffects(context, ARCHIVE), localsUsed: 2 }))
      assertEqual(await pageText(store, INBOX), ['5', '4', '1'])
      assertEqual(await counts(store, INBOX), '3 of which 3 unread, 0 to fetch')
      assertEqual(await counts(store, ARCHIVE), '2 of which 2 unread, 0 to fetch')
      const moved = await store.view.message(local(1))
      assertEqual(await store.view.message(stored(INBOX, INBOX_BOX, 2)), moved)
      assertEqual([moved?.mailboxId, moved?.envelope, moved?.heldSections], [ARCHIVE, message(2).envelope, ['1']])
      assertEqual(await store.view.part(local(1), '1'), bytesOf('two'))
      await accept(store, [{ kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1) }], () => ({
        effects: [
          {
            kind: 'flags',
            on: { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1) },
            delta: { add: ['\\Seen'], remove: [] },
          },
          { kind: 'hide', on: { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1) } },
          { kind: 'place', mailboxId: INBOX, from: { kind: 'local' }, pairs: pairs([1, 3, 1]) },
        ],
        localsUsed: 1,
      }))
      assertEqual(await pageText(store, INBOX), ['5', '4', 'local:3 \\Seen', '1'])
      assertEqual((await store.view.message(local(1)))?.reference, local(3))
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(2) })
      assertEqual(await pageText(store, INBOX), ['5', '4', '1'], 'after the origin vanished')
      assertEqual(await counts(store, ARCHIVE), '1 of which 1 unread, 0 to fetch')
    },
  },

  {
    says: 'settles a move without showing a message twice or not at all',
    holds: async (store) => {
      await fill(store)
      const entry = await accept(store, [inInbox('2')], (context) => ({
        effects: moveEffects(context, ARCHIVE),
        localsUsed: 1,
      }))
      const to = { mailboxId: ARCHIVE, box: ARCHIVE_BOX }
      await put(
        store,
        { kind: 'carry-messages', from: INBOX, to: ARCHIVE, pairs: pairs([2, 70, 1]) },
        { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(2) },
        { kind: 'forward', accountId: ADA, from: { kind: 'stored', box: INBOX_BOX }, to, pairs: pairs([2, 70, 1]) },
        { kind: 'forward', accountId: ADA, from: { kind: 'local' }, to, pairs: pairs([1, 70, 1]) },
        { kind: 'remove-entry', seq: entry.seq },
      )
      assertEqual(await pageText(store, ARCHIVE), ['70'])
      assertEqual((await store.view.message(stored(INBOX, INBOX_BOX, 2)))?.reference, stored(ARCHIVE, ARCHIVE_BOX, 70))
      assertEqual((await store.view.message(local(1 as LocalId)))?.reference, stored(ARCHIVE, ARCHIVE_BOX, 70))
    },
  },

  {
    says: 'tells what changed, at most every 50 ms',
    holds: async (store) => {
      await fill(store)
      const heard: StoreNews[] = []
      let wake: () => void = () => {}
      const unsubscribe = store.subscribe((news) => {
        heard.push(news)
        wake()
      })
      const start = performance.now()
      for (let i = 0; i < 20; i += 1) {
        const delta = { add: [`k${i % 5}`], remove: [] }
        await put(store, { kind: 'infer-flags', mailboxId: INBOX, uids: UidSet.of(1), delta })
      }
      const entry = await accept(store, [inInbox('2')], (context) => ({
        effects: moveEffects(context, ARCHIVE),
        localsUsed: 1,
      }))
      const result = await store.commit({ reason: 'a test', expect: {}, writes: [{ kind: 'remove-entry', seq: entry.seq }] })
      const last = result.kind === 'committed' ? result.revision : 0
      await before(NEWS_WAIT_MS_MAX, async () => {
        while ((heard.at(-1)?.revision ?? 0) < last) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      })
      const callsMax = 2 + (performance.now() - start) / NEWS_INTERVAL_MS_MIN
      assertEqual(heard.length <= callsMax, true, `${heard.length} calls where ${callsMax} are the most`)
      const mailboxes = new Set(heard.flatMap((news) => [...news.mailboxes]))
      assertEqual([mailboxes, heard.some((news) => news.hasLogChanged)], [new Set([INBOX, ARCHIVE]), true])
      assertEqual(new Set(heard.flatMap((news) => [...news.accounts])), new Set([ADA]))
      unsubscribe()
      const count = heard.length
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(1) })
      await store.planning.accounts()
      assertEqual(heard.length, count, 'calls after unsubscribing')
    },
  },

  {
    says: 'refuses everything once it is closed, and closes twice',
    holds: async (store) => {
      await fill(store)
      await store.close()
      await store.close()
      await assertRejects(store.planning.accounts(), 'store.closed')
      await assertRejects(store.view.page({ mailboxId: INBOX, limit: 1 }), 'store.closed')
      await assertRejects(store.commit({ reason: 'late', expect: {}, writes: [] }), 'store.closed')
      await assertRejects(
        accept(store, [], () => ({ effects: [] })),
        'store.closed',
      )
      await assertRejects(store.lead(ADA), 'store.closed')
      await assertRejects(store.wipe(ADA), 'store.closed')
    },
  },
]

async function before(deadlineMs: number, work: () => Promise<void>): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`The store told nothing for ${deadlineMs} ms.`)), deadlineMs)
  })
  await Promise.race([work(), late])
}
