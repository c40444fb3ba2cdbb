/** The one line of JSON that hands an operation over, and the one that answers it. */

import { ERROR_CATALOGUE, type ErrorCode, parseFlag, SyncError } from '@tidemail/core'
import { failureOf } from './failure.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'

/** Rises when the meaning of a line changes: two versions of Tidemail may meet at one store. */
const PROTOCOL_VERSION = 1

type Fields = Readonly<Record<string, unknown>>

export function encodeRequest(request: OperationRequest): string {
  const bytes = request.verb === 'append' ? { bytes: Buffer.from(request.bytes).toString('base64') } : {}
  return JSON.stringify({ v: PROTOCOL_VERSION, ...request, ...bytes })
}

/** @throws SyncError `store.in-use` for what is no request of this version; `input.bad-flag` */
export function decodeRequest(line: string): OperationRequest {
  const fields = parseLine(line)
  const { verb } = fields
  switch (verb) {
    case 'flag': {
      const flags = { add: flagsOf(fields, 'add'), remove: flagsOf(fields, 'remove') }
      return { verb, mailbox: textOf(fields, 'mailbox'), messages: textOf(fields, 'messages'), ...flags }
    }
    case 'move':
    case 'copy': {
      const target = textOf(fields, 'target')
      return { verb, mailbox: textOf(fields, 'mailbox'), messages: textOf(fields, 'messages'), target }
    }
    case 'expunge':
      return { verb, mailbox: textOf(fields, 'mailbox'), messages: textOf(fields, 'messages') }
    case 'append': {
      const internalDate = fields['internalDate'] === null ? null : numberOf(fields, 'internalDate')
      const bytes = Buffer.from(textOf(fields, 'bytes'), 'base64')
      return { verb, mailbox: textOf(fields, 'mailbox'), flags: flagsOf(fields, 'flags'), internalDate, bytes }
    }
    case 'undo':
    case 'retry':
    case 'discard':
      return { verb, seq: numberOf(fields, 'seq') }
    default:
      throw notUnderstood()
  }
}

export function encodeAccepted(accepted: readonly AcceptedOperation[]): string {
  return JSON.stringify({ v: PROTOCOL_VERSION, accepted })
}

export function encodeRefusal(error: unknown): string {
  const { code, message, hint } = failureOf(error)
  return JSON.stringify({ v: PROTOCOL_VERSION, refused: { code, message, hint } })
}

/** @throws SyncError what the owner refused the operation with; `store.in-use` for what is no answer of this version */
export function decodeAnswer(line: string): readonly AcceptedOperation[] {
  const { accepted, refused } = parseLine(line)
  if (isFields(refused) && isErrorCode(refused['code'])) {
    throw new SyncError(refused['code'], textOf(refused, 'message'), { hint: textOf(refused, 'hint') })
  }
  if (!Array.isArray(accepted)) throw notUnderstood()
  return accepted.map((operation: unknown) => {
    if (!isFields(operation)) throw notUnderstood()
    return { seq: numberOf(operation, 'seq'), description: textOf(operation, 'description') }
  })
}

function parseLine(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line)
    if (isFields(value) && value['v'] === PROTOCOL_VERSION) return value
  } catch (cause) {
    throw notUnderstood(cause)
  }
  throw notUnderstood()
}

function textOf(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw notUnderstood()
  return value
}

function numberOf(fields: Fields, key: string): number {
  const value = fields[key]
  if (typeof value !== 'number') throw notUnderstood()
  return value
}

function flagsOf(fields: Fields, key: string): readonly string[] {
  const value = fields[key]
  if (!Array.isArray(value)) throw notUnderstood()
  return value.map((flag: unknown) => (typeof flag === 'string' ? parseFlag(flag) : notAFlag()))
}

function notAFlag(): never {
  throw notUnderstood()
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value)
}

function notUnderstood(cause?: unknown): SyncError {
  return new SyncError('store.in-use', 'Another version of Tidemail owns the store and does not understand the operation.', {
    hint: 'Wait until it has ended, and run the command again.',
    ...(cause === undefined ? {} : { cause }),
  })
}
