/** Finds where recorded sessions of an account break a rule of docs/spec/conformance.md that can be seen on the wire. */

import { GivenUids, type RenamedElsewhere } from './given-uids.ts'
import { eventsOf, type Transcript } from './transcript.ts'
import { TRANSCRIPT_RULES } from './transcript-rules.ts'
import { SessionState } from './transcript-state.ts'

export interface Breach {
  readonly rows: readonly string[]
  readonly why: string
  /** The command, shortened. */
  readonly line: string
}

/** Rows that a test cannot keep, each with the reason; `all` for every one. */
export type Exemptions = Readonly<Record<string, string>>

/** What an examination of a server is for. */
export const OF_AN_EXAMINATION: Exemptions = {
  'DC-4549-5.2-3a': 'It asks again what it asked just before, to see what has changed.',
  'DC-4549-5.1a': 'What one of its two sessions was told, the other uses; they are read one after the other here.',
}

export interface LintOptions {
  /** `partial`: something else has used the store too, so that what it had been told is not known. The default is `whole`. */
  readonly history?: 'whole' | 'partial'
  readonly exempt?: Exemptions
  readonly renamed?: readonly RenamedElsewhere[]
}

const LINE_SHOWN_MAX = 200

/** The sessions of one account and one store, in order. */
export function lintTranscripts(
  sessions: readonly Transcript[],
  { history = 'whole', exempt = {}, renamed }: LintOptions = {},
): readonly Breach[] {
  const given = new GivenUids(renamed)
  if ('all' in exempt) return []
  const rules = TRANSCRIPT_RULES.filter(
    ({ rows, needsHistory }) => (history === 'whole' || needsHistory !== true) && !rows.some((row) => row in exempt),
  )
  return sessions.flatMap((session) => lintSession(session, rules, new SessionState(given)))
}

function lintSession(session: Transcript, rules: typeof TRANSCRIPT_RULES, state: SessionState): readonly Breach[] {
  const found: Breach[] = []
  for (const event of eventsOf(session)) {
    switch (event.kind) {
      case 'command': {
        const line = event.command.lines.join(' ').slice(0, LINE_SHOWN_MAX)
        for (const { rows, breach } of rules) {
          const why = breach(event.command, state)
          if (why !== null) found.push({ rows, why, line })
        }
        state.write(event.command)
        break
      }
      case 'stray':
        found.push({ rows: ['DC-9051-5.5'], why: 'the line is no command', line: event.text.slice(0, LINE_SHOWN_MAX) })
        break
      case 'done':
        state.endIdle()
        break
      case 'heard':
        state.hear(event.text)
        break
    }
  }
  return found
}

/** One line for each breach, for a test's report. */
export function describeBreaches(breaches: readonly Breach[]): readonly string[] {
  return breaches.map(({ rows, why, line }) => `${rows.join(', ')}: ${why}: ${line}`)
}
