/** Lists the files of the repository that the rules of the house speak of. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', 'coverage'])

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** Every file under `folder` (a path from the root) whose path matches, in order. */
export function filesUnder(folder: string, pattern: RegExp): readonly SourceFile[] {
  return pathsUnder(join(ROOT, folder))
    .map((path) => relative(ROOT, path).split(sep).join('/'))
    .filter((path) => pattern.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** Names of the packages, from their folders. */
export function packageNames(): readonly string[] {
  return readdirSync(join(ROOT, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
}

function pathsUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? pathsUnder(path) : [path]
  })
}
