/** The local message store in a folder, for Node. */

export { type NodeStoreOptions, openNodeMessageStore } from './node-message-store.ts'
