/** Brings together what the options, the variables and the config file say, before any store is opened. */

import { resolve } from 'node:path'
import { SyncError } from '@tidemail/core'
import { holdSetting } from './hold-setting.ts'
import type { SettingsLayer } from './settings.ts'
import { optionsLayer, readConfig, variablesLayer } from './settings-sources.ts'
import type { VerbContext } from './verb.ts'

export interface Setup {
  /** The folder of the store, absolute. */
  readonly directory: string
  readonly options: SettingsLayer
  readonly variables: SettingsLayer
  readonly config: SettingsLayer
  /** How long the mail server may be silent; null for the default. */
  readonly timeoutMs: number | null
}

/** @throws SyncError `input.usage`, `input.file-missing`, `account.configuration` */
export async function readSetup({ options, terminal }: VerbContext): Promise<Setup> {
  const { variables, folder } = terminal
  const named = options.config === undefined ? null : resolve(folder, options.config)
  const config = await readConfig(named, variables)
  const store = options.store ?? (variables['TIDEMAIL_STORE'] || undefined)
  const directory = store === undefined ? config.store : resolve(folder, store)
  if (directory === null) {
    throw new SyncError('input.usage', 'The folder of the store is not named.', {
      hint: 'Give --store DIR, or set TIDEMAIL_STORE.',
    })
  }
  const { host, port, user, security, ca, allowCleartext, bodies, passwordFile, passwordCommand } = options
  const kept = { bodies: options.headersOnly === true ? 'none' : bodies, hold: holdSetting(options) }
  const typed = { host, port, user, security, ca, allowCleartext, ...kept, passwordFile, passwordCommand }
  return {
    directory,
    options: optionsLayer(typed, folder),
    variables: variablesLayer(variables, folder),
    config: config.layer,
    timeoutMs: options.timeout === undefined ? deadlineOf(variables) : options.timeout * 1_000,
  }
}

/** What the options, variables and config file say together, without the store. */
export function namedSettings({ options, variables, config }: Setup): SettingsLayer {
  return { ...config, ...variables, ...options }
}

function deadlineOf(variables: Readonly<Record<string, string | undefined>>): number | null {
  const text = variables['TIDEMAIL_STEP_DEADLINE_MS'] ?? ''
  if (text === '') return null
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new SyncError('account.configuration', `"${text.slice(0, 60)}" cannot be TIDEMAIL_STEP_DEADLINE_MS.`, {
      hint: 'Write a whole number of milliseconds.',
    })
  }
  return Number(text)
}
