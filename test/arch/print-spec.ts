/** Prints the matrix of `npm run spec`: every rule of docs/spec, the release that must hold it, and the tests that say they do. */

import { currentVersion, isDue, readCitations, readNotHeld, readSpec } from './spec.ts'

const version = currentVersion()
const citations = readCitations()
const rows = readSpec()
const reasons = new Map(readNotHeld().map(({ id, why }) => [id, why]))

for (const { id, release } of rows) {
  const tests = citations.filter((citation) => citation.id === id).map((citation) => citation.at)
  const why = reasons.get(id)
  const unheld = why !== undefined ? 'not held' : isDue({ release, version }) ? 'MISSING' : 'later'
  const mark = tests.length > 0 ? 'held' : unheld
  process.stdout.write(`${id.padEnd(20)} ${release.padEnd(4)} ${mark.padEnd(8)} ${why ?? tests.join('  ')}\n`)
}

const held = rows.filter((row) => citations.some((citation) => citation.id === row.id))
const due = rows.filter((row) => isDue({ release: row.release, version }))
process.stdout.write(`\n${held.length} of ${rows.length} rules are cited by a test; ${version} must hold ${due.length}.\n`)
