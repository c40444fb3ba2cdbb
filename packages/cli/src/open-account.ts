/** Opens the store of a folder, waits a moment while another process uses it, and starts the engine of its account. */

import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AccountId,
  type AccountRecord,
  accountId,
  type MessageStore,
  type Remote,
  type ServerProfile,
  SyncError,
} from '@tidemail/core'
import { createMailEngine, type LogEvent, type MailEngine, type Policy } from '@tidemail/engine'
import { isOwnerListening } from './hand-over.ts'
import { parseHold } from './hold-setting.ts'
import { makeFolder } from './make-folder.ts'
import { type AccountSettings, requireSameAccount, type SettingsLayer } from './settings.ts'
import { settingsToKeep } from './settings-sources.ts'

/** Another command may be about to end: so long is waited for it, unless it is a running sync. */
const STORE_BUSY_MS_MAX = 10_000
const STORE_BUSY_POLL_MS = 50
/** The command line keeps one account in a store. */
const ACCOUNT_ID = accountId('account')

export interface OpenAccount {
  readonly store: MessageStore
  readonly engine: MailEngine
  readonly accountId: AccountId
  /** How the server is reached; null for what works offline. */
  readonly settings: AccountSettings | null
}

export interface AccountOptions {
  /** What was said about the account by hand: another one than the store's is refused. */
  readonly named: SettingsLayer
  /** Null for what works offline. */
  readonly connection: Connection | null
  /** What is known of the server beforehand. */
  readonly serverProfile?: ServerProfile
  /** What the verb wants besides what the settings say. */
  readonly policy?: Partial<Policy>
  readonly log: (event: LogEvent) => void
}

/** How the mail server is reached, once it is known what the store keeps. */
export interface Connection {
  settings(record: AccountRecord | null): AccountSettings
  remote(settings: AccountSettings): Promise<Remote>
}

/** @throws SyncError `store.*`, `input.no-store`, `engine.aborted` */
export async function openStore(directory: string, mode: 'create' | 'existing', signal: AbortSignal): Promise<MessageStore> {
  // Loaded here: a command line that is not understood needs no database.
  const { openNodeMessageStore } = await import('@tidemail/store/node')
  if (mode === 'create') await makeFolder(directory)
  for (let waitedMs = 0; ; waitedMs += STORE_BUSY_POLL_MS) {
    try {
      return await openNodeMessageStore({ directory, create: mode === 'create' })
    } catch (error) {
      const isBusy = error instanceof SyncError && error.code === 'store.in-use'
      if (!isBusy || waitedMs >= STORE_BUSY_MS_MAX || (await isOwnerListening(directory))) throw error
    }
    await sleep(STORE_BUSY_POLL_MS)
    if (signal.aborted) throw new SyncError('engine.aborted', 'The command was interrupted.')
  }
}

/** Starts the engine on the store for as long as `use` takes, and closes both whatever happens. */
export async function useAccount<T>(
  store: MessageStore,
  options: AccountOptions,
  use: (account: OpenAccount) => Promise<T>,
): Promise<T> {
  try {
    const account = await openAccount(store, options)
    try {
      return await use(account)
    } finally {
      await account.engine.close()
    }
  } finally {
    await store.close()
  }
}

/** Keeps the settings that have proved right, for the next time. */
export async function keepSettings({ store, accountId: id, settings }: OpenAccount): Promise<void> {
  const record = (await store.planning.accounts()).find((account) => account.id === id)
  if (record === undefined || settings === null) return
  const account = { ...record, settings: settingsToKeep(settings) }
  if (JSON.stringify(account.settings) === JSON.stringify(record.settings)) return
  await store.commit({ reason: 'keep the settings of the account', expect: {}, writes: [{ kind: 'put-account', account }] })
}

/** What the commands that need no network give to {@link useAccount}. */
export function offline(named: SettingsLayer): AccountOptions {
  return { named, connection: null, log: () => undefined }
}

async function openAccount(store: MessageStore, options: AccountOptions): Promise<OpenAccount> {
  const { named, connection, log, serverProfile } = options
  const record = await accountOf(store, named)
  const settings = connection === null ? null : connection.settings(record)
  const isProved = record !== null && record.server !== null
  // Until a connection has proved them right, new settings do not take the place of those that are kept.
  const kept =
    settings === null || isProved ? record : { host: settings.host, user: settings.user, settings: settingsToKeep(settings) }
  if (kept === null) {
    throw new SyncError('account.configuration', 'The store holds no account yet.', {
      hint: 'Run `tidemail sync` with --host, --user and a password first.',
    })
  }
  // An account that was never reached holds nothing: a mistyped host must not stay in the way of the right one.
  const isOther = record !== null && (record.host !== kept.host || record.user !== kept.user)
  if (isOther && record.server === null) await store.wipe(record.id)
  const id = record?.id ?? ACCOUNT_ID
  const remote = connection === null || settings === null ? NO_REMOTE : await connection.remote(settings)
  const account = { id, host: kept.host, user: kept.user, settings: kept.settings }
  const policy = { ...(settings === null ? {} : policyOf(settings)), ...options.policy }
  const known = serverProfile === undefined ? {} : { serverProfile }
  const engine = await createMailEngine({ store, remote, account, policy, log, ...known })
  return { store, engine, accountId: id, settings }
}

/** `all` leaves out nothing: by no other way could the command come by a large part or an old text. */
function policyOf({ bodies, hold: setting }: AccountSettings): Partial<Policy> {
  const hold = setting === null ? null : parseHold(setting)
  const held = hold === null ? {} : { hold }
  if (bodies === null) return held
  if (bodies !== 'all') return { ...held, bodies }
  return { ...held, bodies, partBytesMax: Number.MAX_SAFE_INTEGER, newestMessages: Number.MAX_SAFE_INTEGER }
}

/**
 * The account that the store holds, when it is the one that is named; null when it holds none yet.
 * @throws SyncError `account.mismatch`
 */
async function accountOf(store: MessageStore, named: SettingsLayer): Promise<AccountRecord | null> {
  const [record] = await store.planning.accounts()
  if (record === undefined) return null
  if (record.server === null) return record
  requireSameAccount(named, record)
  return record
}

/** The remote of commands that need no network. */
const NO_REMOTE: Remote = {
  async connect() {
    throw new SyncError('engine.bug', 'A command that works offline asked for the network.')
  },
}
