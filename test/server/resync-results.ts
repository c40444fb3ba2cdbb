/** Keeps what came of every scenario in every column, from the campaign that plays them to the table that shows them. */

import { readFile, writeFile } from 'node:fs/promises'
import { ALL_SERVERS } from '../e2e/server-names.ts'
import { columnsOf } from './resync-columns.ts'

export type ResyncCell = {
  readonly scenario: string
  readonly column: string
} & ({ readonly outcome: 'equal' | 'differs' } | { readonly outcome: 'left-out'; readonly reason: string })

const RESULTS_FILE = new URL('../../fixtures/resync-results.json', import.meta.url)

export async function readResyncResults(): Promise<readonly ResyncCell[]> {
  const text = await readFile(RESULTS_FILE, 'utf8').catch(() => '[]')
  return JSON.parse(text) as readonly ResyncCell[]
}

/** Replaces the cells of the columns that these are of. */
export async function writeResyncResults(cells: readonly ResyncCell[]): Promise<void> {
  const columns = new Set(cells.map(({ column }) => column))
  const others = (await readResyncResults()).filter(({ column }) => !columns.has(column))
  const order = ALL_SERVERS.flatMap((server) => columnsOf(server).map(({ name }) => name))
  const all = [...others, ...cells].sort(
    (a, b) => order.indexOf(a.column) - order.indexOf(b.column) || (a.scenario < b.scenario ? -1 : 1),
  )
  await writeFile(RESULTS_FILE, `[\n${all.map((cell) => JSON.stringify(cell)).join(',\n')}\n]\n`)
}
