/** The command `tidemail`: parse the command line, carry out the verb, print, end with the exit status of what happened. */

import { readFile } from 'node:fs/promises'
import { SyncError } from '@tidemail/core'
import { parseCommandLine } from './command-line.ts'
import { failureLines, failureOf } from './failure.ts'
import { jsonPrinter, type Printer, textPrinter } from './printer.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** What was sent may still be answered so long after an interruption; a server that only keeps talking is not waited for. */
const INTERRUPTION_MS_MAX = 5_000

/** Runs the command of this process, and ends the process. */
export async function runProcess(): Promise<void> {
  const terminal = processTerminal()
  const interruption = new AbortController()
  const end = (error: unknown): void => void fail(error, terminal, printerOf(process.argv, terminal)).then(process.exit)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second signal does not wait for a server that may not answer.
      if (interruption.signal.aborted) process.exit(130)
      interruption.abort()
      // Like a sudden end, which the store survives, but said in words.
      setTimeout(() => end(new SyncError('engine.aborted', 'The work was interrupted.')), INTERRUPTION_MS_MAX).unref()
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, end)
  process.exit(await main(process.argv.slice(2), terminal, interruption.signal))
}

/** One command from its words to its exit status. */
export async function main(words: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const printer = printerOf(words, terminal)
  try {
    const line = parseCommandLine(words, await version())
    if (line.kind === 'text') await terminal.output.line(line.text)
    else await line.run({ options: line.options, terminal, printer, signal })
    await terminal.output.flush()
    return 0
  } catch (error) {
    return fail(error, terminal, printer)
  }
}

async function fail(error: unknown, { output, notes, variables }: Terminal, printer: Printer): Promise<number> {
  const failure = failureOf(error)
  const { code, message, hint, exitStatus } = failure
  const lines = failureLines(failure)
  // What was printed before comes out before. Whether anybody reads it is no longer of interest.
  await printer
    .print({ kind: 'error', code, message, hint }, null)
    .then(output.flush)
    .catch(() => undefined)
  const debug = variables['TIDEMAIL_DEBUG'] === '1' && error instanceof Error ? [String(error.stack)] : []
  for (const text of [...lines, ...debug]) await notes.line(text).catch(() => undefined)
  await notes.flush().catch(() => undefined)
  return exitStatus
}

/** Known before the command line is understood, so that a mistake in it is told in the right form too. */
function printerOf(words: readonly string[], { output }: Terminal): Printer {
  const end = words.indexOf('--')
  return words.slice(0, end === -1 ? words.length : end).includes('--json') ? jsonPrinter(output) : textPrinter(output)
}

async function version(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }
  return manifest.version
}
