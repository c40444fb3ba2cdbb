export { FaultProxy, type FaultProxyOptions, type ProxyCounts, type ProxyPace } from './fault-proxy.ts'
export type { CommandMatch, CutHow, Direction, Fault } from './fault-proxy-fault.ts'
export type { Interlude } from './fault-proxy-interlude.ts'
export type { RewriteCommandLine, RewriteServerLine, ServerMask } from './fault-proxy-mask.ts'
export { ImapLineSplitter, type LinePiece, type LiteralPiece, type Piece } from './imap-line-splitter.ts'
export { ImapServer, type ImapServerOptions } from './imap-server/imap-server.ts'
export {
  type IndependentReaderOptions,
  type ReadAccount,
  type ReadMailbox,
  type ReadMessage,
  readAccount,
} from './independent-reader.ts'
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
export { SERVER_MASKS, type ServerMaskName } from './server-masks.ts'
export {
  type MaskedTier,
  SERVER_PROFILES,
  type ServerProfileName,
  type StandIn,
  TIER_MASKS,
} from './server-profiles.ts'
export { type CourierServer, startCourier } from './servers/courier.ts'
export { type CyrusOptions, type CyrusServer, startCyrus } from './servers/cyrus.ts'
export { type Availability, detectServers, type TestProgram } from './servers/detect.ts'
export { type DovecotOptions, type DovecotServer, startDovecot } from './servers/dovecot.ts'
export { aptLineFor, type InstallOptions, type InstallReport, installServers } from './servers/install.ts'
export type { RealServer, RealServerName, TestUser } from './servers/real-server.ts'
export * from './simulated.ts'
