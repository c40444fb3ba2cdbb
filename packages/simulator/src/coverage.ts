/** Counts what happened, and where the entries of the log stood when it did. */

import type { TargetState } from '@tidemail/replay-log'

export type LogState = TargetState | 'empty log'

const STATES: readonly LogState[] = ['empty log', 'queued', 'sending', 'unknown', 'recovering', 'copied', 'parked']

/** Plain data, so that workers can send it. */
export type CoverageTable = Readonly<Record<string, Readonly<Partial<Record<LogState, number>>>>>

export class Coverage {
  readonly #counts = new Map<string, Map<LogState, number>>()

  note(what: string, states: ReadonlySet<LogState>): void {
    const counts = this.#counts.get(what) ?? new Map<LogState, number>()
    this.#counts.set(what, counts)
    for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1)
  }

  has(what: string): boolean {
    return this.#counts.has(what)
  }

  get table(): CoverageTable {
    return Object.fromEntries(
      [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, counts]) => [what, Object.fromEntries(counts)]),
    )
  }

  add(table: CoverageTable): void {
    for (const [what, counts] of Object.entries(table)) {
      const own = this.#counts.get(what) ?? new Map<LogState, number>()
      this.#counts.set(what, own)
      for (const state of STATES) {
        const more = counts[state] ?? 0
        if (more > 0) own.set(state, (own.get(state) ?? 0) + more)
      }
    }
  }

  /** As docs/spec/campaign.md shows it. */
  toMarkdown(): string {
    const rows = Object.entries(this.table).map(([what, counts]) => {
      const cells = STATES.map((state) => (counts[state] ?? 0).toLocaleString('en-US'))
      return `| ${what} | ${cells.join(' | ')} |`
    })
    return [`| what happened | ${STATES.join(' | ')} |`, `| --- |${' ---: |'.repeat(STATES.length)}`, ...rows].join('\n')
  }
}
