/** Holds docs/errors.md, the catalogue of errors and the hints of the command line together. */

import { readFileSync } from 'node:fs'
import { ERROR_CATALOGUE, type ErrorCode, SyncError } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../packages/cli/src/failure.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `([^`]+)` \| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, code, exit, meaning, whatToDo]) => {
  return { code, exit: Number(exit), meaning, whatToDo }
})
const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[]

describe('docs/errors.md', () => {
  it('has one row for every code, in the order of the catalogue, and no other', () => {
    expect(rows.map(({ code }) => code)).toEqual(codes)
  })

  it.each(codes)('says of %s what the catalogue and the command say', (code) => {
    const { exit, meaning } = ERROR_CATALOGUE[code]
    expect(rows.find((row) => row.code === code)).toEqual({
      code,
      exit,
      meaning,
      whatToDo: failureOf(new SyncError(code, 'Something went wrong.')).hint,
    })
  })

  it('gives no failure the exit status of success', () => {
    expect(codes.filter((code) => ERROR_CATALOGUE[code].exit === 0)).toEqual([])
  })
})
