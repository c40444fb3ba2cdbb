/** `npm run campaign`: plays every part, whatever the one before found, writes the matrix anew, and fails at the end when any part did. */

import { spawnSync } from 'node:child_process'

const PARTS: readonly { readonly what: string; readonly words: readonly string[] }[] = [
  {
    what: 'histories and the crash sweep',
    words: [...'npm run sim -- --runs 200000 --seed 100000 --sweep --report'.split(' '), 'docs/spec/campaign-coverage'],
  },
  { what: 'quick tests', words: ['npx', 'vitest', 'run', '--project', 'unit'] },
  { what: 'slow tests, fuzz among them', words: ['npx', 'vitest', 'run', '--project', 'sim'] },
  { what: 'real servers', words: ['npx', 'vitest', 'run', '--project', 'server'] },
  // After the servers: it shows what came of every scenario there.
  { what: 'the resync matrix', words: ['npm', 'run', 'matrix'] },
  { what: 'what the matrix shows', words: ['npx', 'vitest', 'run', '--project', 'unit', 'test/arch/resync-matrix.test.ts'] },
]

const env = { ...process.env, TIDEMAIL_CAMPAIGN: 'all' }
const results = PARTS.map(({ what, words: [program = '', ...words] }) => {
  console.log(`\n== ${what}`)
  const { status, error } = spawnSync(program, words, { stdio: 'inherit', env })
  return { what, told: error?.message ?? (status === 0 ? 'well' : `FAILED, ${status ?? 'killed'}`), isWell: status === 0 }
})
console.log('')
for (const { what, told } of results) console.log(`${what}: ${told}`)
process.exitCode = results.every(({ isWell }) => isWell) ? 0 : 1
