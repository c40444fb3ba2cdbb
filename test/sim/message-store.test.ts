/** Runs the contract of the message store on every implementation that runs in Node. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDexieMessageStore } from '@tidemail/store'
import { openNodeMessageStore } from '@tidemail/store/node'
import { describeMessageStore, MemoryMessageStore } from '@tidemail/testing/simulated'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { afterAll, describe, it } from 'vitest'

const folders: string[] = []

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

describeMessageStore({ describe, it }, 'memory', { open: async () => new MemoryMessageStore() })

describeMessageStore({ describe, it }, 'Dexie over fake-indexeddb', {
  open: () => openDexieMessageStore({ name: 'contract', indexedDB: new IDBFactory(), IDBKeyRange }),
})

describeMessageStore({ describe, it }, 'a folder', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemail-store-'))
    folders.push(folder)
    return openNodeMessageStore({ directory: join(folder, 'store') })
  },
  modelRuns: 10,
})
