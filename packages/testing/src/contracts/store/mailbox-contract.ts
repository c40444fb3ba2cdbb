/** The contract of the message store, part five: mailboxes that the user makes, renames, deletes and subscribes to. */

import {
  boxEpoch,
  foldMailboxes,
  type MailboxChange,
  type MailboxId,
  type MessageStore,
  mailboxId,
  type ViewEffect,
} from '@tidemail/core'
import { assertEqual, type Clause } from '../harness.ts'
import {
  ADA,
  ARCHIVE,
  ARCHIVE_BOX,
  accept,
  bytesOf,
  fill,
  INBOX,
  inInbox,
  mailbox,
  moveEffects,
  pageText,
  put,
} from './sample.ts'

const NEW = mailboxId(3)
const BELOW = mailboxId(4)
const NEW_RECORD = mailbox(NEW, boxEpoch(13), { path: 'new', isOnServer: false, isSubscribed: false, uidValidity: null })

const CHANGES: readonly MailboxChange[] = [
  { kind: 'create' },
  { kind: 'rename', path: 'other' },
  { kind: 'rename', path: 'box2/inside' },
  { kind: 'delete' },
  { kind: 'subscribe', isSubscribed: true },
  { kind: 'subscribe', isSubscribed: false },
]

export const MAILBOX_CLAUSES: readonly Clause[] = [
  {
    says: 'accepts a mailbox with the operation that makes it, in one piece (Verifies: I-LOG-1)',
    holds: async (store) => {
      await fill(store)
      await accepting(store, () => ({ bytes: bytesOf('make'), effects: [onMailbox(NEW, { kind: 'create' })], localsUsed: 1 }))
      assertEqual(
        (await store.planning.mailboxes(ADA)).find(({ id }) => id === NEW),
        NEW_RECORD,
      )
      assertEqual(await names(store), ['box1', 'box2', '(new)'])
      await accept(store, [inInbox('2:3')], (context) => ({ effects: moveEffects(context, NEW), localsUsed: 2 }))
      assertEqual(await pageText(store, NEW), ['local:3', 'local:2'])
    },
  },

  {
    says: 'keeps nothing of a mailbox whose operation could not be built',
    holds: async (store) => {
      await fill(store)
      const outcome = await accepting(store, () => {
        throw new RangeError('no')
      }).catch((error: unknown) => error instanceof RangeError)
      assertEqual(outcome, true, 'the error of the builder')
      assertEqual(await names(store), ['box1', 'box2'])
    },
  },

  {
    says: 'never gives away the numbers of a mailbox that was accepted',
    holds: async (store) => {
      await fill(store)
      const { id, box } = await store.planning.allocateMailbox()
      const record = { ...NEW_RECORD, id, box }
      const build = (): ReturnType<Parameters<MessageStore['accept']>[0]['build']> => ({
        bytes: bytesOf('make'),
        effects: [],
        localsUsed: 1,
      })
      await store.accept({ accountId: ADA, targets: [], bodies: [], mailbox: record, build })
      const next = await store.planning.allocateMailbox()
      assertEqual([next.id > id, next.box > box], [true, true])
    },
  },

  {
    says: 'shows what waits for mailboxes, and what they are without it when it is taken out (Verifies: I-STORE-3)',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-mailbox', mailbox: mailbox(BELOW, boxEpoch(14), { path: 'box2/below' }) })
      const renamed = await acceptEffect(store, onMailbox(ARCHIVE, { kind: 'rename', path: 'attic' }))
      assertEqual(await names(store), ['(attic)', '(attic/below)', 'box1'])
      const deleted = await acceptEffect(store, onMailbox(ARCHIVE, { kind: 'delete' }))
      assertEqual(await names(store), ['(attic/below)', 'box1'])
      await put(store, { kind: 'remove-entry', seq: deleted.seq }, { kind: 'remove-entry', seq: renamed.seq })
      assertEqual(await names(store), ['box1', 'box2', 'box2/below'])
    },
  },

  {
    says: 'folds every pair of changes as the rule has it',
    holds: async (store) => {
      await fill(store)
      await put(store, { kind: 'put-mailbox', mailbox: mailbox(BELOW, boxEpoch(14), { path: 'box2/below' }) })
      const effects = [INBOX, ARCHIVE, BELOW].flatMap((id) => CHANGES.map((change) => onMailbox(id, change)))
      for (const first of effects) {
        for (const second of effects) {
          const entries = [await acceptEffect(store, first), await acceptEffect(store, second)]
          const folded = foldMailboxes(await store.planning.mailboxes(ADA), [first, second])
          assertEqual(await faces(store), folded.map(faceOf).sort(byId), `${JSON.stringify(first)}, ${JSON.stringify(second)}`)
          await put(store, ...entries.map(({ seq }) => ({ kind: 'remove-entry' as const, seq })))
        }
      }
      assertEqual((await store.planning.mailboxes(ADA)).find(({ id }) => id === ARCHIVE)?.box, ARCHIVE_BOX)
    },
  },
]

function onMailbox(id: MailboxId, change: MailboxChange): ViewEffect {
  return { kind: 'mailbox', mailboxId: id, change }
}

function acceptEffect(store: MessageStore, effect: ViewEffect): ReturnType<MessageStore['accept']> {
  return accept(store, [], () => ({ effects: [effect], localsUsed: 1 }))
}

function accepting(
  store: MessageStore,
  build: Parameters<MessageStore['accept']>[0]['build'],
): ReturnType<MessageStore['accept']> {
  return store.accept({ accountId: ADA, targets: [], bodies: [], mailbox: NEW_RECORD, build })
}

/** Those with something pending in parentheses. */
async function names(store: MessageStore): Promise<string[]> {
  const views = await store.view.mailboxes(ADA)
  return views
    .map(({ path, isPending }) => ({ path, text: isPending ? `(${path})` : path }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ text }) => text)
}

interface Face {
  readonly id: MailboxId
  readonly path: string
  readonly isSubscribed: boolean
  readonly isPending: boolean
}

async function faces(store: MessageStore): Promise<Face[]> {
  return (await store.view.mailboxes(ADA)).map(faceOf).sort(byId)
}

function faceOf({ id, path, isSubscribed, isPending }: Face): Face {
  return { id, path, isSubscribed, isPending }
}

function byId(a: Face, b: Face): number {
  return a.id - b.id
}
