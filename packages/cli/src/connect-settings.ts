/** Makes the connection of an account out of what the options, variables, config file and store say. */

import { readFile } from 'node:fs/promises'
import { type Remote, SyncError } from '@tidemail/core'
import type { Connection } from './open-account.ts'
import { readSecret } from './secret.ts'
import { type AccountSettings, resolveSettings } from './settings.ts'
import { storeLayer } from './settings-sources.ts'
import type { Setup } from './setup.ts'

/** @throws SyncError `account.configuration`, `remote.cleartext-refused`, `input.file-missing` */
export function connectionOf(setup: Setup, variables: Readonly<Record<string, string | undefined>>): Connection {
  return {
    settings: (record) => resolveSettings({ ...setup, store: record === null ? {} : storeLayer(record) }),
    remote: (settings) => remoteOf(settings, setup.timeoutMs, variables),
  }
}

async function remoteOf(
  { host, port, user, security, ca, allowCleartext, secret }: AccountSettings,
  timeoutMs: number | null,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Remote> {
  const authorities = ca === null ? null : await readAuthorities(ca)
  // Loaded here: the commands that work offline start without it.
  const { imapRemote } = await import('@tidemail/imap')
  return imapRemote({
    host,
    port,
    user,
    security,
    allowCleartext: allowCleartext || security === 'none',
    secret: () => readSecret(secret, variables),
    ...(authorities === null ? {} : { ca: authorities }),
    ...(timeoutMs === null ? {} : { stepDeadlineMs: timeoutMs, connectDeadlineMs: timeoutMs }),
  })
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SyncError('input.file-missing', `The file of authorities ${path} cannot be read.`, { cause })
  })
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new SyncError('account.configuration', `There is no PEM certificate in ${path}.`)
  }
  return text
}
