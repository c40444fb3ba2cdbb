/** The one line of JSON that hands an operation over, and the one that answers it. */

import { ERROR_CATALOGUE, type ErrorCode, parseFlag, SyncError } from '@tidemail/core'
import { failureOf } from './failure.ts'
import { type AcceptedOperation, MAILBOX_ACTIONS, type OperationRequest } from './operation-request.ts'

/** Rises when the meaning of a line changes: two versions of Tidemail may meet at one store. */
const PROTOCOL_VERSION = 1

const WAIT_FOR_THE_OWNER = 'Wait until the other tidemail has ended, and run the command again.'

type Fields = Readonly<Record<string, unknown>>

export function encodeRequest(request: OperationRequest): string {
  const bytes = 'bytes' in request ? { bytes: Buffer.from(request.bytes).toString('base64') } : {}
  return JSON.stringify({ v: PROTOCOL_VERSION, ...request, ...bytes })
}

/** @throws SyncError `store.in-use` for what is no request of this version; `input.bad-flag` */
export function decodeRequest(line: string): OperationRequest {
  const fields = parseLine(line)
  const { verb } = fields
  switch (verb) {
    case 'flag': {
      const when = fields['when'] === 'unchanged' ? ('unchanged' as const) : ('whatever' as const)
      const flags = { add: flagsOf(fields, 'add'), remove: flagsOf(fields, 'remove'), when }
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
    case 'delete':
      return {
        verb,
        mailbox: textOf(fields, 'mailbox'),
        messages: textOf(fields, 'messages'),
        trash: textOrNull(fields, 'trash'),
      }
    case 'draft': {
      const bytes = Buffer.from(textOf(fields, 'bytes'), 'base64')
      return { verb, mailbox: textOrNull(fields, 'mailbox'), replaces: textOrNull(fields, 'replaces'), bytes }
    }
    case 'mailbox': {
      const mailbox = textOf(fields, 'mailbox')
      const action = MAILBOX_ACTIONS.find((one) => one === fields['action'])
      if (action === undefined) throw notUnderstood()
      return action === 'rename' ? { verb, action, mailbox, path: textOf(fields, 'path') } : { verb, action, mailbox }
    }
    case 'retarget':
      return { verb, seq: numberOf(fields, 'seq'), mailbox: textOf(fields, 'mailbox') }
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
    // A store that failed under its owner is opened again only when the owner has ended.
    const hint = refused['code'] === 'store.poisoned' ? WAIT_FOR_THE_OWNER : textOf(refused, 'hint')
    throw new SyncError(refused['code'], textOf(refused, 'message'), { hint })
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

function textOrNull(fields: Fields, key: string): string | null {
  return fields[key] === null ? null : textOf(fields, key)
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
