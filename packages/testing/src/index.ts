export { FaultProxy, type FaultProxyOptions, type ProxyCounts, type ProxyPace } from './fault-proxy.ts'
export type { CommandMatch, CutHow, Direction, Fault } from './fault-proxy-fault.ts'
export type { RewriteServerLine, ServerMask } from './fault-proxy-mask.ts'
export { ImapLineSplitter, type LinePiece, type LiteralPiece, type Piece } from './imap-line-splitter.ts'
export { ImapServer, type ImapServerOptions } from './imap-server/imap-server.ts'
export {
  type IndependentReaderOptions,
  type ReadAccount,
  type ReadMailbox,
  type ReadMessage,
  readAccount,
} from './independent-reader.ts'
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
export type { ProxiedCommand } from './proxied-command.ts'
export {
  quoted,
  type RawAnswer,
  type RawCommandOptions,
  RawImap,
  type RawImapOptions,
  type RawResponse,
  type RawSeed,
} from './raw-imap.ts'
export { type SampleMailOptions, type SampleMessage, sampleMessages } from './sample-mail.ts'
export { SERVER_MASKS, type ServerMaskName } from './server-masks.ts'
export { type CourierServer, startCourier } from './servers/courier.ts'
export { type CyrusOptions, type CyrusServer, startCyrus } from './servers/cyrus.ts'
export { type Availability, detectServers, type TestProgram } from './servers/detect.ts'
export { type DovecotOptions, type DovecotServer, startDovecot } from './servers/dovecot.ts'
export { aptLineFor, type InstallOptions, type InstallReport, installServers } from './servers/install.ts'
export type { RealServer, RealServerName, TestUser } from './servers/real-server.ts'
export type { FaultPlan, StepFault } from './simulated-fault.ts'
export { SimulatedRemote, type SimulatedRemoteOptions } from './simulated-remote.ts'
