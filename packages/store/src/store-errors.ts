/** Turns what Dexie and IndexedDB throw into the errors of the catalogue. */

import { type ConflictOn, SyncError } from '@tidemail/core'

/** Thrown inside a transaction when what a change was planned on is gone; `commit` answers `conflict`. */
export class Conflict extends Error {
  readonly on: ConflictOn

  constructor(on: ConflictOn, what: string) {
    super(what)
    this.on = on
  }
}

/** The error to reject with. Errors that are not the database's own pass unchanged. */
export function translateError(error: unknown): unknown {
  if (error instanceof SyncError || error instanceof Conflict) return error
  const names = namesOf(error)
  if (names.includes('QuotaExceededError')) return new SyncError('store.full', 'The store has no room left.', { cause: error })
  if (names.includes('VersionError')) return tooNew(error)
  if (names.includes('DatabaseClosedError')) return closedError(error)
  if (names.some((name) => name.endsWith('Error') && isOfDatabase(error))) {
    return new SyncError('store.io', 'The database failed.', { cause: error, recovery: 'reopen' })
  }
  return error
}

export function closedError(cause?: unknown): SyncError {
  return new SyncError('store.closed', 'The store was closed.', { cause, recovery: 'reopen' })
}

export function tooNew(cause?: unknown): SyncError {
  return new SyncError('store.too-new', 'The store was written by a newer version of Tidemail.', {
    cause,
    hint: 'Install the newest version of Tidemail, or reload the page that runs it; the store is left as it is.',
  })
}

/** Stored data that cannot be understood stops its mailbox, and is kept as it is. */
export function corruptMailbox(what: string, cause?: unknown): SyncError {
  return new SyncError('store.corrupt', `The store holds ${what} that cannot be understood; it is kept as it is.`, {
    scope: 'mailbox',
    cause,
  })
}

export function corruptRecord(what: string, cause?: unknown): SyncError {
  return new SyncError('store.corrupt', `The store holds ${what} that cannot be understood; it is kept as it is.`, {
    scope: 'account',
    cause,
  })
}

export function lostFirstRow(): SyncError {
  return new SyncError('store.corrupt', 'The store has lost its first row; what is left is kept as it is.')
}

/** Reads a stored row; what it throws is data that cannot be understood. */
export function decoded<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw corruptRecord(what, error)
  }
}

/** The names of an error and of what caused it: Dexie wraps the database's own in `inner`, or in `failures`. */
function namesOf(error: unknown): string[] {
  const names: string[] = []
  for (let at = error, depth = 0; at instanceof Object && depth < 5; depth += 1) {
    const { name, inner, cause, failures } = at as { name?: unknown; inner?: unknown; cause?: unknown; failures?: unknown }
    if (typeof name === 'string') names.push(name)
    at = inner ?? cause ?? (Array.isArray(failures) ? failures[0] : undefined)
  }
  return names
}

/** Dexie's errors carry `inner`, or `failures` where many rows were asked for, or are DOMExceptions; anything else was thrown by a caller's own code. */
function isOfDatabase(error: unknown): boolean {
  if (typeof DOMException !== 'undefined' && error instanceof DOMException) return true
  return error instanceof Object && ('inner' in error || 'failures' in error)
}
