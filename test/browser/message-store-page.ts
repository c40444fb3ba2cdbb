/** Runs in a page: the contract of the message store over the browser's own IndexedDB, and a store for the test to drive. */

import type { AccountId, MessageStore, StoreNews } from '@tidemail/core'
import { openDexieMessageStore } from '@tidemail/store'
import { describeMessageStore, type Harness } from '@tidemail/testing/simulated'

/** What became of one clause of the contract. */
export interface ClauseOutcome {
  readonly name: string
  /** Null when it held. */
  readonly failure: string | null
}

/** What the test calls in the page. */
export interface StorePage {
  runContract(options: { readonly modelRuns: number }): Promise<readonly ClauseOutcome[]>
  open(name: string): Promise<void>
  putAccount(id: string): Promise<void>
  accounts(): Promise<readonly string[]>
  heard(): readonly number[]
  /** Writes as a newer version would: raises the number of the format. */
  upgrade(name: string): Promise<void>
  close(): Promise<void>
}

let store: MessageStore | null = null
const news: StoreNews[] = []

const page: StorePage = {
  runContract: async ({ modelRuns }) => {
    const checks: { readonly name: string; readonly check: () => Promise<void> }[] = []
    const path: string[] = []
    const harness: Harness = {
      describe: (name, body) => {
        path.push(name)
        body()
        path.pop()
      },
      it: (name, check) => {
        checks.push({ name: [...path, name].join(' > '), check })
      },
    }
    let opened = 0
    const open = (): Promise<MessageStore> => {
      opened += 1
      return openDexieMessageStore({ name: `contract-${opened}` })
    }
    describeMessageStore(harness, 'Dexie over IndexedDB', { open, modelRuns })
    const outcomes: ClauseOutcome[] = []
    for (const { name, check } of checks) outcomes.push({ name, failure: await failureOf(check) })
    return outcomes
  },
  open: async (name) => {
    store = await openDexieMessageStore({ name })
    store.subscribe((told) => news.push(told))
  },
  putAccount: async (id) => {
    const account = { id: id as AccountId, host: '', user: '', settings: {}, server: null, syncedAt: null }
    await opened().commit({ reason: 'a test', expect: {}, writes: [{ kind: 'put-account', account }] })
  },
  accounts: async () => (await opened().planning.accounts()).map(({ id }) => id),
  heard: () => news.map(({ revision }) => revision),
  upgrade: (name) =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, 990)
      opening.onerror = () => reject(opening.error)
      opening.onsuccess = () => {
        opening.result.close()
        resolve()
      }
    }),
  close: () => opened().close(),
}

function opened(): MessageStore {
  if (store === null) throw new Error('No store is open.')
  return store
}

async function failureOf(check: () => Promise<void>): Promise<string | null> {
  try {
    await check()
    return null
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

Object.assign(globalThis, { page })
