/** The contract of the message store, part three: messages that the server has named or moved. */

import { boxEpoch, type LocalId, type Targets, type Uid, UidSet, type Write } from '@tidemail/core'
import { assertEqual, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  ARCHIVE_BOX,
  accept,
  bodyIdOf,
  bytesOf,
  checkpoint,
  draft,
  fill,
  INBOX,
  INBOX_BOX,
  inInbox,
  local,
  mailbox,
  message,
  moveEffects,
  pairs,
  put,
  serverFlags,
  stored,
} from './sample.ts'

export const FORWARD_CLAUSES: readonly Clause[] = [
  {
    says: 'makes a row and its whole part of a local that the server has named',
    holds: async (store) => {
      await fill(store)
      const bodyId = await bodyIdOf('draft')
      const made = draft(1, bodyId)
      const bodies = [{ bodyId, bytes: bytesOf('draft') }]
      const entry = await accept(
        store,
        [],
        () => ({ effects: [{ kind: 'new', mailboxId: ARCHIVE, message: made }], localsUsed: 1 }),
        bodies,
      )
      assertEqual(await store.view.part(local(1), ''), bytesOf('draft'))
      await put(
        store,
        { kind: 'land-local', local: 1 as LocalId, entry: entry.seq, mailboxId: ARCHIVE, uid: 40 as Uid },
        {
          kind: 'forward',
          accountId: ADA,
          from: { kind: 'local' },
          to: { mailboxId: ARCHIVE, box: ARCHIVE_BOX },
          pairs: pairs([1, 40, 1]),
        },
        { kind: 'remove-entry', seq: entry.seq },
      )
      const landed = await store.view.message(local(1))
      assertEqual(landed, {
        reference: stored(ARCHIVE, ARCHIVE_BOX, 40),
        mailboxId: ARCHIVE,
        flags: ['\\Seen'],
        internalDate: made.internalDate,
        sizeBytes: made.sizeBytes,
        envelope: made.envelope,
        parts: made.parts,
        emailId: null,
        isPending: false,
        heldSections: [''],
      })
      assertEqual(await store.view.part(local(1), ''), bytesOf('draft'))
      const stated = { uid: 40 as Uid, flags: ['\\Flagged'], modSeq: 1n as never }
      await put(store, { kind: 'put-flags', mailboxId: ARCHIVE, states: [stated] })
      assertEqual(await serverFlags(store, ARCHIVE), { 40: ['\\Flagged'] })
    },
  },

  {
    says: 'follows forwards to their end, the latest of each number (Verifies: H-18)',
    holds: async (store) => {
      await fill(store)
      const third = mailbox(3 as never, boxEpoch(13))
      const forward = (from: number, to: { mailboxId: number; box: number }, ...ranges: [number, number, number][]): Write => ({
        kind: 'forward',
        accountId: ADA,
        from: { kind: 'stored', box: boxEpoch(from) },
        to: to as never,
        pairs: pairs(...ranges),
      })
      const archive = { mailboxId: ARCHIVE, box: ARCHIVE_BOX }
      await put(
        store,
        { kind: 'put-mailbox', mailbox: third },
        { kind: 'put-messages', mailboxId: ARCHIVE, messages: [101, 102, 103].map((uid) => message(uid)) },
        { kind: 'put-messages', mailboxId: third.id, messages: [7, 8].map((uid) => message(uid)) },
        forward(11, { mailboxId: third.id, box: third.box }, [2, 8, 1]),
        forward(11, archive, [1, 101, 5]),
        forward(12, { mailboxId: third.id, box: third.box }, [102, 7, 1]),
        forward(11, { mailboxId: third.id, box: third.box }, [3, 8, 1]),
        forward(11, { mailboxId: ARCHIVE, box: 99 }, [5, 1, 1]),
        {
          kind: 'forward',
          accountId: ADA,
          from: { kind: 'local' },
          to: { mailboxId: INBOX, box: INBOX_BOX },
          pairs: pairs([9, 1, 1]),
        },
      )
      const led = async (uid: number): Promise<unknown> => (await store.view.message(stored(INBOX, INBOX_BOX, uid)))?.reference
      assertEqual(await led(1), stored(ARCHIVE, ARCHIVE_BOX, 101))
      assertEqual(await led(2), stored(third.id, third.box, 7))
      assertEqual(await led(3), stored(third.id, third.box, 8))
      assertEqual(await led(4), undefined, 'led to a row that is not held')
      assertEqual(await led(5), undefined, 'led to a box that is gone')
      assertEqual((await store.view.message(local(9)))?.reference, stored(ARCHIVE, ARCHIVE_BOX, 101))

      let resolved: readonly Targets[] = []
      const locals: Targets = { kind: 'local', mailboxId: INBOX, locals: UidSet.of(5, 9) }
      await accept(store, [inInbox('1:4294967295'), locals], ({ targets }) => {
        resolved = targets
        return { effects: [] }
      })
      assertEqual(resolved, [
        { kind: 'stored', mailboxId: ARCHIVE, box: ARCHIVE_BOX, uids: UidSet.of(101) },
        { kind: 'stored', mailboxId: third.id, box: third.box, uids: UidSet.of(7, 8) },
      ])
    },
  },

  {
    says: 'means by its own name again what was copied and is to stay (Verifies: H-18)',
    holds: async (store) => {
      await fill(store)
      const to = { mailboxId: ARCHIVE, box: ARCHIVE_BOX }
      const from = { kind: 'stored', box: INBOX_BOX } as const
      await put(
        store,
        { kind: 'put-messages', mailboxId: ARCHIVE, messages: [101, 102, 103, 104].map((uid) => message(uid)) },
        { kind: 'forward', accountId: ADA, from, to, pairs: pairs([1, 101, 3]) },
        { kind: 'forward', accountId: ADA, from, to, pairs: pairs([2, 104, 1]) },
        { kind: 'end-forward', accountId: ADA, from, numbers: UidSet.parse('2,5') },
      )
      const views = await Promise.all([1, 2, 3].map((uid) => store.view.message(stored(INBOX, INBOX_BOX, uid))))
      const [own, copies] = [stored(INBOX, INBOX_BOX, 2), [101, 103].map((uid) => stored(ARCHIVE, ARCHIVE_BOX, uid))]
      assertEqual(
        views.map((view) => view?.reference),
        [copies[0], own, copies[1]],
      )
    },
  },

  {
    says: 'resolves targets to what is known, held, or still local',
    holds: async (store) => {
      await fill(store)
      const box = mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('3:8', '3:5') })
      await put(store, { kind: 'put-mailbox', mailbox: box })
      await accept(store, [inInbox('3')], (context) => ({ effects: moveEffects(context, ARCHIVE), localsUsed: 1 }))
      let resolved: readonly Targets[] = []
      const given: Targets[] = [
        { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1, 2) },
        inInbox('1,3,8,9'),
        { ...inInbox('4'), box: boxEpoch(10) },
        inInbox('2'),
      ]
      await accept(store, given, ({ targets }) => {
        resolved = targets
        return { effects: [] }
      })
      // What was moved away is meant by its old name too.
      assertEqual(resolved, [inInbox('1:2,8'), { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1) }])
    },
  },

  {
    says: 'means by an old name what the pending entries made of it, read or acted on (Verifies: H-18, I-STORE-3)',
    holds: async (store) => {
      await fill(store)
      const moved = await accept(store, [inInbox('1:2')], (context) => ({
        effects: moveEffects(context, ARCHIVE),
        localsUsed: 2,
      }))
      const removed = await accept(store, [inInbox('3')], ({ targets }) => ({
        effects: targets.map((on) => ({ kind: 'hide' as const, on })),
      }))
      const named = async (): Promise<unknown[]> => {
        const views = [1, 2, 3, 4].map((uid) => store.view.message(stored(INBOX, INBOX_BOX, uid)))
        return (await Promise.all(views)).map((view) => view?.reference)
      }
      assertEqual(await named(), [local(1), local(2), undefined, stored(INBOX, INBOX_BOX, 4)])
      let resolved: readonly Targets[] = []
      const back = await accept(store, [inInbox('2:4')], (context) => {
        resolved = context.targets
        return { effects: moveEffects({ ...context, targets: context.targets.slice(1) }, INBOX), localsUsed: 1 }
      })
      assertEqual(resolved, [inInbox('4'), { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(2) }])
      assertEqual(await named(), [local(1), local(3), undefined, stored(INBOX, INBOX_BOX, 4)])
      assertEqual((await store.view.message(local(2)))?.reference, local(3))
      await put(
        store,
        { kind: 'remove-entry', seq: back.seq },
        { kind: 'remove-entry', seq: moved.seq },
        { kind: 'remove-entry', seq: removed.seq },
      )
      assertEqual(
        await named(),
        [1, 2, 3, 4].map((uid) => stored(INBOX, INBOX_BOX, uid)),
      )
    },
  },
]
