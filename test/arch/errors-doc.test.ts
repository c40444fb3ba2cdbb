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

  it('has each row provoked from the command line by a test, or says why it cannot be', () => {
    const tests = ['cli-failures.test.ts', 'cli-failures-store.test.ts', 'cli-windows.test.ts'].map((name) => {
      return readFileSync(new URL(`../e2e/${name}`, import.meta.url), 'utf8')
    })
    const provoked = codes.filter((code) => tests.some((text) => text.includes(`'${code}', ${ERROR_CATALOGUE[code].exit})`)))
    expect([...provoked, ...Object.keys(NOT_FROM_THE_COMMAND_LINE)].sort()).toEqual([...codes].sort())
  })
})

/** Codes that no command line can bring about, with why. */
const NOT_FROM_THE_COMMAND_LINE: Readonly<Partial<Record<ErrorCode, string>>> = {
  'input.bad-uid': 'arguments are read as UID sets, and say input.bad-uid-set',
  'input.bad-mod-seq': 'no argument is a mod-sequence',
  'input.part-too-large': 'takes a message of more than 256 MiB',
  'input.bad-address': 'no command sends messages',
  'input.no-sent': 'no command sends messages',
  'account.no-submitter': 'no command sends messages',
  'store.closed': 'a command closes its store last',
  'engine.closed': 'a command closes its engine last',
  'engine.not-leader': 'one process owns a store, and one engine runs in it',
  'engine.bug': 'is a bug',
}
