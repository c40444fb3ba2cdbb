/** Turns whatever went wrong into one message with a code, a hint and an exit status. */

import { ERROR_CATALOGUE, type ErrorCode, SyncError } from '@tidemail/core'
import { visibleLine } from './visible-text.ts'

export interface Failure {
  readonly code: ErrorCode
  /** One line. */
  readonly message: string
  /** One line: what the user can do. */
  readonly hint: string
  readonly exitStatus: number
}

/** What can be done about a failure whose thrower gave no hint of its own. */
const HINTS: Readonly<Record<ErrorCode, string>> = {
  'input.usage': 'Run `tidemail --help`, or `tidemail VERB --help`.',
  'input.bad-uid': 'Write a UID as `tidemail list` shows it: a whole number from 1 to 4294967295, or local:3.',
  'input.bad-uid-set': 'Write UIDs and ranges such as 12,15:20, or locals such as local:3,local:5.',
  'input.bad-mod-seq': 'This is a fault of the mail server or of Tidemail; please report it.',
  'input.bad-flag': 'Use seen, answered, flagged, deleted, draft, or a keyword of letters, digits, $, - and _.',
  'input.bad-date': 'Write the date as ISO 8601 has it, such as 2026-01-31 or 2026-01-31T09:30:00Z.',
  'input.bad-name': 'Write the name as `tidemail list` shows it.',
  'input.bad-message': 'Give a message as RFC 5322 has it: header fields, an empty line, the text.',
  'input.message-too-large': 'Make the message smaller, or ask the keeper of the mail server for its limit.',
  'input.unknown-mailbox': 'Run `tidemail list` to see the mailboxes; a new one is known after `tidemail sync`.',
  'input.mailbox-exists': 'Use that one, or another name.',
  'input.unknown-message': 'Run `tidemail list MAILBOX` to see the messages; a new one is known after `tidemail sync`.',
  'input.unknown-part': 'Run `tidemail show MAILBOX UID` to see the parts of the message.',
  'input.part-too-large': 'Fetch it with another program: Tidemail keeps parts of up to 256 MiB.',
  'input.unknown-operation': 'Run `tidemail ops` to see the operations.',
  'input.not-conditional': 'Give the flags without `--if-unchanged`.',
  'input.not-undoable':
    'Run `tidemail ops` to see where it stands; what is parked is for `tidemail ops retry` or `tidemail ops discard`.',
  'input.not-retargetable': 'Run `tidemail ops` to see where it stands; only what was not sent can go elsewhere.',
  'input.no-trash': 'Name one by --to MAILBOX, make one on the server, or use `tidemail expunge`.',
  'input.no-drafts': 'Name the mailbox for it, or make one on the server.',
  'input.no-sent': 'Name the mailbox for it, or make one on the server.',
  'input.bad-address': 'Write addresses without names and brackets: ann@example.org.',
  'input.file-missing': 'Check the path and that you may read the file.',
  'input.no-store': 'Check --store; `tidemail sync` with --host and --user makes a new store.',
  'remote.host-unknown': 'Check --host and the connection to the network.',
  'remote.unreachable': 'Check --host, --port and --security, and that the mail server is up.',
  'remote.tls': 'Check --host and --security; a private authority is trusted by --ca FILE.',
  'remote.timeout': 'Run the command again later, or give it more time by --timeout SECONDS.',
  'remote.disconnected': 'Run the command again: it goes on where it was.',
  'remote.try-later': 'Run the command again later.',
  'remote.protocol': 'Check --port and --security: something else than an IMAP server may be listening there.',
  'remote.not-there': 'Run `tidemail sync`, and look whether the message is there still.',
  'remote.auth-rejected': 'Check --user and the password; some providers want a password made for the app.',
  'remote.cleartext-refused': 'Use --security tls or starttls; --allow-cleartext sends the password in clear.',
  'account.missing-secret': 'Give --password-file FILE, --password-command COMMAND, or set TIDEMAIL_PASSWORD.',
  'account.mismatch': 'Use another --store for another account; one store holds one account.',
  'account.configuration': 'Check the options, the TIDEMAIL_* variables and the config file.',
  'account.no-submitter': 'Give the engine a submitter when it is made.',
  'store.in-use': 'Wait until the other tidemail has ended, and run the command again.',
  'store.too-new': 'Install the newest version of Tidemail; the store is left as it is.',
  'store.corrupt': 'The store is kept as it is; sync into a new one, and report this.',
  'store.read-only': 'Check that you may write in the folder, or name another one by --store.',
  'store.full': 'Free some space and run the command again; nothing that was accepted is lost.',
  'store.io': 'Check the disk, and run the command again.',
  'store.poisoned': 'Run the command again: the store is read afresh from the disk.',
  'store.closed': 'Run the command again; if it happens again, please report it.',
  'engine.closed': 'Run the command again; if it happens again, please report it.',
  'engine.aborted': 'Run the command again: it goes on where it was.',
  'engine.not-leader': 'Wait until the other Tidemail has ended, and run the command again.',
  'engine.bug': 'Run it again with TIDEMAIL_DEBUG=1 and report what it says.',
  'sync.incomplete': 'Run `tidemail sync` again later; `tidemail ops` shows what waits.',
  'sync.mass-delete': 'Run `tidemail sync --allow-deletions MAILBOX` if that is meant; until then nothing is deleted.',
  'sync.differs': 'Run `tidemail verify --repair` to set it right.',
  'output.closed': 'Nothing is lost: run the command again to see the rest.',
}

/** Errors of the operating system, by their code, that reach the command without a translation on the way. */
const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'input.file-missing',
  ENOTDIR: 'input.file-missing',
  EISDIR: 'input.file-missing',
  EACCES: 'store.read-only',
  EPERM: 'store.read-only',
  EROFS: 'store.read-only',
  ENOSPC: 'store.full',
  EDQUOT: 'store.full',
  EIO: 'store.io',
  EMFILE: 'store.io',
  EPIPE: 'output.closed',
}

export function failureOf(error: unknown): Failure {
  if (error instanceof SyncError) return failure(error.code, error.message, error.hint)
  const system = error instanceof Error && 'code' in error ? SYSTEM_ERRORS[String(error.code)] : undefined
  if (system !== undefined) return failure(system, (error as Error).message, undefined)
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return failure('engine.bug', `Something that cannot happen has happened: ${what}`, undefined)
}

/** The two lines for people. */
export function failureLines({ message, code, hint }: Failure): readonly [string, string] {
  return [`tidemail: ${message} (${code})`, `hint: ${hint}`]
}

function failure(code: ErrorCode, message: string, hint: string | undefined): Failure {
  return {
    code,
    message: visibleLine(message.split('\n')[0] ?? ''),
    hint: visibleLine(hint ?? HINTS[code]),
    exitStatus: ERROR_CATALOGUE[code].exit,
  }
}
