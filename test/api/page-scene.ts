/** The scene of the API page: the names its examples use, on a simulated server and stores of one example's own. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelAccount, SimulatedRemote, sampleMessages } from '@tidemail/testing/simulated'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import * as browser from 'tidemail'
import * as node from 'tidemail/node'
import { expect } from 'vitest'

export * from 'tidemail'

const MESSAGES_IN_INBOX = 30

let leaving: (() => Promise<unknown>)[] = []
let directory: Promise<string> | null = null
let databases = new IDBFactory()
let server: SimulatedRemote = newServer()
let comparisons = 0

function newServer(): SimulatedRemote {
  const account = new ModelAccount()
  account.inbox.append(sampleMessages({ count: MESSAGES_IN_INBOX, seed: 1 }))
  // Nothing here takes time; who waits for news waits until told to stop.
  const sleep = (_delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
  const clock = { now: () => Date.now(), sleep }
  return new SimulatedRemote({ account, clock })
}

/** Instead of the real one: the same, closed after the example. */
export const createMailEngine: typeof browser.createMailEngine = async (options) => {
  const mail = await browser.createMailEngine(options)
  leaving.push(() => mail.close())
  return mail
}

/** Instead of the real one: the same, over databases of this example. */
export const openDexieMessageStore: typeof browser.openDexieMessageStore = async (options) => {
  const store = await browser.openDexieMessageStore({ ...options, indexedDB: databases, IDBKeyRange })
  leaving.push(() => store.close())
  return store
}

/** Instead of the real one: the same, in a folder of this example. */
export const openNodeMessageStore: typeof node.openNodeMessageStore = async (options) => {
  directory ??= mkdtemp(join(tmpdir(), 'tidemail-api-page-'))
  const store = await node.openNodeMessageStore({ ...options, directory: join(await directory, options.directory) })
  leaving.push(() => store.close())
  return store
}

/** Instead of the real one: the simulated server, once it was given the password. */
export const imapRemote: typeof node.imapRemote = ({ secret }) => ({
  connect: async (signal) => {
    expect(await secret()).toBe('a password')
    return server.connect(signal)
  },
})

/** What the examples find: everything that the page does not declare itself. */
export async function setUp() {
  const store = await openDexieMessageStore({ name: 'scene' })
  const account = { id: browser.accountId('ann'), host: 'mail.example', user: 'ann' }
  const remote: browser.Remote = server
  const mail = await createMailEngine({ store, remote, account })
  await mail.syncOnce()
  const [inbox, archive] = [await mail.mailbox('INBOX'), await mail.mailbox('Archive')]
  const { messages } = await mail.page({ mailboxId: inbox.id, limit: 3 })
  return {
    store,
    remote,
    mail,
    inbox,
    archive,
    /** The messages that the user has chosen. */
    selected: messages.map((message) => message.reference),
    readPassword: async (): Promise<string> => 'a password',
    render: (_: unknown): void => {},
  }
}

export const GIVEN: readonly string[] = ['store', 'remote', 'mail', 'inbox', 'archive', 'selected', 'readPassword', 'render']

/** What stands behind `// =>` in the page. */
export function same<T>(actual: T, expected: NoInfer<T> | (T extends readonly (infer Item)[] ? readonly Item[] : never)): void {
  comparisons += 1
  expect(actual).toEqual(expected)
}

/** How many `// =>` were compared since the last time. */
export function takeComparisons(): number {
  const count = comparisons
  comparisons = 0
  return count
}

export async function tearDown(): Promise<void> {
  for (const leave of leaving.toReversed()) await leave()
  if (directory !== null) await rm(await directory, { recursive: true })
  leaving = []
  directory = null
  databases = new IDBFactory()
  server = newServer()
}
