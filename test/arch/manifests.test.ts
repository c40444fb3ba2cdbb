/** Holds what the manifests and the lock promise to whoever installs from them. */

import { describe, expect, it } from 'vitest'
import { filesUnder } from './source-files.ts'

interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly sideEffects?: boolean
  readonly license?: string
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const manifests = filesUnder('', /^(packages\/[^/]+\/)?package\.json$/).map(({ path, text }) => ({
  path,
  manifest: JSON.parse(text) as Manifest,
}))
const published = manifests.filter(({ path }) => path !== 'package.json')

describe('the manifests', () => {
  it('are of the workspace and of every package', () => {
    expect(manifests.length).toBeGreaterThan(9)
  })

  it.each(manifests)('$path pins every version exactly', ({ manifest }) => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it.each(published)('$path has one version with the others, a licence and no side effects', ({ manifest }) => {
    expect(manifest).toMatchObject({ version: published[0]?.manifest.version, license: 'MIT', sideEffects: false })
    const own = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@tidemail/'))
    expect(own.filter(([, version]) => version !== manifest.version)).toEqual([])
  })

  it.each(published)('$path names the types of an entry before its code', ({ manifest }) => {
    const entries = Object.values(manifest.exports ?? {}).filter((entry) => typeof entry !== 'string')
    expect(entries.length).toBeGreaterThan(0)
    for (const entry of entries) expect(Object.keys(entry)).toEqual(['@tidemail/source', 'types', 'default'])
  })
})

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

describe('the lock', () => {
  const text = filesUnder('', /^package-lock\.json$/)[0]?.text ?? '{}'
  const locked = Object.entries((JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> }).packages)
  const installed = locked.filter(([path]) => path.startsWith('node_modules/'))

  it('names no address of a registry', () => {
    expect(installed.filter(([, entry]) => entry.link !== true && entry.resolved !== undefined).map(([path]) => path)).toEqual([])
  })

  it('has a version of everything it names', () => {
    expect(installed.length).toBeGreaterThan(100)
    expect(installed.filter(([, entry]) => entry.link !== true && entry.version === undefined).map(([path]) => path)).toEqual([])
  })

  it('holds the optional packages of every platform, so that it serves all of them', () => {
    const paths = new Set(locked.map(([path]) => path))
    const missing = installed.flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => !paths.has(`node_modules/${name}`) && !paths.has(`${path}/node_modules/${name}`))
        .map((name) => `${name} of ${path}`),
    )
    expect(missing).toEqual([])
  })
})
