/** Breaks the source once for each invariant, in a copy of the tree, and shows that its test goes red: `npm run mutants`. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyTree, ROOT, whileBroken } from './mutant-tree.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

const TEST_RUN_MS_MAX = 180_000

type Verdict =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'not-run'; readonly why: string }

interface TestRun {
  readonly passed: number
  /** Full names of the tests that failed. */
  readonly failed: readonly string[]
  /** Why a file did not even load. */
  readonly output: string
}

const copy = copyTree()
try {
  process.exitCode = runAll(copy, process.argv.slice(2)) ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}

/** Runs the mutants of the given invariants, or all; whether every one was killed. */
function runAll(tree: string, wanted: readonly string[]): boolean {
  const mutants = MUTANTS.filter(({ invariant }) => wanted.length === 0 || wanted.includes(invariant))
  const unusable = new Map([...new Set(mutants.map(({ test }) => test))].map((test) => [test, whyNotGreen(runTest(tree, test))]))
  let killed = 0
  for (const mutant of mutants) {
    const why = unusable.get(mutant.test) ?? null
    const verdict: Verdict = why === null ? tryMutant(tree, mutant) : { kind: 'not-run', why }
    if (verdict.kind === 'killed') killed += 1
    process.stdout.write(`${rowOf(mutant, verdict)}\n`)
  }
  process.stdout.write(`\n${killed} of ${mutants.length} mutants killed.\n`)
  return mutants.length > 0 && killed === mutants.length
}

/** Red means something only where the test is green on the source as it is. */
function whyNotGreen({ passed, failed, output }: TestRun): string | null {
  if (failed.length > 0) return `already red without the mutant: ${failed[0]}`
  return passed > 0 ? null : `no test ran: ${output.slice(0, 300)}`
}

function tryMutant(tree: string, mutant: Mutant): Verdict {
  return whileBroken(tree, mutant, () => verdictOf(runTest(tree, mutant.test))) ?? { kind: 'not-found' }
}

function verdictOf({ passed, failed, output }: TestRun): Verdict {
  if (failed[0] !== undefined) return { kind: 'killed', by: failed[0] }
  // A mutant that does not load is no mutant: it shows nothing about the test.
  return passed > 0 ? { kind: 'survived' } : { kind: 'not-run', why: `the mutant does not load: ${output.slice(0, 300)}` }
}

function runTest(tree: string, test: string): TestRun {
  const report = join(tree, 'report.json')
  rmSync(report, { force: true })
  const run = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'unit',
      '--project',
      'sim',
      '--reporter=json',
      `--outputFile=${report}`,
      test,
    ],
    { cwd: tree, encoding: 'utf8', timeout: TEST_RUN_MS_MAX, env: { ...process.env, NO_COLOR: '1' } },
  )
  // A test that hangs on a mutant has noticed it.
  if (run.error !== undefined) return { passed: 0, failed: [`no answer within ${TEST_RUN_MS_MAX} ms`], output: '' }
  if (!existsSync(report)) return { passed: 0, failed: [], output: run.stderr }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { readonly testResults: readonly FileResult[] }
  const results = testResults.flatMap((file) => file.assertionResults)
  return {
    passed: results.filter(({ status }) => status === 'passed').length,
    failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    output: testResults.map((file) => file.message).join('\n'),
  }
}

/** What Vitest's JSON report says of one file. */
interface FileResult {
  readonly message: string
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
}

function rowOf({ invariant, breaks }: Mutant, verdict: Verdict): string {
  const outcome =
    verdict.kind === 'killed' ? `killed by "${verdict.by}"` : verdict.kind === 'not-run' ? verdict.why : verdict.kind
  return `${invariant.padEnd(10)} ${breaks}\n           -> ${outcome}`
}
