/** Reads and writes the file that keeps what an examination found of a mail server. */

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type ServerProfile, SyncError } from '@tidemail/core'
import { readServerProfile, writeServerProfile } from '@tidemail/engine'
import type { VerbContext } from './verb.ts'

/** @throws SyncError `input.file-missing`, `account.configuration` */
export async function readProfileFile({ terminal }: VerbContext, file: string): Promise<ServerProfile> {
  const text = await readFile(resolve(terminal.folder, file), 'utf8').catch((cause: unknown) => {
    throw new SyncError('input.file-missing', `The profile ${file} cannot be read.`, { cause })
  })
  return readServerProfile(text)
}

/** @throws SyncError `store.read-only` */
export async function writeProfileFile({ terminal }: VerbContext, file: string, profile: ServerProfile): Promise<void> {
  await writeFile(resolve(terminal.folder, file), writeServerProfile(profile)).catch((cause: unknown) => {
    throw new SyncError('store.read-only', `The profile cannot be written to ${file}.`, { cause })
  })
}
