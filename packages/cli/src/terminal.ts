/** What the command is started with: variables, folder, input and output. */

import type { Readable } from 'node:stream'
import { type Output, streamOutput } from './output.ts'

export interface Terminal {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly folder: string
  readonly input: Readable
  readonly output: Output
  /** For people: errors, hints and progress. */
  readonly notes: Output
  /** Where a progress bar may be drawn; null where the notes go to no terminal. */
  readonly screen: NodeJS.WriteStream | null
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    variables: process.env,
    folder: process.cwd(),
    input: process.stdin,
    output: streamOutput(process.stdout),
    notes: streamOutput(process.stderr),
    screen: process.stderr.isTTY ? process.stderr : null,
  }
}
