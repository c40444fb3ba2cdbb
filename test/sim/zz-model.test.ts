/** Temporary. */
import { openDexieMessageStore } from '@tidemail/store'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { describe, it } from 'vitest'
import { describeModel } from '../../packages/testing/src/contracts/store/model-contract.ts'
describeModel({ describe, it: (n, b) => it(n, b, 200_000) }, () => openDexieMessageStore({ name: 'contract', indexedDB: new IDBFactory(), IDBKeyRange }), 600)
