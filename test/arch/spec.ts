/** Reads what docs/spec demands, and which tests say that they hold it. */

import { filesUnder, type SourceFile } from './source-files.ts'

export interface SpecRow {
  readonly id: string
  readonly statement: string
  /** The first version that must hold it, as `major.minor`. */
  readonly release: string
  readonly page: string
}

/** A row that this version should hold and does not, and why. */
export interface NotHeld {
  readonly id: string
  readonly why: string
}

export interface Citation {
  readonly id: string
  /** The file and line that cites it. */
  readonly at: string
}

const ID = /[A-Z]+(?:-[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)+/

/** Every row of every table in docs/spec that has a column `ID`. */
export function readSpec(): readonly SpecRow[] {
  return filesUnder('docs/spec', /\.md$/).flatMap(({ path, text }) => rowsOf(path, text))
}

/** Every row of a table in docs/spec whose first column is `not held`. */
export function readNotHeld(): readonly NotHeld[] {
  return filesUnder('docs/spec', /\.md$/).flatMap(({ text }) => notHeldIn(text))
}

/** Every `Verifies: ID, ID` of the tests, and of the contract suites that tests run. */
export function readCitations(): readonly Citation[] {
  return filesUnder('', /^(packages|test)\/.*\.test\.ts$|^packages\/testing\/src\/contracts\/.*\.ts$/).flatMap(citationsIn)
}

/** Whether a row of `release` must be held at `version`. */
export function isDue({ release, version }: { readonly release: string; readonly version: string }): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  const [majorNow = 0, minorNow = 0] = version.split('.').map(Number)
  return major < majorNow || (major === majorNow && minor <= minorNow)
}

/** The version at hand: packages have one version together. */
export function currentVersion(): string {
  const manifest = filesUnder('packages/core', /^packages\/core\/package\.json$/)[0]
  return (JSON.parse(manifest?.text ?? '{}') as { readonly version: string }).version
}

export function rowsOf(page: string, text: string): readonly SpecRow[] {
  return tableRows(text, 'ID').map((cell) => ({
    id: cell('ID'),
    statement: cell('statement'),
    release: cell('release'),
    page,
  }))
}

export function notHeldIn(text: string): readonly NotHeld[] {
  return tableRows(text, 'not held').map((cell) => ({ id: cell('not held'), why: cell('why') }))
}

export function citationsIn({ path, text }: SourceFile): readonly Citation[] {
  const citation = new RegExp(`Verifies:\\s*(${ID.source}(?:,[\\s*/]*${ID.source})*)`, 'g')
  return [...text.matchAll(citation)].flatMap((match) => {
    const line = text.slice(0, match.index).split('\n').length
    return (match[1] ?? '').split(/,[\s*/]*/).map((id) => ({ id, at: `${path}:${line}` }))
  })
}

/** The rows of the tables whose first column has this name; each gives its cells by column. */
function tableRows(text: string, firstColumn: string): readonly ((column: string) => string)[] {
  const rows: ((column: string) => string)[] = []
  let columns: readonly string[] = []
  for (const line of text.split('\n')) {
    const cells = cellsOf(line)
    if (cells.length === 0) columns = []
    else if (columns.length === 0) columns = cells
    else if (columns[0] === firstColumn && !/^-+$/.test(cells[0] ?? '')) {
      const names = columns
      rows.push((column) => cells[names.indexOf(column)] ?? '')
    }
  }
  return rows
}

function cellsOf(line: string): readonly string[] {
  if (!line.startsWith('|')) return []
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}
