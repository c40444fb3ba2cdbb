/** The parts of this package that run anywhere, a browser included. */

export type { Harness } from './contracts/harness.ts'
export { describeMessageStore, type MessageStoreContract } from './contracts/message-store-contract.ts'
export type { MemoryState } from './memory/state.ts'
export { MemoryDisk, MemoryMessageStore, type MemoryStoreOptions } from './memory-message-store.ts'
export {
  type AccountEvent,
  ModelAccount,
  type ModelAccountOptions,
  type ModelAppended,
  type ModelCopied,
  type ModelMailboxDone,
} from './model/account.ts'
export { type Extension, extensionsWithout, type PrivateExtension } from './model/extensions.ts'
export type { FlagChange } from './model/flag-change.ts'
export { ModelMailbox } from './model/mailbox.ts'
export type { ChangesSince, MailboxEvent, MailboxStatus, StoreResult } from './model/mailbox-answers.ts'
export type { ModelMessage, NewMessage, Refusal, RefusalCode } from './model/message.ts'
export { type SampleMailOptions, type SampleMessage, sampleMessages } from './sample-mail.ts'
export { sampleAccount, sampleEnvelope, sampleLocalMessage, sampleMailbox, sampleMessage } from './sample-records.ts'
export type { FaultPlan, StepFault } from './simulated-fault.ts'
export { SimulatedRemote, type SimulatedRemoteOptions } from './simulated-remote.ts'
export type { Executed } from './simulated-steps.ts'
