/** The contract of the message store: which rows a policy holds, and how those that it does not hold leave. */

import {
  entrySeq,
  type HeldWindow,
  localId,
  type MessageStore,
  type Targets,
  type Uid,
  UidSet,
  type ViewEffect,
} from '@tidemail/core'
import { assertEqual, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  accept,
  bytesOf,
  changeOf,
  checkpoint,
  counts,
  fill,
  INBOX,
  INBOX_BOX,
  inInbox,
  mailbox,
  moveEffects,
  pageText,
  put,
  stored,
} from './sample.ts'

const WINDOW: HeldWindow = {
  hold: 'last-days:3',
  box: INBOX_BOX,
  from: 4,
  dated: UidSet.of(2),
  since: 1_700_000_000_000,
  backfilled: UidSet.EMPTY,
}

export const EVICTION_CLAUSES: readonly Clause[] = [
  {
    says: 'keeps the window of a mailbox, and counts what it leaves out (Verifies: I-SYNC-2)',
    holds: async (store) => {
      await fill(store)
      const windowed = mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:9', '4:5'), window: WINDOW })
      await put(
        store,
        { kind: 'put-mailbox', mailbox: windowed },
        { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.range(1, 3) },
      )
      assertEqual(
        (await store.planning.mailboxes(ADA)).filter(({ id }) => id === INBOX),
        [windowed],
      )
      assertEqual(await counts(store, INBOX), '2 of which 2 unread, 5 to fetch, 2 left out')
    },
  },

  {
    says: 'lets go of a window',
    holds: async (store) => {
      await fill(store)
      await put(store, {
        kind: 'put-mailbox',
        mailbox: mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:9', '1:5'), window: WINDOW }),
      })
      await put(store, {
        kind: 'put-mailbox',
        mailbox: mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:9', '1:5'), window: null }),
      })
      assertEqual(await counts(store, INBOX), '5 of which 5 unread, 4 to fetch')
    },
  },

  {
    says: 'evicts rows with their parts, and nothing else',
    holds: async (store) => {
      await fill(store)
      for (const uid of [2, 3])
        await put(store, { kind: 'put-part', mailboxId: INBOX, uid: uid as Uid, section: '1', bytes: bytesOf(`${uid}`) })
      await put(store, { kind: 'evict-messages', mailboxId: INBOX, uids: UidSet.parse('1:2,99') })
      assertEqual(await pageText(store, INBOX), ['5', '4', '3'])
      assertEqual(await store.view.part(stored(INBOX, INBOX_BOX, 2), '1'), null)
      assertEqual(await store.view.part(stored(INBOX, INBOX_BOX, 3), '1'), bytesOf('3'))
      assertEqual(await counts(store, INBOX), '3 of which 3 unread, 0 to fetch')
    },
  },

  {
    says: 'evicts nothing that an open entry names, and writes nothing of such a change (Verifies: I-STORE-2)',
    holds: async (store) => {
      for (const effect of [flagged, hidden, placed]) await refusesToEvict(store, effect)
    },
  },

  {
    says: 'evicts what an entry of another mailbox, or another message of the same, does not name',
    holds: async (store) => {
      await fill(store)
      await accept(store, [inInbox('2')], ({ targets }) => ({ effects: flagged(targets) }))
      await put(store, { kind: 'evict-messages', mailboxId: INBOX, uids: UidSet.of(3) })
      assertEqual((await pageText(store, INBOX)).length, 4)
    },
  },
]

type Effects = (targets: readonly Targets[]) => readonly ViewEffect[]

const flagged: Effects = (targets) => targets.map((on) => ({ kind: 'flags', on, delta: { add: ['\\Seen'], remove: [] } }))
const hidden: Effects = (targets) => targets.map((on) => ({ kind: 'hide', on }))
const placed: Effects = (targets) =>
  moveEffects({ targets, firstLocal: localId(1), seq: entrySeq(1) }, ARCHIVE).filter(({ kind }) => kind === 'place')

async function refusesToEvict(store: MessageStore, effects: Effects): Promise<void> {
  await fill(store)
  const { seq } = await accept(store, [inInbox('2')], ({ targets }) => ({ effects: effects(targets), localsUsed: 1 }))
  const before = await store.planning.mailboxes(ADA)
  const smaller = mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:5', '3:5') })
  const change = changeOf([
    { kind: 'put-mailbox', mailbox: smaller },
    { kind: 'evict-messages', mailboxId: INBOX, uids: UidSet.range(1, 2) },
  ])
  const result = await store.commit(change)
  assertEqual(result.kind === 'conflict' ? result.on : result.kind, 'entry')
  assertEqual(await store.planning.mailboxes(ADA), before)
  await put(store, { kind: 'remove-entry', seq })
  assertEqual((await store.commit(change)).kind, 'committed')
}
