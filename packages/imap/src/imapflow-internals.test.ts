/** The contract with imapflow: fails loudly when a new version moves what this package uses. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { ImapFlow } from 'imapflow'
import { describe, expect, it } from 'vitest'
import { decodeHeaderText, decodeParameters, internalsOf } from './imapflow-internals.ts'

const client = new ImapFlow({ host: 'localhost', port: 1, logger: false, auth: { user: 'u', pass: 'p' } })

describe('imapflow', () => {
  it('is the version this package was written for', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect((ImapFlow as unknown as { version: string }).version).toBe('2.10.2')
    expect(manifest.dependencies['imapflow']).toBe('2.10.2')
  })

  it('has the members used at run time', () => {
    const internals = internalsOf(client)
    expect(internals.commands).toBeInstanceOf(Map)
    for (const name of ['ID', 'NAMESPACE', 'LOGIN', 'AUTHENTICATE'])
      expect(internals.commands.get(name), name).toBeTypeOf('function')
    expect(internals.capabilities).toBeInstanceOf(Map)
    expect(internals.exec).toBeTypeOf('function')
    expect(internals.write).toBeTypeOf('function')
    expect(client.unbind).toBeTypeOf('function')
    expect(client.close).toBeTypeOf('function')
  })

  it('looks its commands up in the table of the client', async () => {
    const internals = internalsOf(client) as unknown as { runInternal: (name: string) => Promise<unknown>; socket: unknown }
    internalsOf(client).commands = new Map([['ID', () => Promise.resolve('ours')]])
    internals.socket = { destroyed: false }
    expect(await internals.runInternal('ID')).toBe('ours')
    internals.socket = false
  })

  it('decodes headers and parameters', () => {
    expect(decodeHeaderText('=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?q?_=FC?=')).toBe('Grüße ü')
    expect(decodeHeaderText('plain "text"')).toBe('plain "text"')
    expect(decodeParameters(['FILENAME*0*', "utf-8''%C3%BC", 'filename*1', '.pdf']).get('filename')).toBe('ü.pdf')
  })

  it('reads whatever the writer of a message calls its parameters, and never fails', () => {
    expect(decodeParameters(['name**', 'a', 'name*', 'b', 'charset', 'utf-8']).size).toBeLessThan(3)
    const pieces = fc.constantFrom(
      '=?',
      '?=',
      'utf-8',
      'x-none',
      'utf-7',
      '?Q?',
      '?B?',
      '%E2',
      '=ZZ',
      "''",
      ' ',
      '\0',
      '\xe9',
      'toString',
    )
    const text = fc.array(pieces, { maxLength: 12 }).map((words) => words.join(''))
    const name = fc.constantFrom(
      'name',
      'name*',
      'name**',
      'name*0*',
      'name*999999999*',
      '__proto__*0',
      'constructor*',
      '*',
      '**',
      '',
    )
    const pairs = fc.array(fc.tuple(name, fc.option(text)), { maxLength: 6 }).map((list) => list.flat())
    fc.assert(
      fc.property(text, pairs, (header, list) => {
        expect(decodeHeaderText(header)).toBeTypeOf('string')
        for (const value of decodeParameters(list).values()) expect(value).toBeTypeOf('string')
      }),
      { numRuns: 2_000 },
    )
  })
})
