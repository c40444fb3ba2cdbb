/** Breaks the source once for each rule of the replay, in a copy of the tree, and shows which seed of CI notices: `npm run mutants:sim`. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyTree, ROOT, whileBroken } from './mutant-tree.ts'
import { SIM_MUTANTS, type SimMutant } from './sim-mutants.ts'

/** Histories of the campaign that every change must pass (test/campaign/histories.sim.test.ts). */
const RUNS = 2_004
const CAMPAIGN_MS_MAX = 900_000

type Verdict =
  | { readonly kind: 'found'; readonly again: string; readonly histories: string; readonly check: string }
  | { readonly kind: 'survived' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'not-run'; readonly why: string }

const tree = copyTree()
try {
  process.exitCode = runAll(process.argv.slice(2)) ? 0 : 1
} finally {
  rmSync(tree, { recursive: true, force: true })
}

/** Runs the mutants of the given names, or all; whether the simulator noticed every one. */
function runAll(wanted: readonly string[]): boolean {
  const mutants = SIM_MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  process.stdout.write('| taken away | so that | found by | histories needed | as |\n| --- | --- | --- | ---: | --- |\n')
  let found = 0
  for (const mutant of mutants) {
    const verdict = confirmed(whileBroken(tree, mutant, playCampaign) ?? { kind: 'not-found' })
    if (verdict.kind === 'found') found += 1
    process.stdout.write(`${rowOf(mutant, verdict)}\n`)
  }
  process.stdout.write(`\n${found} of ${mutants.length} mutants found.\n`)
  return mutants.length > 0 && found === mutants.length
}

function playCampaign(): Verdict {
  const run = simulate(['--runs', String(RUNS), '--workers', '1', '--first'])
  const [, again, check] = /^FAILED: npm run sim -- (.*)\n([^:]*):/m.exec(run.stdout) ?? []
  const [, histories] = /^\| ([\d,]+) \|/m.exec(run.stdout) ?? []
  if (again !== undefined && check !== undefined && histories !== undefined) return { kind: 'found', again, histories, check }
  return run.status === 0 && histories !== undefined
    ? { kind: 'survived' }
    : { kind: 'not-run', why: (run.error?.message ?? run.stderr).slice(0, 300) }
}

/** A history says something of the mutant only where it goes well without. */
function confirmed(verdict: Verdict): Verdict {
  if (verdict.kind !== 'found') return verdict
  const [, seed = '', tier = ''] = /^--seed (\d+) --tier '(.*)'$/.exec(verdict.again) ?? []
  const isWell = simulate(['--seed', seed, '--tier', tier]).status === 0
  return isWell ? verdict : { kind: 'not-run', why: `${verdict.again} fails without the mutant` }
}

function simulate(options: readonly string[]): SpawnSyncReturns<string> {
  const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs')
  const simulator = ['-C', '@tidemail/source', 'packages/simulator/src/main.ts']
  const env = { ...process.env, NO_COLOR: '1' }
  return spawnSync(process.execPath, [tsx, ...simulator, ...options], {
    cwd: tree,
    encoding: 'utf8',
    timeout: CAMPAIGN_MS_MAX,
    env,
  })
}

function rowOf({ breaks, name }: SimMutant, verdict: Verdict): string {
  const cells =
    verdict.kind === 'found'
      ? [`\`${verdict.again}\``, verdict.histories, verdict.check]
      : [verdict.kind === 'not-run' ? verdict.why : verdict.kind, '', '']
  return `| ${[name, breaks, ...cells].join(' | ')} |`
}
