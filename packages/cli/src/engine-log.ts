/** Tells what the engine does, when `--verbose` asks for it. */

import type { LogEvent } from '@tidemail/engine'
import type { VerbContext } from './verb.ts'
import { visibleLine } from './visible-text.ts'

export function engineLog({ options, terminal }: VerbContext): (event: LogEvent) => void {
  if (options.verbose !== true) return () => undefined
  return ({ level, event, sentence }) => {
    // Notes that nobody reads stop nothing.
    void terminal.notes
      .line(`${level}: ${visibleLine(sentence)} (${event})`)
      .then(terminal.notes.flush)
      .catch(() => undefined)
  }
}
