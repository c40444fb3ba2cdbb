export { POLL_INTERVAL_MS } from './idle.ts'
export {
  CONNECT_DEADLINE_MS,
  type ImapRemoteOptions,
  STEP_DEADLINE_MS,
} from './imap-options.ts'
export { imapRemote } from './imap-remote.ts'
export type { WireDirection, WireEvent, WireListener } from './wire-event.ts'
