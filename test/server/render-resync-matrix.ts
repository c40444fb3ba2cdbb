/** Writes docs/spec/resync-matrix.md: what came of every scenario in every column, and where each quirk of a server is shown. */

import { ALL_SERVERS } from '../e2e/server-names.ts'
import { columnsOf } from './resync-columns.ts'
import type { ResyncCell } from './resync-results.ts'
import { RESYNC_SCENARIOS } from './resync-scenarios.ts'
import { SERVER_QUIRKS, type ServerQuirk } from './server-quirks.ts'
import { TROJITA_CASES, type WhereMet } from './trojita-cases.ts'

const COLUMNS = ALL_SERVERS.flatMap((server) => columnsOf(server).map(({ name }) => name))

export function renderResyncMatrix(cells: readonly ResyncCell[]): string {
  const byName = new Map(cells.map((cell) => [`${cell.scenario}\n${cell.column}`, cell]))
  const reasons: string[] = []
  const rows = RESYNC_SCENARIOS.map(({ name }) =>
    row([name, ...COLUMNS.map((column) => mark(byName.get(`${name}\n${column}`), reasons))]),
  )
  return [
    ...OPENING,
    `${RESYNC_SCENARIOS.length} scenarios, ${COLUMNS.length} columns, ${summary(cells)}.`,
    '',
    row(['scenario', ...COLUMNS]),
    row(['---', ...COLUMNS.map(() => '---')]),
    ...rows,
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
    '',
    ...QUIRKS_OPENING,
    row(['quirk', 'what', ...ALL_SERVERS]),
    row(['---', '---', ...ALL_SERVERS.map(() => '---')]),
    ...SERVER_QUIRKS.map(quirkRow),
    '',
    ...TROJITA_OPENING,
    row(['situation', 'where']),
    row(['---', '---']),
    ...Object.entries(TROJITA_CASES).map(([name, met]) => row([name, whereMet(met)])),
    '',
  ].join('\n')
}

const OPENING = [
  '# Resync: every scenario, on every server',
  '',
  'Written by `npm run matrix` from what `npm run campaign` found. `=`: store and server ended equal, in the normal form of',
  '[equality.md](equality.md). `≠`: they did not. A number: the scenario cannot be played there, for the reason below the table.',
  'The scenarios are those of `test/server/resync-scenarios.ts`, as lines; `npm test` plays each once per server in its best tier. Of a',
  'server that cannot be run here a profile stands in: Dovecot behind a proxy that hides, claims and garbles what that server does',
  '(`packages/testing/src/server-profiles.ts`).',
  '',
]

const QUIRKS_OPENING = [
  '## Quirks of the servers',
  '',
  'Each is shown over a bare socket on the servers marked `=`, and the engine ends equal in the situation it leaves',
  '(`test/server/quirks.server.test.ts`). `–`: the server lacks the extension, or behaves as one expects.',
  '',
]

const TROJITA_OPENING = [
  '## Situations of Trojitá',
  '',
  'What the tests of Trojitá name (`tests/Imap/test_Imap_Tasks_ObtainSynchronizedMailbox`), and the scenarios of the table above or the test',
  'in which it is met here.',
  '',
]

function whereMet(met: WhereMet): string {
  if ('scenarios' in met) return met.scenarios.map((name) => `“${name}”`).join(', ')
  return 'reason' in met ? met.reason : `\`${met.test}\`: ${met.title}`
}

function mark(cell: ResyncCell | undefined, reasons: string[]): string {
  if (cell === undefined) return '?'
  if (cell.outcome !== 'left-out') return cell.outcome === 'equal' ? '=' : '≠'
  if (!reasons.includes(cell.reason)) reasons.push(cell.reason)
  return String(reasons.indexOf(cell.reason) + 1)
}

function summary(cells: readonly ResyncCell[]): string {
  const count = (outcome: ResyncCell['outcome']): number => cells.filter((cell) => cell.outcome === outcome).length
  return `${count('equal')} played and equal, ${count('differs')} played and not, ${count('left-out')} left out`
}

function quirkRow({ number, what, on, notOn }: ServerQuirk): string {
  return row([String(number), what, ...ALL_SERVERS.map((server) => (on.includes(server) ? '=' : (notOn?.[server] ?? '–')))])
}

function row(fields: readonly string[]): string {
  return `| ${fields.map((field) => field.replaceAll('|', '\\|')).join(' | ')} |`
}
