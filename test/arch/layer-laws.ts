/** States who may import whom, and finds every import of a source tree that breaks a law. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { cruise, type ICruiseOptions, type ICruiseResult, type IModule, type IResolveOptions } from 'dependency-cruiser'

/** Which packages of the house a package may import. A package that is not named here breaks a law by being there. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'replay-log': ['core'],
  planner: ['core', 'replay-log'],
  engine: ['core', 'replay-log', 'planner'],
  store: ['core'],
  imap: ['core'],
  testing: ['core'],
  simulator: ['core', 'replay-log', 'planner', 'engine', 'testing'],
  cli: ['core', 'replay-log', 'planner', 'engine', 'store', 'imap'],
  tidemail: ['core', 'replay-log', 'planner', 'engine', 'store', 'imap', 'cli'],
}

/** Libraries that have one home: the rest of the house does not know of them. */
const HOMES: Readonly<Record<string, string>> = {
  dexie: '^packages/store/src/',
  imapflow: '^packages/imap/src/',
  'p-queue': '^packages/engine/src/',
  'classic-level': '^packages/store/src/node/',
  'fake-indexeddb': '^packages/store/src/node/',
}

/** Entries that must load where there is no Node: nothing that they reach is a builtin of Node. */
const BROWSER_ENTRIES = [
  'packages/core/src/index.ts',
  'packages/replay-log/src/index.ts',
  'packages/planner/src/index.ts',
  'packages/engine/src/index.ts',
  'packages/store/src/index.ts',
  'packages/testing/src/simulated.ts',
  'packages/tidemail/src/index.ts',
]

/** Sources that stay free of Node, whether an entry reaches them or not. */
const NODE_FREE = '^packages/((core|replay-log|planner|engine)/src/|store/src/(?!node/)|testing/src/(model/|simulated))'

const TEST = '\\.test\\.ts$'

export interface Breach {
  readonly law: string
  readonly from: string
  readonly to: string
}

export interface Inspection {
  readonly breaches: readonly Breach[]
  /** Every source that was looked at, as a path from the root. */
  readonly seen: readonly string[]
}

/** Looks at every TypeScript source of every package under `root`. */
export async function inspectLayers(root: string): Promise<Inspection> {
  const packages = readdirSync(join(root, 'packages'))
  const found = await cruiseSources(root, packages)
  const modules = found.modules.filter((module) => isSource(module.source))
  const byRules = found.summary.violations.map(({ rule, from, to }) => ({ law: rule.name, from, to }))
  const byImports = modules.flatMap((module) => importBreaches(root, module))
  const byReach = BROWSER_ENTRIES.filter((entry) => existsSync(join(root, entry))).flatMap((entry) =>
    reachBreaches(entry, modules),
  )
  return { breaches: [...byRules, ...byImports, ...byReach], seen: modules.map((module) => module.source) }
}

async function cruiseSources(root: string, packages: readonly string[]): Promise<ICruiseResult> {
  const options: ICruiseOptions = {
    baseDir: root,
    // Imports of types are imports too: a layer that knows the types of a higher one knows the layer.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    validate: true,
    ruleSet: { forbidden: packages.flatMap(lawsOfPackage).concat(lawsOfHouse()) },
  }
  // Packages are resolved to their sources, so that no build is needed and none that is stale is believed.
  const resolve = {
    exportsFields: ['exports'],
    conditionNames: ['@tidemail/source', 'import', 'default'],
    extensions: ['.ts', '.js', '.json'],
  } as unknown as Partial<IResolveOptions>
  const { output } = await cruise(
    packages.map((name) => `packages/${name}/src`),
    options,
    resolve,
  )
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered a text: ${output}`)
  return output
}

type Law = NonNullable<NonNullable<ICruiseOptions['ruleSet']>['forbidden']>[number]

function lawsOfPackage(name: string): Law[] {
  const own = [name, ...(MAY_IMPORT[name] ?? [])].join('|')
  const layer = `${name} imports ${MAY_IMPORT[name]?.join(', ') || 'no other package'}`
  return [
    {
      name: layer,
      severity: 'error',
      // Tests stand outside the layers; what they may use of the testing package is a law of its own.
      from: { path: `^packages/${name}/src/`, pathNot: TEST },
      to: { path: '^packages/', pathNot: `^packages/(${own})/` },
    },
    {
      name: 'nobody imports the index of its own package',
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      to: { path: `^packages/${name}/src/index\\.ts$` },
    },
  ]
}

function lawsOfHouse(): Law[] {
  const homes = Object.entries(HOMES).map(
    ([library, home]): Law => ({
      name: `${library} has one home`,
      severity: 'error',
      from: { path: '^packages/', pathNot: [home, TEST] },
      to: { path: `(^|/)node_modules/${library}/` },
    }),
  )
  return [
    ...homes,
    {
      // Of what runs: a session and its commands may know each other's types.
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'every import resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no Node where a browser loads it',
      severity: 'error',
      from: { path: NODE_FREE, pathNot: TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only tests and the simulator import testing',
      severity: 'error',
      from: { path: '^packages/(?!(testing|simulator)/)', pathNot: TEST },
      to: { path: '^packages/testing/' },
    },
  ]
}

/** Laws that need the manifests: what is imported is declared, and another package is entered by its doors only. */
function importBreaches(root: string, module: IModule): Breach[] {
  const name = packageOf(module.source)
  if (MAY_IMPORT[name] === undefined) return [{ law: 'every package is named in the laws', from: module.source, to: name }]
  if (module.source.endsWith('.test.ts')) return []
  const manifest = readManifest(root, name)
  return module.dependencies.flatMap((dependency): Breach[] => {
    const breach = { from: module.source, to: dependency.module }
    if (dependency.couldNotResolve || isBuiltin(dependency.module)) return []
    if (dependency.module.startsWith('.')) {
      const isOwn = dependency.resolved.startsWith(`packages/${name}/`)
      return isOwn ? [] : [{ law: 'another package is entered by its name', ...breach }]
    }
    const library = dependency.module
      .split('/')
      .slice(0, dependency.module.startsWith('@') ? 2 : 1)
      .join('/')
    return manifest.dependencies.includes(library) ? [] : [{ law: 'what is imported is declared', ...breach }]
  })
}

function reachBreaches(entry: string, modules: readonly IModule[]): Breach[] {
  const bySource = new Map(modules.map((module) => [module.source, module]))
  const reached = new Set([entry])
  const breaches: Breach[] = []
  // A set that grows while it is walked is walked to its end.
  for (const source of reached) {
    for (const dependency of bySource.get(source)?.dependencies ?? []) {
      if (isBuiltin(dependency.module)) breaches.push({ law: `${entry} reaches no Node`, from: source, to: dependency.module })
      else if (bySource.has(dependency.resolved)) reached.add(dependency.resolved)
    }
  }
  return breaches
}

function readManifest(root: string, name: string): { readonly dependencies: readonly string[] } {
  const text = readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')
  const manifest = JSON.parse(text) as { readonly dependencies?: Readonly<Record<string, string>> }
  return { dependencies: Object.keys(manifest.dependencies ?? {}) }
}

function packageOf(source: string): string {
  return source.split('/')[1] ?? ''
}

function isSource(path: string): boolean {
  return /^packages\/[^/]+\/src\/.*\.ts$/.test(path)
}
