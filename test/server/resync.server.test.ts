/**
 * Every resync scenario ends equal: once per server in its best tier, a few in every column, and with TIDEMAIL_CAMPAIGN=all all in every
 * tier and behind every profile; the campaign writes what came of each for `npm run matrix`. TIDEMAIL_RESYNC_COLUMN=gmail plays one column,
 * TIDEMAIL_RESYNC_SCENARIO='goes while' only the scenarios whose names match.
 */

import type { RealServer } from '@tidemail/testing'
import { afterAll, expect, it } from 'vitest'
import { withAccount } from '../e2e/real-account.ts'
import { ALL_SERVERS, onServers } from '../e2e/real-servers.ts'
import { play } from '../e2e/scenario.ts'
import { columnsOf, type ResyncColumn, reasonToLeaveOut } from './resync-columns.ts'
import { type ResyncCell, writeResyncResults } from './resync-results.ts'
import type { ResyncScenario } from './resync-scenario.ts'
import { RESYNC_SCENARIOS } from './resync-scenarios.ts'

const COLUMN = process.env['TIDEMAIL_RESYNC_COLUMN']
const IS_CAMPAIGN = process.env['TIDEMAIL_CAMPAIGN'] !== undefined && COLUMN === undefined
const ONLY = new RegExp(process.env['TIDEMAIL_RESYNC_SCENARIO'] ?? '')
const CAMPAIGN_CELL_MS_MAX = 60_000

/** What a server most often does otherwise than another. */
const TELLING = ['news, losses and flags at once', 'we expunge, and a rival marked another as \\Deleted']

const isPlayed = (column: ResyncColumn, { name }: Pick<ResyncScenario, 'name'>): boolean =>
  ONLY.test(name) && (COLUMN === undefined ? column.isBest || IS_CAMPAIGN || TELLING.includes(name) : column.name === COLUMN)
const servers = ALL_SERVERS.filter((name) => COLUMN === undefined || columnsOf(name).some((column) => column.name === COLUMN))

onServers(servers, (real, name) => {
  const cells: ResyncCell[] = []
  const runs = columnsOf(name).flatMap((column) =>
    RESYNC_SCENARIOS.filter((scenario) => isPlayed(column, scenario)).map((scenario) => ({
      column,
      scenario,
      reason: reasonToLeaveOut(scenario, column),
    })),
  )
  for (const { column, scenario, reason } of runs)
    if (reason !== null) cells.push({ scenario: scenario.name, column: column.name, outcome: 'left-out', reason })

  const test = ({ column, scenario }: (typeof runs)[number], declare: typeof it.concurrent): void =>
    declare(
      `${column.name}: ${scenario.name}`,
      async () => {
        const cell = { scenario: scenario.name, column: column.name }
        try {
          await playIn(real(), scenario, column)
          cells.push({ ...cell, outcome: 'equal' })
        } catch (error) {
          cells.push({ ...cell, outcome: 'differs' })
          throw error
        }
      },
      CAMPAIGN_CELL_MS_MAX,
    )
  const playable = runs.filter(({ reason }) => reason === null)
  for (const run of playable.filter(({ scenario }) => scenario.isAlone !== true)) test(run, it.concurrent)
  for (const run of playable.filter(({ scenario }) => scenario.isAlone === true)) test(run, it)

  afterAll(async () => {
    if (!IS_CAMPAIGN) return
    expect(cells).toHaveLength(runs.length)
    await writeResyncResults(cells)
  })
})

async function playIn(
  real: RealServer,
  { lines, policy = { bodies: 'none' } }: ResyncScenario,
  { standIn }: ResyncColumn,
): Promise<void> {
  const proxy = standIn === null ? {} : { proxy: standIn, readsThroughProxy: true as const }
  await withAccount(real, { policy, ...proxy }, (account) => play(account, lines))
}
