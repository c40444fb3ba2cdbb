/** Reads one command with its literals, asking for those that the client holds back (RFC 9051 §4.3, RFC 7888). */

import type { Extension } from '../model/extensions.ts'
import type { OctetReader } from './octet-reader.ts'

/** The largest literal that is taken. */
export const LITERAL_OCTETS_MAX = 67_108_864
/** The largest literal that LITERAL- lets a client send unasked (RFC 7888 §5). */
const SHORT_LITERAL_OCTETS_MAX = 4096

export type ReceivedCommand =
  | {
      readonly kind: 'command'
      readonly tag: string
      readonly name: string
      /** The text after the name, and between its pieces the literals. */
      readonly pieces: readonly (string | Uint8Array)[]
      /** The command as it may be recorded: literals by their size only. */
      readonly line: string
    }
  | { readonly kind: 'bad'; readonly tag: string; readonly text: string; readonly line: string }

export interface ReadCommandOptions {
  readonly extensions: ReadonlySet<Extension>
  readonly sendContinuation: () => void
}

/** The next command, or null when the connection has ended. */
export async function readCommand(reader: OctetReader, options: ReadCommandOptions): Promise<ReceivedCommand | null> {
  const pieces: (string | Uint8Array)[] = []
  let recorded = ''
  for (;;) {
    const line = await reader.line()
    if (line === null) return null
    const first = recorded === '' && line.kind === 'line' ? line.text : recorded
    if (line.kind === 'too-long') {
      const start = recorded === '' ? line.start : recorded
      return { kind: 'bad', tag: tagOf(start), text: 'Too long argument', line: `${start.slice(0, 100)}...` }
    }
    const literal = literalAtEnd(line.text, options.extensions)
    if (literal === null) {
      pieces.push(line.text)
      return asCommand(pieces, recorded + line.text)
    }
    recorded += line.text
    pieces.push(line.text.slice(0, literal.start))
    if (literal.octets > LITERAL_OCTETS_MAX) return { kind: 'bad', tag: tagOf(first), text: 'Literal too large', line: recorded }
    if (literal.isHeldBack) options.sendContinuation()
    const octets = await reader.octets(literal.octets)
    if (octets === null) return null
    pieces.push(octets)
  }
}

interface AnnouncedLiteral {
  readonly start: number
  readonly octets: number
  readonly isHeldBack: boolean
}

function literalAtEnd(text: string, extensions: ReadonlySet<Extension>): AnnouncedLiteral | null {
  const match = /~?\{(\d{1,10})(\+?)\}$/.exec(text)
  if (match === null) return null
  const octets = Number(match[1])
  const isHeldBack = match[2] === ''
  const isAllowed = isHeldBack || extensions.has('LITERAL+') || (extensions.has('LITERAL-') && octets <= SHORT_LITERAL_OCTETS_MAX)
  return isAllowed ? { start: match.index, octets, isHeldBack } : null
}

function asCommand(pieces: readonly (string | Uint8Array)[], line: string): ReceivedCommand {
  const first = pieces[0] as string
  const match = /^([^\s(){}%*"\\+]+) +([A-Za-z0-9.-]+)(?: +|$)/.exec(first)
  if (match === null) return { kind: 'bad', tag: tagOf(first), text: 'Missing command', line }
  const [start, tag = '*', name = ''] = match
  return { kind: 'command', tag, name: name.toUpperCase(), pieces: [first.slice(start.length), ...pieces.slice(1)], line }
}

function tagOf(line: string): string {
  return /^[A-Za-z0-9._-]{1,64}(?= )/.exec(line)?.[0] ?? '*'
}
