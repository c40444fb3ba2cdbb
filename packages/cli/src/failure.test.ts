import { ERROR_CATALOGUE, type ErrorCode, SyncError } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { failureLines, failureOf } from './failure.ts'

describe('failureOf', () => {
  it.each(Object.keys(ERROR_CATALOGUE) as ErrorCode[])('tells %s in two lines, with the exit status of the catalogue', (code) => {
    const failure = failureOf(new SyncError(code, 'It went\u001b[31m wrong.\n    at somewhere (file.ts:1:1)'))
    expect(failure.exitStatus).toBe(ERROR_CATALOGUE[code].exit)
    const [message, hint] = failureLines(failure)
    expect(message).toBe(`tidemail: It went\u241b[31m wrong. (${code})`)
    expect(hint).toMatch(/^hint: [^\n]{10,}[.?]$/)
  })

  it.each([
    ['ENOENT', 'input.file-missing'],
    ['EROFS', 'store.read-only'],
    ['ENOSPC', 'store.full'],
    ['EIO', 'store.io'],
    ['EPIPE', 'output.closed'],
    ['EWHATEVER', 'engine.bug'],
  ])('understands the %s of the operating system', (errno, code) => {
    expect(failureOf(Object.assign(new Error('The system said so.'), { code: errno }))).toMatchObject({ code })
  })

  it('takes whatever else is thrown for a bug, and shows no stack', () => {
    const bug = failureOf(new TypeError('x is not a function'))
    expect(bug).toMatchObject({ code: 'engine.bug', exitStatus: 70 })
    expect(failureLines(bug).join('\n')).not.toMatch(/\bat .+:\d+:\d+/)
    expect(failureOf('text')).toMatchObject({ code: 'engine.bug', message: 'Something that cannot happen has happened: text' })
  })
})
