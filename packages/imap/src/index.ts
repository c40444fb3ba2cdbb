export {
  CONNECT_DEADLINE_MS,
  type ImapRemoteOptions,
  STEP_DEADLINE_MS,
} from './imap-options.ts'
export { imapRemote } from './imap-remote.ts'
export { IDLE_RESTART_MS, POLL_INTERVAL_MS } from './mailbox-watch.ts'
export type { WireDirection, WireEvent, WireListener } from './wire-event.ts'
