/** Runs in a page: an engine over the browser's own IndexedDB and a simulated server, for the test to drive. */

import * as core from '@tidemail/core'
import * as engine from '@tidemail/engine'
import * as planner from '@tidemail/planner'
import * as replayLog from '@tidemail/replay-log'
import * as store from '@tidemail/store'
import { ModelAccount, SimulatedRemote, sampleMessages } from '@tidemail/testing/simulated'
import { type NormalForm, serverForm, storeForm } from '../sim/equality.ts'

const ME = core.accountId('me')
const MESSAGES_IN_INBOX = 120
const clock: core.Clock = {
  now: () => Date.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
}

/** What the app sees of INBOX. */
export interface InboxSeen {
  readonly total: number
  readonly flagged: number
  /** Of the newest message. */
  readonly subject: string | null
  readonly pending: number
}

/** What the test calls in the page. */
export interface SmokePage {
  /** How many things each package exports, as loaded here. */
  loaded(argument: undefined): Readonly<Record<string, number>>
  /** Opens the database of that name with a new engine; the server stands as it did at first. */
  open(name: string): Promise<void>
  sync(argument: undefined): Promise<engine.SyncReport>
  goOffline(argument: undefined): void
  /** Flags so many of the newest messages, and appends one. */
  change(options: { readonly flag: number; readonly subject: string }): Promise<readonly number[]>
  /** Another client removes the oldest message, and a new one arrives. */
  rivalActs(argument: undefined): void
  inbox(argument: undefined): Promise<InboxSeen>
  forms(argument: undefined): Promise<{ readonly onServer: NormalForm; readonly inStore: NormalForm }>
  evidence(argument: undefined): Promise<readonly string[]>
}

interface Opened {
  readonly mail: engine.MailEngine
  readonly store: core.MessageStore
  readonly account: ModelAccount
  readonly remote: SimulatedRemote
}

let opened: Opened | null = null

function now(): Opened {
  if (opened === null) throw new Error('Nothing is open.')
  return opened
}

const page: SmokePage = {
  loaded: () =>
    Object.fromEntries(
      Object.entries({ core, replayLog, planner, engine, store }).map(([name, exported]) => [name, Object.keys(exported).length]),
    ),
  open: async (name) => {
    const account = new ModelAccount()
    account.inbox.append(sampleMessages({ count: MESSAGES_IN_INBOX, seed: 7 }))
    account.open('Archive').append(sampleMessages({ count: 30, seed: 8 }))
    const remote = new SimulatedRemote({ account, clock })
    const database = await store.openDexieMessageStore({ name })
    const identity = { id: ME, host: 'mail.example', user: 'me' }
    const mail = await engine.createMailEngine({ store: database, remote, account: identity })
    opened = { mail, store: database, account, remote }
  },
  sync: () => now().mail.syncOnce(),
  goOffline: () => now().remote.goOffline(),
  change: async ({ flag, subject }) => {
    const { mail } = now()
    const inbox = await mail.mailbox('INBOX')
    const { messages } = await mail.page({ mailboxId: inbox.id, limit: flag })
    const bytes = new TextEncoder().encode(
      `From: a@page.example\r\nSubject: ${subject}\r\nMessage-ID: <1@page.example>\r\n\r\nText.\r\n`,
    )
    const handles = [
      mail.flag(
        messages.map(({ reference }) => reference),
        { add: ['$Chosen', 'flagged'] },
      ),
      mail.append({ to: inbox.id, bytes, flags: ['seen'] }),
    ]
    return (await Promise.all(handles.map(({ accepted }) => accepted))).flat().map(Number)
  },
  rivalActs: () => {
    const { inbox } = now().account
    inbox.remove(core.UidSet.from([inbox.messages[0]?.uid ?? 1]))
    inbox.append(sampleMessages({ count: 1, seed: 9 }))
  },
  inbox: async () => {
    const { mail } = now()
    const { id, total } = await mail.mailbox('INBOX')
    const { messages } = await mail.page({ mailboxId: id, limit: 1_000 })
    return {
      total,
      flagged: messages.filter(({ flags }) => core.hasFlag(flags, '$Chosen')).length,
      subject: messages[0]?.envelope.subject ?? null,
      pending: messages.filter(({ isPending }) => isPending).length,
    }
  },
  forms: async () => ({ onServer: serverForm(now().account), inStore: await storeForm(now().store, ME) }),
  evidence: async () =>
    (await now().mail.receipts()).flatMap(({ outcomes }) =>
      outcomes.map(({ outcome, evidence }) => `${outcome} ${evidence.kind}`),
    ),
}

Object.assign(globalThis, { page })
