/** Prints what a command has to tell: sentences for people, or NDJSON with one event a line. */

import type { Output } from './output.ts'
import { visibleJson } from './visible-text.ts'

/** What a line of NDJSON says; `kind` tells what it is. */
export type PrintedEvent = { readonly kind: string } & Readonly<Record<string, unknown>>

export interface Printer {
  readonly format: 'text' | 'json'
  /** Prints the event, or its lines for people. Null: nothing for people. */
  print(event: PrintedEvent, text: string | readonly string[] | null): Promise<void>
}

export function textPrinter(output: Output): Printer {
  return {
    format: 'text',
    async print(_event, text) {
      for (const line of text === null ? [] : typeof text === 'string' ? [text] : text) await output.line(line)
    },
  }
}

export function jsonPrinter(output: Output): Printer {
  return {
    format: 'json',
    async print(event) {
      await output.line(visibleJson(event))
    },
  }
}
