/** Reads the settings of an account from where they may stand: TIDEMAIL_* variables, a config file, the record in the store. */

import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Json, SyncError } from '@tidemail/core'
import { parseHold } from './hold-setting.ts'
import { type AccountSettings, BODIES, type Bodies, SECURITIES, type Security, type SettingsLayer } from './settings.ts'

type Variables = Readonly<Record<string, string | undefined>>
type Values = Readonly<Record<string, unknown>>

/** What a config file may say. There is no `password`: a secret has no place in it. */
const CONFIG_KEYS = [
  'store',
  'host',
  'port',
  'user',
  'security',
  'ca',
  'allowCleartext',
  'bodies',
  'hold',
  'passwordFile',
  'passwordCommand',
] as const

export interface Config {
  readonly layer: SettingsLayer
  /** Absolute. */
  readonly store: string | null
}

const NO_CONFIG: Config = { layer: {}, store: null }

/** @throws SyncError `account.configuration` */
export function variablesLayer(variables: Variables, folder: string): SettingsLayer {
  const values: Record<string, unknown> = {
    host: variables['TIDEMAIL_HOST'],
    port: wholeNumber(variables['TIDEMAIL_PORT']),
    user: variables['TIDEMAIL_USER'],
    security: variables['TIDEMAIL_SECURITY'],
    ca: variables['TIDEMAIL_CA'],
    allowCleartext: { '1': true, true: true, '0': false, false: false }[variables['TIDEMAIL_ALLOW_CLEARTEXT'] ?? ''],
    bodies: variables['TIDEMAIL_BODIES'],
    hold: variables['TIDEMAIL_HOLD'],
    passwordFile: variables['TIDEMAIL_PASSWORD_FILE'],
    passwordCommand: variables['TIDEMAIL_PASSWORD_COMMAND'],
  }
  const layer = layerOf(withoutEmpty(values), { origin: 'the TIDEMAIL_* variables', folder })
  if (!isGiven(variables['TIDEMAIL_PASSWORD'])) return layer
  if (layer.secret !== undefined) throw severalSecrets('the TIDEMAIL_* variables')
  return { ...layer, secret: { kind: 'variable', name: 'TIDEMAIL_PASSWORD' } }
}

/**
 * The config file that was named, or else `$XDG_CONFIG_HOME/tidemail/config.json` where there is one.
 * @throws SyncError `input.file-missing`, `account.configuration`
 */
export async function readConfig(named: string | null, variables: Variables): Promise<Config> {
  const home = variables['XDG_CONFIG_HOME'] || join(variables['HOME'] || homedir(), '.config')
  const path = named ?? join(home, 'tidemail', 'config.json')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (named === null) return null
    throw new SyncError('input.file-missing', `The config file ${path} cannot be read.`, { cause })
  })
  return text === null ? NO_CONFIG : parseConfig(text, path)
}

/** What the store keeps of the account: no secret, only where it is read from. @throws SyncError `account.configuration` */
export function storeLayer(account: { readonly host: string; readonly user: string; readonly settings: Json }): SettingsLayer {
  const { settings } = account
  const values = typeof settings === 'object' && settings !== null && !Array.isArray(settings) ? (settings as Values) : {}
  const layer = layerOf(withoutEmpty(values), { origin: 'the settings in the store', folder: '/' })
  return { ...layer, host: account.host, user: account.user }
}

/** The settings as the store keeps them. */
export function settingsToKeep({ port, security, ca, allowCleartext, bodies, hold, secret }: AccountSettings): Json {
  return {
    port,
    security,
    allowCleartext,
    ...(ca === null ? {} : { ca }),
    ...(bodies === null ? {} : { bodies }),
    ...(hold === null ? {} : { hold }),
    ...(secret?.kind === 'file' ? { passwordFile: secret.path } : {}),
    ...(secret?.kind === 'command' ? { passwordCommand: secret.command } : {}),
  }
}

