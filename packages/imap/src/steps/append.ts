/** APPEND, of one message or of several at once (RFC 9051 §6.3.12, RFC 3502), and UID REPLACE (RFC 8508), with the literals the server takes (RFC 7888). */

import {
  type Appended,
  type AppendStep,
  can,
  normaliseFlags,
  type OutgoingMessage,
  parseFlag,
  parseRanges,
  type ReplaceStep,
  type ServerProfile,
  UID_MAX,
  type Uid,
  uidValidity,
} from '@tidemail/core'
import type { CommandPart } from '../command.ts'
import { formatInternalDate } from '../fetch-row.ts'
import type { ResponseCode } from '../response.ts'
import { takesUtf8Only } from '../server-capabilities.ts'
import { type Exchange, refusal, type StepContext, type StepExchanges, type Tell } from './exchange.ts'

/** Under LITERAL- larger ones wait for the server's word (RFC 7888 §5). */
const LITERAL_MINUS_OCTETS_MAX = 4_096

/** The bytes are those of the messages, in the same order. */
export function appendExchanges(step: AppendStep, bodies: readonly Uint8Array[], context: StepContext): StepExchanges {
  if (step.messages.length === 0) return []
  if (step.messages.length > 1 && !can(context.server, 'MULTIAPPEND')) {
    return refusal('CANNOT', 'The server takes one message at a time.')
  }
  return upload(step, `APPEND ${context.argumentOf(step.target)}`, step.messages, bodies, context)
}

/** Only in the mailbox of the message that is replaced, which is open. */
export function replaceExchanges(step: ReplaceStep, bodies: readonly Uint8Array[], context: StepContext): StepExchanges {
  if (!can(context.server, 'REPLACE')) return refusal('CANNOT', 'The server cannot replace a message.')
  return upload(step, `UID REPLACE ${step.uid} ${context.argumentOf(step.target)}`, [step.message], bodies, context)
}

function upload(
  step: AppendStep | ReplaceStep,
  command: string,
  messages: readonly OutgoingMessage[],
  bodies: readonly Uint8Array[],
  { server }: StepContext,
): StepExchanges {
  const limit = server.appendLimitOctets
  if (limit !== null && bodies.some((bytes) => bytes.length > limit)) {
    return refusal('TOOBIG', `The server takes messages of at most ${limit} octets.`)
  }
  const parts: CommandPart[] = [command]
  for (const [index, message] of messages.entries()) {
    const literal = bodies[index]
    if (literal === undefined || literal.length === 0) return refusal(null, 'A message without octets cannot be appended.')
    if (literal.includes(0)) return refusal(null, 'A message that holds NUL cannot be appended.')
    // A message with UTF-8 in its header goes as such where UTF-8 is enabled (RFC 6855 §4).
    const isUtf8 = takesUtf8Only(server) && has8BitHeader(literal)
    const start = isUtf8 ? 'UTF8 (~' : ''
    parts.push(` (${flagsOf(message).join(' ')}) ${formatInternalDate(message.internalDate)} ${start}`)
    parts.push({ literal, isSynchronising: mustAsk(literal, server) })
    if (isUtf8) parts.push(')')
  }
  return [exchange(step, messages.length, parts)]
}

function flagsOf(message: OutgoingMessage): readonly string[] {
  return normaliseFlags(message.flags).map(parseFlag)
}

function mustAsk(literal: Uint8Array, server: ServerProfile): boolean {
  if (can(server, 'LITERAL+')) return false
  return !can(server, 'LITERAL-') || literal.length > LITERAL_MINUS_OCTETS_MAX
}

const LF = 0x0a
const CR = 0x0d

/** Whether there is anything but ASCII before the empty line that ends the header. */
function has8BitHeader(bytes: Uint8Array): boolean {
  for (const [at, octet] of bytes.entries()) {
    if (octet > 0x7f) return true
    if (octet === LF && (bytes[at + 1] === LF || (bytes[at + 1] === CR && bytes[at + 2] === LF))) return false
  }
  return false
}

/** REPLACE may tell APPENDUID in an untagged OK before the tagged one (RFC 8508 §3.3). */
function exchange(step: AppendStep | ReplaceStep, count: number, parts: readonly CommandPart[]): Exchange {
  const take = (code: ResponseCode | null, tell: Tell): boolean => {
    if (code?.name !== 'APPENDUID') return false
    const appended = readAppendUid(step, count, code.args)
    if (appended !== null) tell(appended)
    return true
  }
  return {
    parts,
    take: (response, tell) => response.kind === 'condition' && take(response.code, tell),
    finish: ({ code }, tell) => {
      take(code, tell)
      return undefined
    },
  }
}

/** `38505 3955` or `38505 4:6`. A code that does not name every message is no evidence. */
function readAppendUid(step: AppendStep | ReplaceStep, count: number, args: string): Appended | null {
  const [digits, set] = args.split(' ')
  const validity = Number(digits)
  if (set === undefined || !Number.isInteger(validity) || validity < 1 || validity > UID_MAX) return null
  const uids = expand(set, count)
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
