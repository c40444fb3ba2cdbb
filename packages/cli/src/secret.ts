/** Reads the password, at the moment the connection is made, from where the settings say it is. */

import { type ExecFileException, execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { SyncError } from '@tidemail/core'
import type { SecretSource } from './settings.ts'

/** A password, or a token, is never longer. */
const SECRET_OCTETS_MAX = 65_536
/** A password command may ask a person to unlock a vault. */
const PASSWORD_COMMAND_MS_MAX = 60_000

/** @throws SyncError `account.missing-secret`, `input.file-missing` */
export async function readSecret(
  source: SecretSource | null,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (source === null) throw new SyncError('account.missing-secret', 'No password is configured, and the network is needed.')
  const secret = withoutLineEnd(await read(source, variables))
  if (secret === '') throw new SyncError('account.missing-secret', `${placeOf(source)} holds no password.`)
  return secret
}

async function read(source: SecretSource, variables: Readonly<Record<string, string | undefined>>): Promise<string> {
  switch (source.kind) {
    case 'variable':
      return variables[source.name] ?? ''
    case 'file':
      return readStart(source.path)
    case 'command':
      return outputOf(source.command)
  }
}

async function readStart(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(SECRET_OCTETS_MAX), 0, SECRET_OCTETS_MAX, null)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new SyncError('input.file-missing', `The password file ${path} cannot be read.`, { cause })
  }
}

function outputOf(command: string): Promise<string> {
  const options = { timeout: PASSWORD_COMMAND_MS_MAX, maxBuffer: SECRET_OCTETS_MAX, encoding: 'utf8' } as const
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', command], options, (error, output) => {
      if (error === null) return resolve(output)
      // The cause is left out: the error of a child carries what it printed.
      reject(
        new SyncError('account.missing-secret', `The password command ${endOf(error)}.`, {
          hint: 'Run the password command by hand: it must print the password and end with status 0.',
        }),
      )
    })
  })
}

function endOf({ code, killed, signal }: ExecFileException): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${SECRET_OCTETS_MAX} octets`
  if (killed === true) return `did not end within ${PASSWORD_COMMAND_MS_MAX / 1_000} seconds`
  return typeof signal === 'string' ? `was killed by ${signal}` : `failed with status ${String(code)}`
}

/** The last line break is the editor's, not the password's. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function placeOf(source: SecretSource): string {
  if (source.kind === 'variable') return source.name
  return source.kind === 'file' ? `The password file ${source.path}` : 'The output of the password command'
}
