/** The contract of the message store: the bytes of messages, in pieces, and shared between messages of one content. */

import {
  type MessageReference,
  type MessageStore,
  mailboxId,
  type ServerMessage,
  type Uid,
  UidSet,
  type Write,
} from '@tidemail/core'
import { assertEqual, assertRejects, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  ARCHIVE_BOX,
  accept,
  bodyIdOf,
  bytesOf,
  checkpoint,
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
  stored,
  textPart,
} from './sample.ts'

/** `piece(1, 0, 'abc')`: of part 1 of message 1, from octet 0 on. */
function piece(uid: number, offset: number, text: string, options: { readonly isLast?: boolean } = {}): Write {
  const { isLast = false } = options
  return { kind: 'put-part-piece', mailboxId: INBOX, uid: uid as Uid, section: '1', offset, bytes: bytesOf(text), isLast }
}

function part(id: typeof INBOX, uid: number, section: string, text: string): Write {
  return { kind: 'put-part', mailboxId: id, uid: uid as Uid, section, bytes: bytesOf(text) }
}

/** Messages of one content have one EMAILID and one size. */
function named(uid: number, emailId: string, changes: Partial<ServerMessage> = {}): ServerMessage {
  return message(uid, { emailId, sizeBytes: 500, ...changes })
}

