/** Holds the documents to the repository: what they link to, name and tell to run is there. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesUnder, ROOT } from './source-files.ts'
import { leftovers } from './tidy-rules.ts'

const documents = filesUnder('', /^([A-Z]+\.md|docs\/.*\.md)$/)
const scripts = Object.keys(
  (JSON.parse(filesUnder('', /^package\.json$/)[0]?.text ?? '{}') as { readonly scripts: Readonly<Record<string, string>> })
    .scripts,
)

describe('the documents', () => {
  it('are all looked at', () => {
    const paths = documents.map((document) => document.path)
    for (const path of ['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md', 'docs/glossary.md']) expect(paths).toContain(path)
  })

  it.each(documents)('$path links to what is there', ({ path, text }) => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !/^[a-z]+:/.test(link))
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([])
  })

  it.each(documents)('$path names sources that are there', ({ text }) => {
    const named = [...text.matchAll(/`((?:packages|test|docs|fixtures)\/[\w./-]+)`/g)].map((match) => match[1] ?? '')
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([])
  })

  it.each(documents)('$path tells to run what can be run', ({ text }) => {
    const run = [...text.matchAll(/npm (?:run ([\w-]+)|(test))/g)].map((match) => match[1] ?? match[2] ?? '')
    expect(run.filter((name) => !scripts.includes(name))).toEqual([])
  })

  it('hold nothing that is left over', () => {
    expect(documents.flatMap(leftovers)).toEqual([])
  })
})

describe('the sources', () => {
  it('name documents that are there', () => {
    const named = filesUnder('', /^(packages|test|benchmarks|demo)\/.*\.ts$/).flatMap(({ path, text }) =>
      [...text.matchAll(/\bdocs\/[\w./-]+\.md\b/g)].map((match) => ({ path, name: match[0] })),
    )
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(({ name }) => !existsSync(join(ROOT, name)))).toEqual([])
  })
})
