/** Makes of whatever was thrown the one error that an app is told. */

import { SyncError } from '@tidemail/core'

export function asSyncError(error: unknown): SyncError {
  return error instanceof SyncError ? error : new SyncError('engine.bug', 'Something unexpected happened.', { cause: error })
}
