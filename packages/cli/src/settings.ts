/** Decides how to reach the account: options before TIDEMAIL_* variables before the config file before what the store keeps. */

import { isIP } from 'node:net'
import { SyncError } from '@tidemail/core'

export type Security = 'tls' | 'starttls' | 'none'
export type Bodies = 'none' | 'text' | 'all'
export const SECURITIES: readonly Security[] = ['tls', 'starttls', 'none']
export const BODIES: readonly Bodies[] = ['none', 'text', 'all']

/** What one place says about the account. Paths are absolute. */
export interface SettingsLayer {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly security?: Security
  /** Path of a PEM file with the authorities to trust. */
  readonly ca?: string
  readonly allowCleartext?: boolean
  readonly bodies?: Bodies
  /** Which messages to keep, as `last-days:30`. */
  readonly hold?: string
  readonly secret?: SecretSource
}

/** Where the password comes from. The password itself is read when the connection is made, and kept nowhere. */
export type SecretSource =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string }

/** Everything a connection needs. */
export interface AccountSettings {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly security: Security
  readonly ca: string | null
  readonly allowCleartext: boolean
  readonly bodies: Bodies | null
  readonly hold: string | null
  readonly secret: SecretSource | null
}

/** In order of rank. */
export interface SettingsLayers {
  readonly options: SettingsLayer
  readonly variables: SettingsLayer
  readonly config: SettingsLayer
  readonly store: SettingsLayer
}

/**
 * Joins what the places say.
 * @throws SyncError `account.configuration` when host or user is missing, `remote.cleartext-refused` when the password would go in clear
 */
export function resolveSettings({ options, variables, config, store }: SettingsLayers): AccountSettings {
  const named: SettingsLayer = { ...config, ...variables, ...options }
  // A port belongs to its kind of security: 993 must not outlive a change to STARTTLS.
  const isSameSecurity = named.security === undefined || named.security === store.security
  const { port: _port, ...portless } = store
  const joined: SettingsLayer = { ...(isSameSecurity ? store : portless), ...named }
  const security = joined.security ?? 'tls'
  const host = joined.host ?? missing('host')
  const settings: AccountSettings = {
    host,
    port: joined.port ?? (security === 'tls' ? 993 : 143),
    user: joined.user ?? missing('user'),
    security,
    ca: joined.ca ?? null,
    allowCleartext: joined.allowCleartext ?? false,
    bodies: joined.bodies ?? null,
    hold: joined.hold ?? null,
    secret: joined.secret ?? null,
  }
  if (security === 'none' && !settings.allowCleartext && !isLoopback(host)) {
    throw new SyncError('remote.cleartext-refused', `The password would go to ${host} in clear.`)
  }
  return settings
}

/** Whether what is named by hand can be the account that the store holds. @throws SyncError `account.mismatch` */
export function requireSameAccount(named: SettingsLayer, account: { readonly host: string; readonly user: string }): void {
  const sameHost = named.host === undefined || named.host.toLowerCase() === account.host.toLowerCase()
  const sameUser = named.user === undefined || named.user === account.user
  if (sameHost && sameUser) return
  const other = `${named.user ?? account.user} at ${named.host ?? account.host}`
  throw new SyncError('account.mismatch', `The store belongs to ${account.user} at ${account.host}, not to ${other}.`)
}

/** Whether what is sent to the host stays on this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

function missing(what: 'host' | 'user'): never {
  throw new SyncError('account.configuration', `The ${what} of the mail account is not known.`, {
    hint: `Give --${what}, set TIDEMAIL_${what.toUpperCase()}, or write it in the config file.`,
  })
}
