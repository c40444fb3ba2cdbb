/** Keeps what came of every scenario in every column, from the campaign that plays them to the table that shows them. */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { ALL_SERVERS } from '../e2e/server-names.ts'
import { columnsOf } from './resync-columns.ts'
import { RESYNC_SCENARIOS } from './resync-scenarios.ts'

export type ResyncCell = {
  readonly scenario: string
  readonly column: string
} & ({ readonly outcome: 'equal' | 'differs' } | { readonly outcome: 'left-out'; readonly reason: string })

const RESULTS_FILE = new URL('../../fixtures/resync-results.json', import.meta.url)

export async function readResyncResults(): Promise<readonly ResyncCell[]> {
  const text = await readFile(RESULTS_FILE, 'utf8').catch(() => '[]')
  return JSON.parse(text) as readonly ResyncCell[]
}

/** In place of what was told of these before; what is a scenario or a column no more goes. By rename: somebody may be reading. */
export async function writeResyncResults(cells: readonly ResyncCell[]): Promise<void> {
  const order = ALL_SERVERS.flatMap((server) => columnsOf(server).map(({ name }) => name))
  const names = new Set(RESYNC_SCENARIOS.map(({ name }) => name))
  const told = new Map([...(await readResyncResults()), ...cells].map((cell) => [`${cell.scenario}\n${cell.column}`, cell]))
  const all = [...told.values()]
    .filter(({ scenario, column }) => names.has(scenario) && order.includes(column))
    .sort((a, b) => order.indexOf(a.column) - order.indexOf(b.column) || (a.scenario < b.scenario ? -1 : 1))
  const written = new URL(`${RESULTS_FILE.href}.${process.pid}.tmp`)
  await writeFile(written, `[\n${all.map((cell) => JSON.stringify(cell)).join(',\n')}\n]\n`)
  await rename(written, RESULTS_FILE)
}
