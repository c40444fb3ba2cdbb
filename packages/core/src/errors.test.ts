import { describe, expect, it } from 'vitest'
import { assertNever, ERROR_CATALOGUE, type ErrorCode, SyncError } from './errors.ts'

const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[]

describe('SyncError', () => {
  it('is told apart by its code, and keeps its cause, hint and message', () => {
    const cause = new Error('below')
    const error = new SyncError('remote.timeout', 'No answer.', { hint: 'Try again.', cause, scope: 'mailbox', recovery: 'none' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'SyncError',
      code: 'remote.timeout',
      message: 'No answer.',
      hint: 'Try again.',
      cause,
      scope: 'mailbox',
      recovery: 'none',
    })
  })

  it('has no cause where none is given', () => {
    expect(Object.hasOwn(new SyncError('engine.bug', 'x'), 'cause')).toBe(false)
  })

  it.each<[ErrorCode, string, string]>([
    ['input.bad-uid', 'operation', 'fix-input'],
    ['remote.unreachable', 'account', 'retry-later'],
    ['remote.disconnected', 'account', 'retry-later'],
    ['remote.auth-rejected', 'account', 'ask-user'],
    ['account.missing-secret', 'account', 'ask-user'],
    ['store.in-use', 'store', 'retry-later'],
    ['store.corrupt', 'store', 'none'],
    ['engine.not-leader', 'account', 'retry-later'],
  ])('%s stops the %s, and what can be done is %s', (code, scope, recovery) => {
    expect(new SyncError(code, 'x')).toMatchObject({ scope, recovery })
  })
})

describe('the catalogue', () => {
  it.each(CODES)('%s has a sentence and an exit status of sysexits.h, or that of an interrupt', (code) => {
    const { exit, meaning } = ERROR_CATALOGUE[code]
    expect(exit === 130 || (exit >= 64 && exit <= 78)).toBe(true)
    expect(meaning).toMatch(/^[A-Z].*\.$/)
    expect(code).toMatch(/^(input|remote|account|store|engine|sync|output)\.[a-z-]+$/)
  })
})

describe('assertNever', () => {
  it('calls what cannot be a bug', () => {
    expect(() => assertNever('x' as never)).toThrow(expect.objectContaining({ code: 'engine.bug' }))
  })
})
