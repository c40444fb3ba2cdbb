/** Holds the direction of imports of docs/ARCHITECTURE.md, and shows that a forbidden import is found. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { inspectLayers, MAY_IMPORT } from './layer-laws.ts'
import { filesUnder, packageNames, ROOT } from './source-files.ts'

describe('the layers of the house', () => {
  it('are kept by every import, in every source there is', async () => {
    const { breaches, seen } = await inspectLayers(ROOT)
    expect(breaches).toEqual([])
    // A checker that looked at nothing finds nothing: what it saw is compared with a listing of the disk, package by package.
    for (const name of packageNames()) {
      const onDisk = filesUnder(`packages/${name}/src`, /\.ts$/).map((file) => file.path)
      expect(onDisk.length, `sources of ${name}`).toBeGreaterThan(0)
      expect(seen.filter((path) => path.startsWith(`packages/${name}/`)).sort(), `sources seen of ${name}`).toEqual(onDisk)
    }
    expect([...packageNames()].sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  })
})

/** One wrong import each, and the law that must find it. */
const WRONG: readonly { readonly law: string; readonly files: Readonly<Record<string, string>> }[] = [
  { law: 'core imports no other package', files: { 'core/src/wrong.ts': `import '@tidemail/store'` } },
  { law: 'core imports no other package', files: { 'core/src/wrong.ts': `import type { store } from '@tidemail/store'` } },
  { law: 'store imports core', files: { 'store/src/wrong.ts': `import '@tidemail/imap'` } },
  { law: 'imap imports core', files: { 'imap/src/wrong.ts': `export const late = import('@tidemail/store')` } },
  { law: 'testing imports core', files: { 'testing/src/wrong.ts': `import '@tidemail/imap'` } },
  { law: 'only tests and the simulator import testing', files: { 'imap/src/wrong.ts': `import '@tidemail/testing'` } },
  { law: 'engine imports core, replay-log, planner', files: { 'engine/src/wrong.ts': `import '@tidemail/simulator'` } },
  { law: 'dexie has one home', files: { 'imap/src/wrong.ts': `import 'dexie'` } },
  { law: 'imapflow has one home', files: { 'store/src/wrong.ts': `import 'imapflow'` } },
  { law: 'fake-indexeddb has one home', files: { 'store/src/wrong.ts': `import 'fake-indexeddb'` } },
  { law: 'no Node where a browser loads it', files: { 'store/src/wrong.ts': `import 'node:fs'` } },
  { law: 'no Node where a browser loads it', files: { 'testing/src/model/wrong.ts': `import 'fs'` } },
  {
    law: 'packages/store/src/index.ts reaches no Node',
    files: { 'store/src/index.ts': `import './node/wrong.ts'`, 'store/src/node/wrong.ts': `import 'node:fs'` },
  },
  { law: 'nobody imports the index of its own package', files: { 'core/src/wrong.ts': `import './index.ts'` } },
  { law: 'nobody imports the index of its own package', files: { 'core/src/wrong.ts': `import '@tidemail/core'` } },
  { law: 'no cycles', files: { 'core/src/a.ts': `import './b.ts'`, 'core/src/b.ts': `import './a.ts'` } },
  { law: 'every import resolves', files: { 'core/src/wrong.ts': `import './nothing.ts'` } },
  { law: 'what is imported is declared', files: { 'cli/src/wrong.ts': `import 'dexie'` } },
  { law: 'another package is entered by its name', files: { 'store/src/wrong.ts': `import '../../core/src/index.ts'` } },
  { law: 'every package is named in the laws', files: { 'stray/src/wrong.ts': `export {}`, 'stray/package.json': '{}' } },
]

describe('the checker of the layers', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  it('finds nothing in a tree without a wrong import', async () => {
    const root = buildTree({ 'store/src/right.ts': `import '@tidemail/core'\nimport 'dexie'` })
    folders.push(root)
    const { breaches, seen } = await inspectLayers(root)
    expect(breaches).toEqual([])
    expect(seen).toContain('packages/store/src/right.ts')
  })

  it.each(WRONG)('finds what breaks "$law"', async ({ law, files }) => {
    const root = buildTree(files)
    folders.push(root)
    const { breaches } = await inspectLayers(root)
    expect(breaches.map((breach) => breach.law)).toContain(law)
  })
})

/** A small house of its own: a package a layer, libraries that are empty, and the given files under `packages/`. */
function buildTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'tidemail-layers-'))
  const libraries: Readonly<Record<string, readonly string[]>> = { store: ['dexie', 'fake-indexeddb'], imap: ['imapflow'] }
  for (const [name, others] of Object.entries(MAY_IMPORT)) {
    const scoped = name === 'tidemail' ? name : `@tidemail/${name}`
    const dependencies = [...others.map((other) => `@tidemail/${other}`), ...(libraries[name] ?? [])]
    write(root, `packages/${name}/package.json`, manifest({ name: scoped, dependencies }))
    write(root, `packages/${name}/src/index.ts`, 'export {}')
    mkdirSync(dirname(join(root, 'node_modules', scoped)), { recursive: true })
    symlinkSync(join(root, 'packages', name), join(root, 'node_modules', scoped))
  }
  for (const library of Object.values(libraries).flat()) {
    write(root, `node_modules/${library}/package.json`, JSON.stringify({ name: library, main: 'main.js' }))
    write(root, `node_modules/${library}/main.js`, '')
  }
  for (const [path, text] of Object.entries(files)) write(root, `packages/${path}`, text)
  return root
}

function manifest({ name, dependencies }: { readonly name: string; readonly dependencies: readonly string[] }): string {
  return JSON.stringify({
    name,
    exports: { '.': { '@tidemail/source': './src/index.ts' } },
    dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '0.0.0'])),
  })
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
