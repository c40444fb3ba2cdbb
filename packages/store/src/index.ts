/** The local message store over IndexedDB. */

export type { BodyFiles } from './body-files.ts'
export { type DexieStoreOptions, openDexieMessageStore } from './dexie-message-store.ts'
