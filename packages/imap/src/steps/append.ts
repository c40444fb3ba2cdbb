/** APPEND, of one message or of several at once (RFC 9051 §6.3.12, RFC 3502), with the literals the server takes (RFC 7888). */

import {
  type Appended,
  type AppendStep,
  can,
  normaliseFlags,
  type OutgoingMessage,
  parseFlag,
  parseRanges,
  type ServerProfile,
  UID_MAX,
  type Uid,
  uidValidity,
} from '@tidemail/core'
import { formatInternalDate } from '../fetch-row.ts'
import type { CommandPart } from '../wire.ts'
import { type Exchange, refusal, type StepContext, type StepExchanges } from './exchange.ts'

/** Under LITERAL- larger ones wait for the server's word (RFC 7888 §5). */
const LITERAL_MINUS_OCTETS_MAX = 4_096

/** The bytes are those of the messages, in the same order. */
export function appendExchanges(step: AppendStep, bodies: readonly Uint8Array[], context: StepContext): StepExchanges {
  const { server } = context
  if (step.messages.length === 0) return []
  if (step.messages.length > 1 && !can(server, 'MULTIAPPEND')) return refusal('CANNOT', 'The server takes one message at a time.')
  const limit = server.appendLimitOctets
  if (limit !== null && bodies.some((bytes) => bytes.length > limit)) {
    return refusal('TOOBIG', `The server takes messages of at most ${limit} octets.`)
  }
  const parts: CommandPart[] = [`APPEND ${context.argumentOf(step.target)}`]
  for (const [index, message] of step.messages.entries()) {
    const literal = bodies[index]
    if (literal === undefined || literal.length === 0) return refusal(null, 'A message without octets cannot be appended.')
    if (literal.includes(0)) return refusal(null, 'A message that holds NUL cannot be appended.')
    parts.push(` (${flagsOf(message).join(' ')}) ${formatInternalDate(message.internalDate)} `)
    parts.push({ literal, isSynchronising: mustAsk(literal, server) })
  }
  return [exchange(step, parts)]
}

function flagsOf(message: OutgoingMessage): readonly string[] {
  return normaliseFlags(message.flags).map(parseFlag)
}

function mustAsk(literal: Uint8Array, server: ServerProfile): boolean {
  if (can(server, 'LITERAL+')) return false
  return !can(server, 'LITERAL-') || literal.length > LITERAL_MINUS_OCTETS_MAX
}

function exchange(step: AppendStep, parts: readonly CommandPart[]): Exchange {
  return {
    parts,
    finish: ({ code }, tell) => {
      const appended = code?.name === 'APPENDUID' ? readAppendUid(step, code.args) : null
      if (appended !== null) tell(appended)
      return undefined
    },
  }
}

/** `38505 3955` or `38505 4:6`. A code that does not name every message is no evidence. */
function readAppendUid(step: AppendStep, args: string): Appended | null {
  const [digits, set] = args.split(' ')
  const validity = Number(digits)
  if (set === undefined || !Number.isInteger(validity) || validity < 1 || validity > UID_MAX) return null
  const uids = expand(set, step.messages.length)
  if (uids === null) return null
  return { kind: 'appended', id: step.id, target: { path: step.target, uidValidity: uidValidity(validity) }, uids }
}

function expand(set: string, count: number): readonly Uid[] | null {
  try {
    const ranges = parseRanges(set)
    const total = ranges.reduce((sum, { first, last }) => sum + Math.abs(last - first) + 1, 0)
    if (total !== count) return null
    // `6:4` is `4:6` (RFC 4315 §4); the order of the pieces is that of the messages.
    return ranges.flatMap(({ first, last }) =>
      Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => (Math.min(first, last) + i) as Uid),
    )
  } catch {
    return null
  }
}
