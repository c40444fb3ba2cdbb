/** Holds docs/spec/resync-matrix.md to the scenarios, the columns and the quirks that there are. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALL_SERVERS } from '../e2e/server-names.ts'
import { renderResyncMatrix } from '../server/render-resync-matrix.ts'
import { columnsOf, reasonToLeaveOut } from '../server/resync-columns.ts'
import { readResyncResults } from '../server/resync-results.ts'
import { RESYNC_SCENARIOS } from '../server/resync-scenarios.ts'
import { SERVER_QUIRKS } from '../server/server-quirks.ts'
import { TROJITA_CASES } from '../server/trojita-cases.ts'
import { ROOT } from './source-files.ts'

const SCENARIOS_MIN = 60
const QUIRKS = 32
/** As many slots as the list of Trojitá has (tests/Imap/test_Imap_Tasks_ObtainSynchronizedMailbox.h). */
const TROJITA_SITUATIONS = 67
const page = readFileSync(new URL('../../docs/spec/resync-matrix.md', import.meta.url), 'utf8')

describe('the resync matrix', () => {
  it('has a row for each scenario and no other, and enough of them', () => {
    const names = RESYNC_SCENARIOS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(SCENARIOS_MIN)
    const table = page.slice(0, page.indexOf('## Quirks'))
    const rows = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, name]) => name)
    expect(rows).toEqual(['scenario', '---', ...names])
  })

  it('has a result for each scenario in each column, and none differs', async () => {
    const cells = await readResyncResults()
    const wanted = ALL_SERVERS.flatMap(columnsOf).flatMap((column) =>
      RESYNC_SCENARIOS.map((scenario) => {
        const outcome = reasonToLeaveOut(scenario, column) === null ? 'equal' : 'left-out'
        return `${column.name}: ${scenario.name}: ${outcome}`
      }),
    )
    expect(cells.map(({ column, scenario, outcome }) => `${column}: ${scenario}: ${outcome}`).sort()).toEqual(wanted.sort())
  })

  it('is as the results make it', async () => {
    expect(page).toBe(renderResyncMatrix(await readResyncResults()))
  })

  it('meets every situation that Trojitá names in a scenario, in a test of that title, or says why not', () => {
    const names = new Set(RESYNC_SCENARIOS.map(({ name }) => name))
    expect(Object.keys(TROJITA_CASES)).toHaveLength(TROJITA_SITUATIONS)
    for (const [situation, met] of Object.entries(TROJITA_CASES)) {
      if ('scenarios' in met) {
        expect(met.scenarios.length, situation).toBeGreaterThan(0)
        expect(met.scenarios.filter((name) => !names.has(name))).toEqual([])
      } else if ('reason' in met) expect(met.reason).toMatch(/^[A-Z].{30,}\.$/)
      else expect(readFileSync(join(ROOT, met.test), 'utf8').includes(met.title), `${met.test}: ${met.title}`).toBe(true)
    }
  })

  it('has a row for each of the quirks, in order', () => {
    expect(SERVER_QUIRKS.map(({ number }) => number)).toEqual(Array.from({ length: QUIRKS }, (_, index) => index + 1))
  })
})
