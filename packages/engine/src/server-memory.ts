/** Keeps with the account what was learnt of its server, over sessions and processes (FIELD-5). */

import {
  type AccountId,
  type AccountRecord,
  type Clock,
  type MessageStore,
  NO_CAPABILITIES,
  type Remote,
  type RemoteSession,
  type ServerProfile,
  type WatchRenewal,
} from '@tidemail/core'
import { trustedServer } from '@tidemail/planner'
import { renewalNow } from './watch-renewal.ts'

/** Of the time for which the server keeps an idle connection, so much is used; and no watch is shorter than this. */
const IDLE_SHARE = 0.8
const WATCH_MS_MIN = 10_000

export interface ServerMemoryOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly clock: Pick<Clock, 'now'>
  /** What the app knows of the server. */
  readonly serverProfile: ServerProfile | null
}

/** What a session found, with what was learnt before and still holds. */
export async function serverNow(
  { accountId, clock, serverProfile, store }: ServerMemoryOptions,
  found: ServerProfile,
): Promise<{ readonly account: AccountRecord | undefined; readonly server: ServerProfile }> {
  const account = await accountOf(store, accountId)
  return { account, server: trustedServer(found, [account?.server, serverProfile], clock.now()) }
}

/** Connects, and tells the session what earlier ones have learnt: what not to use, and how the server writes its names. */
export async function connectKnowing(
  options: ServerMemoryOptions & { readonly remote: Remote },
  signal: AbortSignal,
): Promise<RemoteSession> {
  const { distrusted, oddNames } = (await serverNow(options, NO_CAPABILITIES)).server
  return options.remote.connect(signal, distrusted, oddNames)
}

/** Writes it, where it is new. */
export async function rememberServer(options: ServerMemoryOptions, found: ServerProfile): Promise<void> {
  const { account, server } = await serverNow(options, found)
  if (account === undefined || JSON.stringify(account.server) === JSON.stringify(server)) return
  const write = { kind: 'put-account' as const, account: { ...account, server } }
  await options.store.commit({ reason: 'remember what the server can do', expect: {}, writes: [write] })
}

/** How long a connection may idle before the server is known to drop it, in milliseconds. */
export async function watchMsMax({ accountId, store }: ServerMemoryOptions): Promise<number> {
  const idleMs = (await accountOf(store, accountId))?.server?.measured?.idleMs ?? null
  return idleMs === null ? Number.POSITIVE_INFINITY : Math.max(WATCH_MS_MIN, idleMs * IDLE_SHARE)
}

/** How often a connection that waits is spoken to, as of now. */
export async function renewalOf(options: ServerMemoryOptions): Promise<WatchRenewal> {
  const { server } = await serverNow(options, NO_CAPABILITIES)
  return renewalNow(server.renewal ?? null, { now: options.clock.now(), idleMsMax: await watchMsMax(options) })
}

/** Keeps what waiting has taught. */
export async function rememberRenewal(options: ServerMemoryOptions, renewal: WatchRenewal): Promise<void> {
  const account = await accountOf(options.store, options.accountId)
  if (account?.server === undefined || account.server === null) return
  const before = await renewalOf(options)
  if (before.renewalMs === renewal.renewalMs && before.fatalMs === renewal.fatalMs) return
  const write = { kind: 'put-account' as const, account: { ...account, server: { ...account.server, renewal } } }
  await options.store.commit({ reason: 'remember how long a connection may be silent', expect: {}, writes: [write] })
}

/** Keeps what the server said of its namespaces, and how it writes names. */
export async function rememberNames(
  { accountId, store }: Pick<ServerMemoryOptions, 'accountId' | 'store'>,
  learnt: Pick<ServerProfile, 'namespaces' | 'oddNames'>,
): Promise<void> {
  const account = await accountOf(store, accountId)
  if (account?.server === undefined || account.server === null) return
  const write = { kind: 'put-account' as const, account: { ...account, server: { ...account.server, ...learnt } } }
  await store.commit({ reason: 'remember how mailboxes are named', expect: {}, writes: [write] })
}

/** Keeps with the account what an examination found, in place of what an earlier one did. */
export async function keepServerProfile(
  store: MessageStore,
  accountId: AccountId,
  { profile, now }: { readonly profile: ServerProfile; readonly now: number },
): Promise<void> {
  const account = await accountOf(store, accountId)
  if (account === undefined) return
  const before = account.server ?? NO_CAPABILITIES
  const met = { ...before, distrusted: before.distrusted.filter(({ learntBy }) => learntBy === 'synchronisation') }
  const write = { kind: 'put-account' as const, account: { ...account, server: trustedServer(profile, [met], now) } }
  await store.commit({ reason: 'keep what an examination found of the server', expect: {}, writes: [write] })
}

async function accountOf(store: MessageStore, accountId: AccountId): Promise<AccountRecord | undefined> {
  return (await store.planning.accounts()).find((record) => record.id === accountId)
}
