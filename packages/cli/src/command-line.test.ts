import { describe, expect, it } from 'vitest'
import { parseCommandLine } from './command-line.ts'

const parse = (...words: string[]) => parseCommandLine(words, '1.2.3')
const usage = (message: string) => expect.objectContaining({ code: 'input.usage', message })

describe('parseCommandLine', () => {
  it('takes options before and after the arguments', () => {
    expect(parse('list', '--store', 'd', 'INBOX', '--json')).toMatchObject({ kind: 'verb', options: { store: 'd', json: true } })
    expect(parse('sync', '--port', '1143')).toMatchObject({ options: { port: 1143 } })
  })

  it('prints help and version as text', () => {
    expect(parse('--version')).toEqual({ kind: 'text', text: '1.2.3' })
    expect(parse('--help')).toMatchObject({ kind: 'text', text: expect.stringContaining('append') })
    expect(parse('flag', '--help')).toMatchObject({ kind: 'text', text: expect.stringContaining('--remove') })
  })

  it('says in one line what it does not understand', () => {
    expect(() => parse()).toThrow(usage('No verb was given.'))
    expect(() => parse('sink')).toThrow(usage("Unknown command 'sink'."))
    expect(() => parse('list', '--nope')).toThrow(usage("Unknown option '--nope'."))
    expect(() => parse('move', 'INBOX', '1')).toThrow(usage("Missing required argument 'target'."))
    expect(() => parse('list', 'a', 'b')).toThrow(expect.objectContaining({ code: 'input.usage' }))
    expect(() => parse('sync', '--port', '99999')).toThrow(expect.objectContaining({ code: 'input.usage' }))
    expect(() => parse('sync', '--security', 'ssl')).toThrow(expect.objectContaining({ code: 'input.usage' }))
    expect(() => parse('list', '--store')).toThrow(expect.objectContaining({ code: 'input.usage' }))
  })

  // Verifies: I-SEC-1
  it('takes no password as an argument', () => {
    expect(() => parse('sync', '--password', 'geheim')).toThrow(usage("Unknown option '--password'."))
  })
})
