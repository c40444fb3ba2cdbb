/** The contract of the message store, part two: the replay log and preconditions. */

import {
  boxEpoch,
  type ClaimId,
  type EntryRecord,
  type EntrySeq,
  type LocalId,
  type Uid,
  UidSet,
  type Write,
} from '@tidemail/core'
import { assertEqual, assertRejects, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  accept,
  account,
  BEN,
  bodyIdOf,
  bytesOf,
  changeOf,
  checkpoint,
  draft,
  fill,
  INBOX,
  INBOX_BOX,
  inInbox,
  mailbox,
  message,
  moveEffects,
  pageText,
  put,
} from './sample.ts'

export const LOG_CLAUSES: readonly Clause[] = [
  {
    says: 'accepts an entry with its effects, numbers and bodies in one piece (Verifies: I-LOG-1)',
    holds: async (store) => {
      await fill(store)
      const bodyId = await bodyIdOf('draft')
      const bodies = [{ bodyId, bytes: bytesOf('draft') }]
      const first = await accept(
        store,
        [],
        ({ firstLocal }) => ({
          effects: [{ kind: 'new', mailboxId: INBOX, message: draft(firstLocal, bodyId) }],
          localsUsed: 1,
        }),
        bodies,
      )
      const second = await accept(store, [inInbox('2:3')], (context) => ({
        effects: moveEffects(context, ARCHIVE),
        localsUsed: 2,
      }))
      assertEqual([first.revision, second.seq - first.seq], [1, 1])
      assertEqual(await store.planning.entries(ADA), [first, second])
      assertEqual(await store.planning.body(bodyId), bytesOf('draft'))
      assertEqual(await pageText(store, ARCHIVE), ['local:3', 'local:2'])
      assertEqual(await pageText(store, INBOX), ['local:1 \\Seen', '5', '4', '1'])
    },
  },

  {
    says: 'keeps nothing of an entry that could not be built',
    holds: async (store) => {
      await fill(store)
      const bodyId = await bodyIdOf('draft')
      const broken = store.accept({
        accountId: ADA,
        targets: [],
        bodies: [{ bodyId, bytes: bytesOf('draft') }],
        build: () => {
          throw new RangeError('no')
        },
      })
      const outcome = await broken.catch((error: unknown) => error instanceof RangeError)
      assertEqual(outcome, true, 'the error of the builder')
      assertEqual(await store.planning.entries(ADA), [])
      await assertRejects(store.planning.body(bodyId), 'store.corrupt')
      const next = await accept(store, [], ({ firstLocal }) => {
        assertEqual(firstLocal, 1, 'first local')
        return { effects: [] }
      })
      assertEqual(next.seq, 1, 'number of the entry')
      const unknown = store.accept({
        accountId: BEN,
        targets: [],
        bodies: [],
        build: () => ({ bytes: bytesOf(''), effects: [], localsUsed: 0 }),
      })
      await assertRejects(unknown, 'account.configuration')
    },
  },

  {
    says: 'never gives a number twice, whoever accepts at the same time',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-account', account: account(BEN) })
      const accounts = [ADA, BEN, ADA, ADA, BEN, ADA]
      const entries = await Promise.all(
        accounts.map((accountId) =>
          store.accept({
            accountId,
            targets: [],
            bodies: [],
            build: ({ firstLocal }) => ({ bytes: bytesOf(`local ${firstLocal}`), effects: [], localsUsed: 1 }),
          }),
        ),
      )
      assertEqual(new Set(entries.map(({ seq }) => seq)).size, accounts.length)
      assertEqual(new Set(entries.map(({ accountId, bytes }) => `${accountId} ${bytes}`)).size, accounts.length)
      await put(store, { kind: 'remove-entry', seq: entries.at(-1)?.seq as EntrySeq })
      const next = await accept(store, [], () => ({ effects: [] }))
      assertEqual(next.seq, Math.max(...entries.map(({ seq }) => seq)) + 1, 'number after a removed entry')
    },
  },

  {
    says: 'raises the revision of an entry with every write, and lets go of bodies it no longer names',
    holds: async (store) => {
      await fill(store)
      const bodyId = await bodyIdOf('draft')
      const bodies = [{ bodyId, bytes: bytesOf('draft') }]
      const make = (): Promise<EntryRecord> =>
        accept(
          store,
          [],
          ({ firstLocal }) => ({
            effects: [{ kind: 'new', mailboxId: INBOX, message: draft(firstLocal, bodyId) }],
            localsUsed: 1,
          }),
          bodies,
        )
      const one = await make()
      const two = await make()
      await put(store, { kind: 'put-entry', entry: { ...one, bytes: bytesOf('again') } })
      assertEqual(
        (await store.planning.entries(ADA)).map(({ revision }) => revision),
        [2, 1],
      )
      await put(store, { kind: 'put-entry', entry: { ...one, revision: 7, effects: [] } })
      assertEqual((await store.planning.entries(ADA))[0], { ...one, revision: 7, effects: [] })
      assertEqual(await store.planning.body(bodyId), bytesOf('draft'), 'body that another entry names')
      await put(store, { kind: 'remove-entry', seq: two.seq }, { kind: 'remove-entry', seq: two.seq })
      await assertRejects(store.planning.body(bodyId), 'store.corrupt')
      assertEqual((await store.planning.entries(ADA)).length, 1)
    },
  },

  {
    says: 'keeps claims and receipts, receipts newest first',
    holds: async (store) => {
      await fill(store)
      const claim = (id: string): Write => ({
        kind: 'put-claim',
        claim: { id: id as ClaimId, accountId: ADA, bytes: bytesOf(id) },
      })
      const receipt = (seq: number) => ({ seq: seq as EntrySeq, accountId: ADA, bytes: bytesOf(`receipt ${seq}`) })
      await put(store, claim('b'), claim('a'), claim('c'), { kind: 'remove-claim', id: 'c' as ClaimId })
      await put(store, ...[2, 9, 4].map((seq): Write => ({ kind: 'put-receipt', receipt: receipt(seq) })))
      assertEqual(
        (await store.planning.claims(ADA)).map(({ id }) => id),
        ['a', 'b'],
      )
      assertEqual(await store.planning.receipts(ADA, { limit: 2 }), [receipt(9), receipt(4)])
      assertEqual(await store.planning.receipt(ADA, 2 as EntrySeq), receipt(2))
      assertEqual(await store.planning.receipt(BEN, 2 as EntrySeq), null)
      assertEqual(await store.planning.claims(BEN), [])
    },
  },

  {
    says: 'writes nothing when what was expected no longer holds (Verifies: I-SYNC-4, H-16)',
    holds: async (store) => {
      await fill(store)
      const entry = await accept(store, [], () => ({ effects: [] }))
      const older = await store.lead(ADA)
      const epoch = await store.lead(ADA)
      const writes: Write[] = [
        { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(1) },
        { kind: 'remove-entry', seq: entry.seq },
      ]
      const expectations = [
        { leaderEpoch: older },
        { boxes: [{ mailboxId: INBOX, box: boxEpoch(99) }] },
        { boxes: [{ mailboxId: ARCHIVE, box: INBOX_BOX }] },
        { entries: [{ seq: entry.seq, revision: 2 }] },
        { entries: [{ seq: (entry.seq + 1) as EntrySeq, revision: 1 }] },
      ]
      for (const expect of expectations) {
        assertEqual((await store.commit(changeOf(writes, expect))).kind, 'conflict', JSON.stringify(expect))
      }
      assertEqual((await pageText(store, INBOX)).length, 5)
      const holds = {
        leaderEpoch: epoch,
        boxes: [{ mailboxId: INBOX, box: INBOX_BOX }],
        entries: [{ seq: entry.seq, revision: 1 }],
      }
      assertEqual((await store.commit(changeOf(writes, holds))).kind, 'committed')
      assertEqual((await store.commit(changeOf([], holds))).kind, 'conflict', 'after the entry was removed')
      await store.wipe(ADA)
      assertEqual((await store.commit(changeOf([], { leaderEpoch: epoch }))).kind, 'conflict', 'after the wipe')
    },
  },

  {
    says: 'writes nothing of a change whose last write cannot be done (Verifies: I-STORE-1)',
    holds: async (store) => {
      await fill(store)
      const before = await store.planning.mailboxes(ADA)
      const writes: Write[] = [
        { kind: 'put-mailbox', mailbox: mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:9', '1:9') }) },
        { kind: 'put-messages', mailboxId: INBOX, messages: [message(9)] },
        { kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes: bytesOf('one') },
      ]
      const gone: Write = { kind: 'remove-messages', mailboxId: 77 as never, uids: UidSet.ALL }
      assertEqual((await store.commit(changeOf([...writes, gone]))).kind, 'conflict')
      const bug: Write = { kind: 'land-local', local: 9 as LocalId, entry: 9 as EntrySeq, mailboxId: INBOX, uid: 9 as Uid }
      await assertRejects(store.commit(changeOf([...writes, bug])), 'engine.bug')
      assertEqual(await store.planning.mailboxes(ADA), before)
      assertEqual((await pageText(store, INBOX)).length, 5)
      await assertRejects(store.planning.body(await bodyIdOf('one')), 'store.corrupt')
    },
  },
]
