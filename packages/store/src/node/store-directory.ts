/** The folder of a store: a marker file that says what it is, and of which format, before anything else in it is touched. */

import { access, constants, mkdir, open, readdir, readFile, realpath, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SyncError } from '@tidemail/core'
import { tooNew } from '../store-errors.ts'

const MARKER_FILE = 'tidemail.json'
/** The marker of a store that is being made. */
const DRAFT_FILE = `${MARKER_FILE}.tmp`
const MARKER_FORMAT = 'tidemail-store'
/** The number of the layout of the folder. 1: rows in LevelDB under `levels`, bodies as files under `bodies`. */
export const DIRECTORY_VERSION = 1

export interface StoreDirectory {
  /** By its one real name. */
  readonly directory: string
  readonly levels: string
  readonly bodies: string
  /** Whether nothing was ever kept here: until it is sealed. */
  readonly isNew: boolean
  /** Says that the store is made: from now on what is missing is lost. */
  seal(): Promise<void>
}

/**
 * Checks the folder, or makes it.
 * @throws SyncError `input.no-store` when it is none and none may be made, `store.corrupt`, `store.too-new`, `store.read-only`, `store.full`
 */
export async function prepareDirectory(directory: string, options: { readonly create: boolean }): Promise<StoreDirectory> {
  try {
    const names = await namesIn(directory)
    const isNew = names?.includes(MARKER_FILE) !== true
    if (isNew) {
      refuseUnlessEmpty(directory, names ?? [], { ...options, isThere: names !== null })
      await makeDirectory(directory)
      await writeDraft(directory)
    } else checkMarker(await readFile(join(directory, MARKER_FILE), 'utf8'))
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    // LevelDB knows its lock by the name of the file: under another name the same process would open it twice.
    const real = await realpath(directory)
    const paths = { directory: real, levels: join(real, 'levels'), bodies: join(real, 'bodies') }
    await makeDirectory(paths.bodies)
    await makeDirectory(paths.levels)
    return { ...paths, isNew, seal: () => (isNew ? seal(real) : Promise.resolve()) }
  } catch (error) {
    throw fileError(error)
  }
}

/** The error of the catalogue for what the file system said. */
export function fileError(error: unknown): unknown {
  if (error instanceof SyncError) return error
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SyncError('store.read-only', 'The store cannot be created or written there.', { cause: error })
    case 'ENOSPC':
    case 'EDQUOT':
      return new SyncError('store.full', 'The disk is full.', { cause: error })
    case 'ENOTDIR':
    case 'EEXIST':
      return new SyncError('input.no-store', 'That is no folder.', { cause: error })
    default:
      return code === undefined ? error : new SyncError('store.io', `The disk failed (${code}).`, { cause: error })
  }
}

/**
 * Makes a folder, and those above it, where they are missing. Node's own recursion never ends on a file system that answers "no such file" whatever is
 * made first.
 */
export async function makeDirectory(directory: string): Promise<'made' | 'there'> {
  try {
    await mkdir(directory, { mode: 0o700 })
    // Without this a crash of the machine could take the folder with all that is synced in it.
    await syncDirectory(dirname(directory))
    return 'made'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(directory)).isDirectory()) return 'there'
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error
    if ((await makeDirectory(dirname(directory))) === 'made') return makeDirectory(directory)
    throw new SyncError('store.read-only', 'The store cannot be created there.', { cause: error })
  }
}

/** A rename or a new file survives a crash only when its folder is synced too. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function namesIn(directory: string): Promise<string[] | null> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * A folder with our parts but without the marker was a store once: it is kept. Beside the draft of a marker they are what is left of a store that
 * was never made to the end, in which nobody has kept anything.
 */
function refuseUnlessEmpty(
  directory: string,
  names: readonly string[],
  { create, isThere }: { readonly create: boolean; readonly isThere: boolean },
): void {
  const isHalfMade = names.includes(DRAFT_FILE)
  if (!isHalfMade && (names.includes('levels') || names.includes('bodies'))) {
    throw new SyncError('store.corrupt', `The store in ${directory} has lost its ${MARKER_FILE}; it is kept as it is.`)
  }
  if (names.some((name) => ![DRAFT_FILE, 'levels', 'bodies'].includes(name))) {
    throw new SyncError('input.no-store', `The folder ${directory} holds other files, and no store.`, {
      hint: 'Name an empty folder, or one that does not exist yet.',
    })
  }
  if (create) return
  throw new SyncError('input.no-store', isThere ? `The folder ${directory} is empty.` : `There is no folder ${directory}.`)
}

function checkMarker(text: string): void {
  const { format, version } = parseMarker(text)
  if (format !== MARKER_FORMAT || typeof version !== 'number' || version < 1) {
    throw new SyncError('store.corrupt', `The ${MARKER_FILE} of the store cannot be understood.`)
  }
  if (version > DIRECTORY_VERSION) throw tooNew()
}

function parseMarker(text: string): { readonly format?: unknown; readonly version?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return value instanceof Object ? value : {}
  } catch {
    return {}
  }
}

async function writeDraft(directory: string): Promise<void> {
  const file = await open(join(directory, DRAFT_FILE), 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ format: MARKER_FORMAT, version: DIRECTORY_VERSION })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncDirectory(directory)
}

async function seal(directory: string): Promise<void> {
  try {
    await rename(join(directory, DRAFT_FILE), join(directory, MARKER_FILE))
    await syncDirectory(directory)
  } catch (error) {
    throw fileError(error)
  }
}
