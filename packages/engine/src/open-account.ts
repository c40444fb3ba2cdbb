/** Finds the account in the store, or makes it. */

import { SyncError } from '@tidemail/core'
import type { MailEngineOptions } from './api.ts'

/**
 * Makes the account if it is new. Answers when it was last fully synchronised.
 * @throws SyncError `account.mismatch` when the store keeps another host or user under this id
 */
export async function openAccount({ store, account }: MailEngineOptions): Promise<number | null> {
  const existing = (await store.planning.accounts()).find((record) => record.id === account.id)
  if (existing !== undefined && (existing.host !== account.host || existing.user !== account.user)) {
    throw new SyncError(
      'account.mismatch',
      `The store keeps ${existing.user} at ${existing.host}, not ${account.user} at ${account.host}.`,
      {
        hint: 'Use another store for another account.',
      },
    )
  }
  const settings = account.settings ?? existing?.settings ?? null
  const syncedAt = existing?.syncedAt ?? null
  if (existing !== undefined && JSON.stringify(existing.settings) === JSON.stringify(settings)) return syncedAt
  const { id, host, user } = account
  const record = { id, host, user, settings, server: existing?.server ?? null, syncedAt }
  await store.commit({ reason: 'open the account', expect: {}, writes: [{ kind: 'put-account', account: record }] })
  return syncedAt
}