async function textOf(store: MessageStore, reference: MessageReference, section = '1'): Promise<string | null> {
  const bytes = await store.view.part(reference, section)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

const FIRST = stored(INBOX, INBOX_BOX, 1)

export const PARTS_CLAUSES: readonly Clause[] = [
  {
    says: 'shows a part only when its last piece is there, and joins the pieces in order',
    holds: async (store) => {
      await fill(store)
      await put(store, piece(1, 0, 'one '))
      await put(store, piece(1, 4, 'two '), piece(1, 8, 'two '))
      assertEqual(await textOf(store, FIRST), null)
      assertEqual((await store.view.message(FIRST))?.heldSections, [])
      assertEqual((await store.view.partOnServer(FIRST, '1'))?.heldBytes, 12)
      await put(store, piece(1, 12, 'end', { isLast: true }))
      assertEqual(await textOf(store, FIRST), 'one two two end')
      assertEqual((await store.view.message(FIRST))?.heldSections, ['1'])
      const all = { parts: 'all', messagesMax: 9, partBytesMax: 500, receivedSince: null } as const
      assertEqual(
        (await store.planning.missingParts(INBOX, all)).map(({ uid }) => uid),
        [5, 4, 3, 2],
      )
    },
  },

  {
    says: 'passes over pieces that do not go on where the last one ended, and begins anew with the first',
    holds: async (store) => {
      await fill(store)
      await put(store, piece(1, 0, 'one'), piece(1, 6, 'three'), piece(1, 2, 'e?'), piece(99, 0, 'nobody'))
      assertEqual((await store.view.partOnServer(FIRST, '1'))?.heldBytes, 3)
      await put(store, piece(1, 0, 'anew '), piece(1, 5, 'end', { isLast: true }), piece(1, 0, 'late'), piece(1, 8, 'later'))
      assertEqual(await textOf(store, FIRST), 'anew end')
      await assertRejects(store.planning.body(await bodyIdOf('one')), 'store.corrupt')
    },
  },

  {
    says: 'ends a part with an empty piece, and holds one that has no octets at all',
    holds: async (store) => {
      await fill(store)
      await put(store, piece(1, 0, 'all'), piece(1, 3, '', { isLast: true }), piece(2, 0, '', { isLast: true }))
      assertEqual(await textOf(store, FIRST), 'all')
      assertEqual(await textOf(store, stored(INBOX, INBOX_BOX, 2)), '')
    },
  },

  {
    says: 'takes a part in one piece in the place of what was begun',
    holds: async (store) => {
      await fill(store)
      await put(store, piece(1, 0, 'begun'), part(INBOX, 1, '1', 'whole'))
      assertEqual(await textOf(store, FIRST), 'whole')
      await assertRejects(store.planning.body(await bodyIdOf('begun')), 'store.corrupt')
    },
  },

  {
    says: 'tells what is missing of a part that was begun, and where the server has it, moved here or not',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages: [message(1, { parts: [textPart('1')] })] })
      await put(store, piece(1, 0, 'begun'))
      const text = { parts: 'text', messagesMax: 9, partBytesMax: 500, receivedSince: null } as const
      const missing = await store.planning.missingParts(INBOX, text)
      assertEqual(missing.at(-1), { uid: 1, section: '1', sizeBytes: 10, heldBytes: 5 })
      const place = { mailboxId: INBOX, box: INBOX_BOX, uid: 1 }
      assertEqual(await store.view.partOnServer(FIRST, '1'), { ...place, sizeBytes: 10, heldBytes: 5 })
      await accept(store, [inInbox('1')], (context) => ({ effects: moveEffects(context, ARCHIVE), localsUsed: 1 }))
      assertEqual(await store.view.partOnServer(local(1), ''), { ...place, sizeBytes: message(1).sizeBytes, heldBytes: 0 })
      assertEqual(await store.view.partOnServer(local(1), '7'), { ...place, sizeBytes: null, heldBytes: 0 })
      assertEqual(await store.view.partOnServer(stored(INBOX, INBOX_BOX, 77), '1'), null)
    },
  },

  {
    says: 'leaves out parts of messages that came before a time',
    holds: async (store) => {
      await fill(store)
      const since = { parts: 'text', messagesMax: 3, partBytesMax: 500, receivedSince: 4000 } as const
      assertEqual(
        (await store.planning.missingParts(INBOX, since)).map(({ uid }) => uid),
        [5, 4],
      )
    },
  },

  {
    says: 'carries what was begun to the new UID of a moved message, and lets go of it with the message',
    holds: async (store) => {
      await fill(store)
      await put(store, piece(1, 0, 'one '), piece(2, 0, 'lost'))
      await put(
        store,
        { kind: 'carry-messages', from: INBOX, to: ARCHIVE, pairs: pairs([1, 30, 1]) },
        { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.parse('1:2') },
      )
      const moved = stored(ARCHIVE, ARCHIVE_BOX, 30)
      assertEqual((await store.view.partOnServer(moved, '1'))?.heldBytes, 4)
      await put(store, { ...piece(30, 4, 'end', { isLast: true }), mailboxId: ARCHIVE } as Write)
      assertEqual(await textOf(store, moved), 'one end')
      await assertRejects(store.planning.body(await bodyIdOf('lost')), 'store.corrupt')
    },
  },

  {
    says: 'shares what is held of one content with whoever has it too, and downloads nothing for it (Verifies: DC-8474-8.3b)',
    holds: async (store) => {
      await fill(store)
      await put(
        store,
        { kind: 'put-messages', mailboxId: INBOX, messages: [named(1, 'M1'), named(2, 'M2'), named(3, 'M1', { sizeBytes: 9 })] },
        { kind: 'put-messages', mailboxId: ARCHIVE, messages: [named(31, 'M1'), named(32, 'M2'), named(33, 'M3')] },
        part(INBOX, 1, '1', 'one'),
        part(INBOX, 1, '2', 'file'),
        part(ARCHIVE, 31, '1', 'mine'),
        piece(2, 0, 'begun'),
      )
      assertEqual(String(await store.planning.linkable(ARCHIVE, UidSet.ALL)), '31')
      assertEqual(String(await store.planning.linkable(INBOX, UidSet.ALL)), '')
      await put(store, { kind: 'link-parts', mailboxId: ARCHIVE, uids: UidSet.ALL })
      assertEqual(await textOf(store, stored(ARCHIVE, ARCHIVE_BOX, 31)), 'mine')
      assertEqual(await textOf(store, stored(ARCHIVE, ARCHIVE_BOX, 31), '2'), 'file')
      assertEqual(String(await store.planning.linkable(ARCHIVE, UidSet.ALL)), '')
      await put(store, { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.ALL }, { kind: 'release-parts', accountId: ADA })
      assertEqual(await textOf(store, stored(ARCHIVE, ARCHIVE_BOX, 31), '2'), 'file')
      await put(
        store,
        { kind: 'remove-messages', mailboxId: ARCHIVE, uids: UidSet.ALL },
        { kind: 'release-parts', accountId: ADA },
      )
      await assertRejects(store.planning.body(await bodyIdOf('file')), 'store.corrupt')
    },
  },

  {
    says: 'keeps the parts of a message that has left until they are released, for it may come up elsewhere (Verifies: DC-8474-8.3b)',
    holds: async (store) => {
      await fill(store)
      await put(
        store,
        { kind: 'put-messages', mailboxId: INBOX, messages: [named(1, 'M1'), named(2, 'M2')] },
        part(INBOX, 1, '1', 'one'),
        part(INBOX, 2, '1', 'two'),
        { kind: 'remove-messages', mailboxId: INBOX, uids: UidSet.parse('1:2') },
        { kind: 'put-messages', mailboxId: ARCHIVE, messages: [named(31, 'M1')] },
      )
      assertEqual(String(await store.planning.linkable(ARCHIVE, UidSet.ALL)), '31')
      await put(store, { kind: 'link-parts', mailboxId: ARCHIVE, uids: UidSet.ALL }, { kind: 'release-parts', accountId: ADA })
      assertEqual(await textOf(store, stored(ARCHIVE, ARCHIVE_BOX, 31)), 'one')
      await assertRejects(store.planning.body(await bodyIdOf('two')), 'store.corrupt')
      await put(store, { kind: 'put-messages', mailboxId: ARCHIVE, messages: [named(32, 'M2')] })
      assertEqual(String(await store.planning.linkable(ARCHIVE, UidSet.ALL)), '')
    },
  },

  {
    says: 'lets go of what was kept of messages that have left with the account',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-messages', mailboxId: INBOX, messages: [named(1, 'M1')] }, part(INBOX, 1, '1', 'one'), {
        kind: 'remove-messages',
        mailboxId: INBOX,
        uids: UidSet.of(1),
      })
      assertEqual(await store.planning.body(await bodyIdOf('one')), bytesOf('one'))
      await store.wipe(ADA)
      await assertRejects(store.planning.body(await bodyIdOf('one')), 'store.corrupt')
    },
  },

  {
    says: 'shares nothing between accounts, whatever their servers call it',
    holds: async (store) => {
      await fill(store)
      const theirs = mailboxId(9)
      await put(
        store,
        { kind: 'put-account', account: { ...(await store.planning.accounts())[0], id: 'ben' as never } as never },
        {
          kind: 'put-mailbox',
          mailbox: mailbox(theirs, 19 as never, { accountId: 'ben' as never, checkpoint: checkpoint('1', '1') }),
        },
        { kind: 'put-messages', mailboxId: theirs, messages: [named(1, 'M1')] },
        { kind: 'put-messages', mailboxId: INBOX, messages: [named(1, 'M1')] },
        part(theirs, 1, '1', 'theirs'),
      )
      assertEqual(String(await store.planning.linkable(INBOX, UidSet.ALL)), '')
      await put(store, { kind: 'link-parts', mailboxId: INBOX, uids: UidSet.ALL })
      assertEqual(await textOf(store, FIRST), null)
    },
  },
]
