/** Runs the contract of the message store on every implementation that runs in Node. */

import { openDexieMessageStore } from '@tidemail/store'
import { describeMessageStore, MemoryMessageStore } from '@tidemail/testing/simulated'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { describe, it } from 'vitest'

describeMessageStore({ describe, it }, 'memory', { open: async () => new MemoryMessageStore() })

describeMessageStore({ describe, it }, 'Dexie over fake-indexeddb', {
  open: () => openDexieMessageStore({ name: 'contract', indexedDB: new IDBFactory(), IDBKeyRange }),
})