/** What the options say about the account, as they were typed. @throws SyncError `account.configuration` */
export function optionsLayer(options: Values, folder: string): SettingsLayer {
  return layerOf(withoutEmpty(options), { origin: 'the options', folder })
}

function parseConfig(text: string, path: string): Config {
  const origin = `the config file ${path}`
  let values: Values
  try {
    values = JSON.parse(text) as Values
  } catch (cause) {
    throw new SyncError('account.configuration', `JSON cannot be read in ${origin}.`, { cause })
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new SyncError('account.configuration', `There is no JSON object in ${origin}.`)
  }
  const unknown = Object.keys(values).find((key) => !CONFIG_KEYS.some((known) => known === key))
  if (unknown !== undefined) {
    throw new SyncError('account.configuration', `"${unknown}" is no setting, in ${origin}.`, {
      hint: `The settings are ${CONFIG_KEYS.join(', ')}.`,
    })
  }
  const folder = dirname(path)
  const store = textOf(values, 'store', origin)
  return { layer: layerOf(values, { origin, folder }), store: store === undefined ? null : resolve(folder, store) }
}

interface Origin {
  /** For messages. */
  readonly origin: string
  /** What relative paths start from. */
  readonly folder: string
}

function layerOf(values: Values, { origin, folder }: Origin): SettingsLayer {
  const file = textOf(values, 'passwordFile', origin)
  const command = textOf(values, 'passwordCommand', origin)
  if (file !== undefined && command !== undefined) throw severalSecrets(origin)
  const ca = textOf(values, 'ca', origin)
  const host = textOf(values, 'host', origin)
  const user = textOf(values, 'user', origin)
  const port = values['port']
  const security = values['security']
  const bodies = values['bodies']
  const hold = textOf(values, 'hold', origin)
  const allowCleartext = values['allowCleartext']
  if (port !== undefined && !isPort(port)) throw badValue('port', port, origin)
  if (security !== undefined && !isSecurity(security)) throw badValue('security', security, origin)
  if (bodies !== undefined && !isBodies(bodies)) throw badValue('bodies', bodies, origin)
  if (hold !== undefined && parseHold(hold) === null) throw badValue('hold', hold, origin)
  if (allowCleartext !== undefined && typeof allowCleartext !== 'boolean')
    throw badValue('allowCleartext', allowCleartext, origin)
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(security === undefined ? {} : { security }),
    ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
    ...(allowCleartext === undefined ? {} : { allowCleartext }),
    ...(bodies === undefined ? {} : { bodies }),
    ...(hold === undefined ? {} : { hold }),
    ...(file === undefined ? {} : { secret: { kind: 'file', path: resolve(folder, file) } }),
    ...(command === undefined ? {} : { secret: { kind: 'command', command } }),
  }
}

function textOf(values: Values, key: string, origin: string): string | undefined {
  const value = values[key]
  if (value === undefined) return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character in a host or user would reach the wire.
  if (typeof value !== 'string' || value === '' || /[\u0000-\u001f\u007f]/.test(value)) throw badValue(key, value, origin)
  return value
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535
}

function isSecurity(value: unknown): value is Security {
  return SECURITIES.some((security) => security === value)
}

function isBodies(value: unknown): value is Bodies {
  return BODIES.some((bodies) => bodies === value)
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

function wholeNumber(text: string | undefined): number | string | undefined {
  return isGiven(text) && /^\d{1,5}$/.test(text) ? Number(text) : text
}

function withoutEmpty(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ''))
}

function badValue(key: string, value: unknown, origin: string): SyncError {
  return new SyncError('account.configuration', `${JSON.stringify(value)} cannot be the ${key}, in ${origin}.`)
}

function severalSecrets(origin: string): SyncError {
  return new SyncError('account.configuration', `More than one place to read the password from is named, in ${origin}.`, {
    hint: 'Name one of: a password file, a password command, TIDEMAIL_PASSWORD.',
  })
}
