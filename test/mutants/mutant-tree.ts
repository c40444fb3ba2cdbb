/** Makes a copy of the tree that can be broken without harm, and breaks it at one place at a time. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const LEFT_BEHIND = ['.git', 'node_modules', 'dist', '.turbo', 'coverage']

/** An exact piece of the source, which stands once in its file, and what to put in its place. */
export interface Breakage {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A copy whose packages find each other, and not those of the original; libraries are shared. The caller removes it. */
export function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'tidemail-mutants-'))
  cpSync(ROOT, tree, { recursive: true, filter: (path) => !LEFT_BEHIND.includes(basename(path)) })
  linkLibraries(ROOT, tree)
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    linkLibraries(join(ROOT, 'packages', name), join(tree, 'packages', name))
    const manifest = JSON.parse(readFileSync(join(tree, 'packages', name, 'package.json'), 'utf8')) as { readonly name: string }
    mkdirSync(dirname(join(tree, 'node_modules', manifest.name)), { recursive: true })
    symlinkSync(join(tree, 'packages', name), join(tree, 'node_modules', manifest.name))
  }
  return tree
}

/** What the task finds in the broken tree, which is mended afterwards; null where the source has no such place, or more than one. */
export function whileBroken<T>(tree: string, { file, find, replace }: Breakage, task: () => T): T | null {
  const path = join(tree, file)
  const source = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (source.split(find).length !== 2) return null
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
  try {
    return task()
  } finally {
    writeFileSync(path, source)
  }
}

function linkLibraries(from: string, to: string): void {
  if (!existsSync(join(from, 'node_modules'))) return
  mkdirSync(join(to, 'node_modules'))
  for (const name of readdirSync(join(from, 'node_modules'))) {
    const isOurs = name.startsWith('.') || name === '@tidemail' || name === 'tidemail'
    if (!isOurs) symlinkSync(join(from, 'node_modules', name), join(to, 'node_modules', name))
  }
}
