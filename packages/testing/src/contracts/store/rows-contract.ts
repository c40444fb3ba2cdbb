/** The contract of the message store, part one: server state, mailbox by mailbox. */

import { type BoxEpoch, boxEpoch, MOD_SEQ_MAX, mailboxId, modSeq, UID_MAX, type Uid, UidSet } from '@tidemail/core'
import { assertEqual, assertRejects, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  ARCHIVE_BOX,
  account,
  BEN,
  bodyIdOf,
  bytesOf,
  changeOf,
  checkpoint,
  counts,
  fill,
  INBOX,
  INBOX_BOX,
  mailbox,
  message,
  pageText,
  pairs,
  put,
  serverFlags,
  stored,
  textPart,
} from './sample.ts'

export const ROWS_CLAUSES: readonly Clause[] = [
  {
    says: 'keeps accounts and mailboxes as they were put, checkpoints included (Verifies: DC-7162-3.1)',
    holds: async (store) => {
      const box = mailbox(INBOX, INBOX_BOX, {
        checkpoint: {
          uidNext: UID_MAX,
          highestModSeq: modSeq(MOD_SEQ_MAX),
          known: UidSet.parse('1:9,4294967295'),
          covered: UidSet.EMPTY,
        },
      })
      await put(store, { kind: 'put-account', account: account() }, { kind: 'put-mailbox', mailbox: box })
      await put(store, { kind: 'put-account', account: { ...account(), syncedAt: 17 } })
      assertEqual(await store.planning.accounts(), [{ ...account(), syncedAt: 17 }])
      assertEqual(await store.planning.mailboxes(ADA), [box])
    },
  },

  {
    says: 'holds the extremes: UID 4294967295 and mod-sequence 2^63-1 (Verifies: DC-7162-3.1)',
    holds: async (store) => {
      await fill(store)
      const last = message(UID_MAX, { modSeq: modSeq(MOD_SEQ_MAX), internalDate: 1 })
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages: [last] })
      const late = { uid: UID_MAX as Uid, flags: ['\\Seen'], modSeq: modSeq(MOD_SEQ_MAX - 1n) }
      await put(store, { kind: 'put-flags', mailboxId: INBOX, states: [late] })
      assertEqual((await serverFlags(store))[UID_MAX], [], 'flags after an older statement')
      assertEqual(await store.planning.identities(INBOX, UidSet.of(UID_MAX)), [
        { uid: UID_MAX, messageId: `<${UID_MAX}@mail.example>`, sizeBytes: last.sizeBytes, internalDate: 0, emailId: null },
      ])
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.range(6, UID_MAX) })
      assertEqual(await pageText(store, INBOX), ['5', '4', '3', '2', '1'])
    },
  },

  {
    says: 'passes over flags that are older than the row, equal ones too, and takes those without a mod-sequence',
    holds: async (store) => {
      await fill(store)
      const state = (uid: number, flag: string, at: number | null) => ({
        uid: uid as Uid,
        flags: [flag],
        modSeq: at === null ? null : modSeq(at),
      })
      const states = [
        state(1, '\\Seen', 4),
        state(2, '\\Seen', 5),
        state(3, '\\Seen', 6),
        state(4, '\\Seen', null),
        state(99, '\\Seen', 9),
      ]
      await put(store, { kind: 'put-flags', mailboxId: INBOX, states })
      assertEqual(await serverFlags(store), { 1: [], 2: [], 3: ['\\Seen'], 4: ['\\Seen'], 5: [] })
      assertEqual(await counts(store, INBOX), '5 of which 3 unread, 0 to fetch')
    },
  },

  {
    says: 'lets anything the server states overtake what was inferred',
    holds: async (store) => {
      await fill(store)
      const delta = { add: ['\\Seen', 'work'], remove: ['\\Flagged'] }
      await put(store, { kind: 'infer-flags', mailboxId: INBOX, uids: UidSet.ALL, delta })
      assertEqual((await serverFlags(store))[3], ['\\Seen', 'work'])
      assertEqual(await counts(store, INBOX), '5 of which 0 unread, 0 to fetch')
      const stated = { uid: 3 as Uid, flags: [], modSeq: modSeq(1) }
      await put(store, { kind: 'put-flags', mailboxId: INBOX, states: [stated] })
      assertEqual((await serverFlags(store))[3], [])
    },
  },

  {
    says: 'keeps more keywords than fit in the bits of a row, as they are spelled',
    holds: async (store) => {
      await fill(store)
      const keywords = Array.from({ length: 40 }, (_, i) => `Keyword${String(i).padStart(2, '0')}`)
      const messages = [message(6, { flags: [...keywords, '\\Seen'] }), message(7, { flags: ['keyword39', '$Last', '\\SEEN'] })]
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages })
      const delta = { add: ['Another'], remove: ['keyword00', 'KEYWORD39'] }
      await put(store, { kind: 'infer-flags', mailboxId: INBOX, uids: UidSet.parse('6:7'), delta })
      const flags = await serverFlags(store)
      assertEqual(flags[6], ['\\Seen', 'Another', ...keywords.slice(1, 39)])
      assertEqual(flags[7], ['$Last', '\\Seen', 'Another'])
    },
  },

  {
    says: 'removes rows with their parts, whatever else the set names',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-part', mailboxId: INBOX, uid: 2 as Uid, section: '1', bytes: bytesOf('two') })
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.parse('2,4,1000:4294967295') })
      assertEqual(await pageText(store, INBOX), ['5', '3', '1'])
      assertEqual(await counts(store, INBOX), '3 of which 3 unread, 0 to fetch')
      await assertRejects(store.planning.body(await bodyIdOf('two')), 'store.corrupt')
    },
  },

  {
    says: 'carries rows and parts to their new UIDs, and leaves those alone that stand there',
    holds: async (store) => {
      await fill(store)
      await put(
        store,
        { kind: 'put-flags', mailboxId: INBOX, states: [{ uid: 2 as Uid, flags: ['work'], modSeq: modSeq(9) }] },
        { kind: 'put-part', mailboxId: INBOX, uid: 2 as Uid, section: '1', bytes: bytesOf('two') },
        { kind: 'put-messages', mailboxId: ARCHIVE, messages: [message(31, { flags: ['\\Answered'] })] },
        { kind: 'carry-messages', from: INBOX, to: ARCHIVE, pairs: pairs([1, 30, 3], [77, 90, 2]) },
      )
      assertEqual(await serverFlags(store, ARCHIVE), { 30: [], 31: ['\\Answered'], 32: [] })
      assertEqual(await pageText(store, INBOX), ['5', '4', '3', '2 work', '1'])
      assertEqual(await store.view.part(stored(ARCHIVE, ARCHIVE_BOX, 31), '1'), bytesOf('two'))
      const carried = await store.view.message(stored(ARCHIVE, ARCHIVE_BOX, 30))
      assertEqual(carried?.envelope, message(1).envelope)
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.ALL })
      assertEqual(await store.view.part(stored(ARCHIVE, ARCHIVE_BOX, 31), '1'), bytesOf('two'), 'part after the source left')
    },
  },

  {
    says: 'keeps the rows and parts of a box that a new one names as its former, and carries the parts to new UIDs',
    holds: async (store) => {
      await fill(store)
      const parts = [1, 2].map((uid) => ({
        kind: 'put-part' as const,
        mailboxId: INBOX,
        uid: uid as Uid,
        section: '1',
        bytes: bytesOf(`${uid}`),
      }))
      await put(store, ...parts)
      const before = (await store.planning.mailboxes(ADA)).find(({ id }) => id === INBOX)
      if (before === undefined) throw new Error('There is no INBOX.')
      const reset = { ...before, box: boxEpoch(77), formerBox: before.box, checkpoint: null }
      await put(store, { kind: 'put-mailbox', mailbox: reset })
      assertEqual(await pageText(store, INBOX), [])
      const former = await store.planning.formerIdentities(INBOX)
      assertEqual(
        former.map(({ uid }) => uid),
        [1, 2, 3, 4, 5],
      )
      assertEqual(former[0]?.messageId, message(1).envelope.messageId)
      await put(
        store,
        { kind: 'put-messages', mailboxId: INBOX, messages: [message(31), message(40)] },
        { kind: 'carry-parts', mailboxId: INBOX, pairs: pairs([1, 40, 1], [2, 31, 1], [3, 90, 1]) },
      )
      await put(store, { kind: 'put-mailbox', mailbox: { ...reset, formerBox: null } })
      assertEqual(await store.planning.formerIdentities(INBOX), [])
      assertEqual(await pageText(store, INBOX), ['40', '31'])
      assertEqual(await store.view.part(stored(INBOX, reset.box, 40), '1'), bytesOf('1'), 'part after its box went')
      assertEqual(await store.view.part(stored(INBOX, reset.box, 31), '1'), bytesOf('2'))
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(40) })
      await assertRejects(store.planning.body(await bodyIdOf('1')), 'store.corrupt')
    },
  },

  {
    says: 'drops the box before when a second new one comes, and both with the mailbox',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes: bytesOf('one') })
      const before = (await store.planning.mailboxes(ADA)).find(({ id }) => id === INBOX)
      if (before === undefined) throw new Error('There is no INBOX.')
      const reset = { ...before, box: boxEpoch(77), formerBox: before.box, checkpoint: null }
      await put(
        store,
        { kind: 'put-mailbox', mailbox: reset },
        { kind: 'put-messages', mailboxId: INBOX, messages: [message(31)] },
        { kind: 'put-part', mailboxId: INBOX, uid: 31 as Uid, section: '1', bytes: bytesOf('two') },
        { kind: 'put-mailbox', mailbox: { ...reset, box: boxEpoch(78), formerBox: reset.box } },
      )
      assertEqual(
        (await store.planning.formerIdentities(INBOX)).map(({ uid }) => uid),
        [31],
      )
      await assertRejects(store.planning.body(await bodyIdOf('one')), 'store.corrupt')
      await put(store, { kind: 'remove-mailbox', mailboxId: INBOX })
      await assertRejects(store.planning.body(await bodyIdOf('two')), 'store.corrupt')
    },
  },

  {
    says: 'keeps bytes once per content, until nothing names them',
    holds: async (store) => {
      await fill(store)
      const both = [1, 2].map((uid) => ({
        kind: 'put-part' as const,
        mailboxId: INBOX,
        uid: uid as Uid,
        section: '1',
        bytes: bytesOf('same'),
      }))
      await put(store, ...both, ...both)
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.of(1) })
      assertEqual(await store.planning.body(await bodyIdOf('same')), bytesOf('same'))
      await put(store, { kind: 'put-part', mailboxId: INBOX, uid: 2 as Uid, section: '1', bytes: bytesOf('other') })
      await assertRejects(store.planning.body(await bodyIdOf('same')), 'store.corrupt')
      assertEqual(await store.view.part(stored(INBOX, INBOX_BOX, 2), '1'), bytesOf('other'))
    },
  },

  {
    says: 'keeps its own copy of bytes, and passes over parts of messages that are not held',
    holds: async (store) => {
      await fill(store)
      const large = new Uint8Array(1000).fill(7)
      const view = large.subarray(10, 13)
      await put(
        store,
        { kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes: view },
        { kind: 'put-part', mailboxId: INBOX, uid: 99 as Uid, section: '1', bytes: bytesOf('nobody') },
      )
      large.fill(0)
      const held = await store.view.part(stored(INBOX, INBOX_BOX, 1), '1')
      assertEqual(held, new Uint8Array([7, 7, 7]))
      assertEqual(held?.buffer.byteLength, 3, 'size of the buffer')
      assertEqual(await store.view.part(stored(INBOX, INBOX_BOX, 1), '2'), null)
      await assertRejects(store.planning.body(await bodyIdOf('nobody')), 'store.corrupt')
    },
  },

  {
    says: 'drops rows and parts with the old box, and with the mailbox',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes: bytesOf('one') })
      const renewed = mailbox(INBOX, boxEpoch(13))
      await put(store, { kind: 'put-mailbox', mailbox: renewed })
      assertEqual(await pageText(store, INBOX), [])
      assertEqual(await counts(store, INBOX), '0 of which 0 unread, 0 to fetch')
      await assertRejects(store.planning.body(await bodyIdOf('one')), 'store.corrupt')
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages: [message(1)] })
      await put(store, { kind: 'remove-mailbox', mailboxId: INBOX }, { kind: 'remove-mailbox', mailboxId: INBOX })
      assertEqual(await counts(store, INBOX), 'gone')
      await assertRejects(store.view.page({ mailboxId: INBOX, limit: 1 }), 'input.unknown-mailbox')
      const late = changeOf([{ kind: 'put-messages', mailboxId: INBOX, messages: [message(2)] }])
      assertEqual((await store.commit(late)).kind, 'conflict', 'writing to a mailbox that is gone')
    },
  },

  {
    says: 'tells which parts are missing, newest message first',
    holds: async (store) => {
      await fill(store)
      const parts = [
        textPart('1'),
        textPart('2', { type: 'image/png', sizeBytes: 99 }),
        textPart('3', { disposition: 'attachment' }),
        textPart('4', { sizeBytes: 1000 }),
      ]
      await put(
        store,
        { kind: 'put-messages', mailboxId: INBOX, messages: [3, 4, 5].map((uid) => message(uid, { parts })) },
        { kind: 'put-part', mailboxId: INBOX, uid: 4 as Uid, section: '1', bytes: bytesOf('four') },
        { kind: 'put-part', mailboxId: INBOX, uid: 5 as Uid, section: '', bytes: bytesOf('whole') },
      )
      const text = { parts: 'text', messagesMax: 4, partBytesMax: 500, receivedSince: null } as const
      assertEqual(await store.planning.missingParts(INBOX, text), [
        { uid: 3, section: '1', sizeBytes: 10, heldBytes: 0 },
        { uid: 2, section: '1', sizeBytes: 10, heldBytes: 0 },
      ])
      const all = { parts: 'all', messagesMax: 3, partBytesMax: 500, receivedSince: null } as const
      assertEqual(await store.planning.missingParts(INBOX, all), [
        { uid: 4, section: '2', sizeBytes: 99, heldBytes: 0 },
        { uid: 4, section: '3', sizeBytes: 10, heldBytes: 0 },
        { uid: 3, section: '1', sizeBytes: 10, heldBytes: 0 },
        { uid: 3, section: '2', sizeBytes: 99, heldBytes: 0 },
        { uid: 3, section: '3', sizeBytes: 10, heldBytes: 0 },
      ])
    },
  },

  {
    says: 'counts what the server has and is not here yet',
    holds: async (store) => {
      await fill(store)
      const known = mailbox(INBOX, INBOX_BOX, { checkpoint: checkpoint('1:1000', '2:5') })
      await put(store, { kind: 'put-mailbox', mailbox: known })
      assertEqual(await counts(store, INBOX), '5 of which 5 unread, 995 to fetch')
    },
  },

  {
    says: 'gives numbers to mailboxes and boxes that none has had',
    holds: async (store) => {
      await fill(store)
      const first = await store.planning.allocateMailbox()
      const second = await store.planning.allocateMailbox()
      assertEqual(new Set([INBOX, ARCHIVE, first.id, second.id]).size, 4)
      assertEqual(new Set<BoxEpoch>([INBOX_BOX, ARCHIVE_BOX, first.box, second.box]).size, 4)
    },
  },

  {
    says: 'keeps accounts apart, and wipes one with all it holds',
    holds: async (store) => {
      await fill(store)
      const bens = mailbox(mailboxId(5), boxEpoch(15), { accountId: BEN })
      await put(
        store,
        { kind: 'put-account', account: account(BEN) },
        { kind: 'put-mailbox', mailbox: bens },
        { kind: 'put-messages', mailboxId: bens.id, messages: [message(1)] },
        { kind: 'put-part', mailboxId: bens.id, uid: 1 as Uid, section: '1', bytes: bytesOf('shared') },
        { kind: 'put-part', mailboxId: INBOX, uid: 1 as Uid, section: '1', bytes: bytesOf('shared') },
        { kind: 'put-part', mailboxId: INBOX, uid: 2 as Uid, section: '1', bytes: bytesOf('adas') },
      )
      await store.wipe(ADA)
      assertEqual(
        (await store.planning.accounts()).map(({ id }) => id),
        [BEN],
      )
      assertEqual(await store.planning.mailboxes(ADA), [])
      assertEqual(await pageText(store, bens.id), ['1'])
      assertEqual(await store.planning.body(await bodyIdOf('shared')), bytesOf('shared'))
      await assertRejects(store.planning.body(await bodyIdOf('adas')), 'store.corrupt')
      assertEqual((await store.view.mailboxes(BEN)).length, 1)
    },
  },
]
