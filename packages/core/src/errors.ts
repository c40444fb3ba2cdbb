/** The one error that stops a scope, and the catalogue of its codes. Expected outcomes are returned, never thrown. */

/** What stops when the error is thrown. */
export type ErrorScope = 'operation' | 'mailbox' | 'account' | 'store'
/** What can be done about it. */
export type Recovery = 'retry-later' | 'ask-user' | 'fix-input' | 'reopen' | 'none'

/**
 * Every code, with the exit status of the command line (sysexits.h) and what it means. `docs/errors.md` is this table, and a
 * test holds the two together.
 */
export const ERROR_CATALOGUE = {
  'input.usage': { exit: 64, meaning: 'The command line or the call is not understood.' },
  'input.bad-uid': { exit: 65, meaning: 'A number is outside the range of UIDs.' },
  'input.bad-uid-set': { exit: 65, meaning: 'A UID set cannot be read.' },
  'input.bad-mod-seq': { exit: 65, meaning: 'A number is outside the range of mod-sequences.' },
  'input.bad-flag': { exit: 65, meaning: 'A flag or keyword cannot be written in IMAP.' },
  'input.bad-date': { exit: 65, meaning: 'A date cannot be read.' },
  'input.bad-name': {
    exit: 65,
    meaning: 'A name or text holds characters that IMAP cannot carry, or is none that a mailbox can have.',
  },
  'input.bad-message': { exit: 65, meaning: 'A message to append is empty, holds NUL, or is no RFC 5322 message.' },
  'input.message-too-large': { exit: 65, meaning: 'A message to append is larger than the engine or the server takes.' },
  'input.unknown-mailbox': { exit: 65, meaning: 'No such mailbox is in the store.' },
  'input.mailbox-exists': { exit: 65, meaning: 'A mailbox of that name is there already.' },
  'input.unknown-message': { exit: 65, meaning: 'No such message is in the store.' },
  'input.unknown-part': { exit: 65, meaning: 'The message has no such part.' },
  'input.part-too-large': { exit: 65, meaning: 'A part is larger than the engine takes in.' },
  'input.unknown-operation': { exit: 65, meaning: 'No such operation is in the replay log.' },
  'input.not-conditional': { exit: 65, meaning: 'A change cannot depend on what others did: the mailbox does not tell that.' },
  'input.not-undoable': { exit: 65, meaning: 'The operation has no opposite, or waits for a decision.' },
  'input.not-retargetable': { exit: 65, meaning: 'The operation cannot be sent to another mailbox.' },
  'input.no-trash': { exit: 65, meaning: 'The account has no mailbox for what is deleted.' },
  'input.no-drafts': { exit: 65, meaning: 'The account has no mailbox for drafts.' },
  'input.no-sent': { exit: 65, meaning: 'The account has no mailbox for what was sent.' },
  'input.bad-address': { exit: 65, meaning: 'A message to send has no recipient, or an address that cannot be used.' },
  'input.file-missing': { exit: 66, meaning: 'A file that was named cannot be read.' },
  'input.no-store': { exit: 66, meaning: 'The folder holds no Tidemail store.' },
  'remote.host-unknown': { exit: 68, meaning: 'The name of the mail server cannot be resolved.' },
  'remote.unreachable': { exit: 69, meaning: 'The mail server cannot be reached or refused the connection.' },
  'remote.tls': { exit: 69, meaning: 'The TLS connection could not be made or its certificate not be verified.' },
  'remote.timeout': { exit: 75, meaning: 'The mail server did not answer within the deadline.' },
  'remote.disconnected': { exit: 75, meaning: 'The connection to the mail server was lost.' },
  'remote.try-later': { exit: 75, meaning: 'The mail server asks to come back later.' },
  'remote.protocol': { exit: 76, meaning: 'The mail server answered something that is not IMAP.' },
  'remote.not-there': { exit: 69, meaning: 'The mail server does not give a part of a message: it may have gone.' },
  'remote.auth-rejected': { exit: 77, meaning: 'The mail server refused the login.' },
  'remote.cleartext-refused': { exit: 78, meaning: 'The connection would carry the password in clear.' },
  'account.missing-secret': { exit: 78, meaning: 'No password is configured, and the network is needed.' },
  'account.mismatch': { exit: 78, meaning: 'The store belongs to another account.' },
  'account.configuration': { exit: 78, meaning: 'The settings of the account are missing or contradict each other.' },
  'account.no-submitter': { exit: 78, meaning: 'There is nothing to send messages with.' },
  'store.in-use': { exit: 75, meaning: 'Another process owns the store.' },
  'store.too-new': { exit: 78, meaning: 'The store was written by a newer version.' },
  'store.corrupt': { exit: 74, meaning: 'The store holds data that cannot be understood; it is kept as it is.' },
  'store.read-only': { exit: 73, meaning: 'The store cannot be created or written there.' },
  'store.full': { exit: 74, meaning: 'The disk or the quota is full.' },
  'store.io': { exit: 74, meaning: 'The disk or the database failed.' },
  'store.poisoned': { exit: 74, meaning: 'An earlier write failed: the store must be opened again.' },
  'store.closed': { exit: 70, meaning: 'The store was closed under the engine.' },
  'engine.closed': { exit: 70, meaning: 'The engine was closed.' },
  'engine.aborted': { exit: 130, meaning: 'The work was interrupted.' },
  'engine.not-leader': { exit: 75, meaning: 'Another engine has taken over this account.' },
  'engine.bug': { exit: 70, meaning: 'Something that cannot happen has happened.' },
  'sync.incomplete': { exit: 75, meaning: 'Not everything could be synchronised; the rest stays queued.' },
  'sync.mass-delete': { exit: 65, meaning: 'More messages would be deleted at once than the policy allows without being asked.' },
  'sync.differs': { exit: 65, meaning: 'The store differs from the server.' },
  'output.closed': { exit: 74, meaning: 'The output was closed before everything was written.' },
} as const

export type ErrorCode = keyof typeof ERROR_CATALOGUE

export interface SyncErrorOptions {
  readonly scope?: ErrorScope
  readonly recovery?: Recovery
  /** What the user can do, as one sentence. */
  readonly hint?: string
  readonly cause?: unknown
  /** The server asks not to be spoken to for so long, in milliseconds. */
  readonly retryAfterMs?: number
}

/** What stops an operation, a mailbox, an account or the store. Never holds a secret or the content of a message. */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: ErrorCode
  readonly scope: ErrorScope
  readonly recovery: Recovery
  readonly hint: string | undefined
  /** How long the server asks not to be spoken to, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = options.scope ?? scopeOf(code)
    this.recovery = options.recovery ?? recoveryOf(code)
    this.hint = options.hint
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Ends every switch on a union: reaching it is a bug. */
export function assertNever(value: never): never {
  throw new SyncError('engine.bug', `Unexpected variant: ${String(value)}`)
}

function scopeOf(code: ErrorCode): ErrorScope {
  if (code.startsWith('input.')) return 'operation'
  return code.startsWith('store.') ? 'store' : 'account'
}

function recoveryOf(code: ErrorCode): Recovery {
  if (code.startsWith('input.')) return 'fix-input'
  if (code.startsWith('account.') || code === 'remote.auth-rejected' || code === 'sync.mass-delete') return 'ask-user'
  // A device that is offline can neither reach the server nor resolve its name.
  const isOffline = code === 'remote.unreachable' || code === 'remote.host-unknown'
  return isOffline || ERROR_CATALOGUE[code].exit === 75 ? 'retry-later' : 'none'
}
