/** The parts of this package that run anywhere, a browser included. */

export type { Harness } from './contracts/harness.ts'
export { describeMessageStore, type MessageStoreContract } from './contracts/message-store-contract.ts'
export { MemoryDisk, MemoryMessageStore, type MemoryStoreOptions } from './memory-message-store.ts'
export {
  type AccountEvent,
  ModelAccount,
  type ModelAccountOptions,
  type ModelAppended,
  type ModelCopied,
  type ModelMailboxDone,
} from './model/account.ts'
export type { Extension } from './model/extensions.ts'
export type { FlagChange } from './model/flag-change.ts'
export {
  type ChangesSince,
  type MailboxEvent,
  type MailboxStatus,
  ModelMailbox,
  type StoreResult,
} from './model/mailbox.ts'
export type { ModelMessage, NewMessage, Refusal, RefusalCode } from './model/message.ts'
export { type SampleMailOptions, type SampleMessage, sampleMessages } from './sample-mail.ts'
export type { FaultPlan, StepFault } from './simulated-fault.ts'
export { SimulatedRemote, type SimulatedRemoteOptions } from './simulated-remote.ts'
