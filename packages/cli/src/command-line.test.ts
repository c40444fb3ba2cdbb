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

  it('takes a new path with `mailbox rename`, and only there', () => {
    expect(parse('mailbox', 'create', 'Projects')).toMatchObject({ kind: 'verb' })
    expect(parse('mailbox', 'rename', 'Projects', 'Work')).toMatchObject({ kind: 'verb' })
    expect(() => parse('mailbox', 'rename', 'Projects')).toThrow(
      usage('The new path is missing: tidemail mailbox rename PATH NEW.'),
    )
    expect(() => parse('mailbox', 'delete', 'a', 'b')).toThrow(expect.objectContaining({ code: 'input.usage' }))
    expect(() => parse('mailbox', 'burn', 'a')).toThrow(expect.objectContaining({ code: 'input.usage' }))
  })

  it.each([
    ['list', '-dash'],
    ['sync', '-dash'],
    ['plan', '-dash'],
    ['show', '-dash', '1'],
    ['flag', '-dash', '1', '--add', 'seen'],
    ['move', 'INBOX', '1', '-dash'],
    ['copy', 'INBOX', '1', '-dash'],
    ['expunge', '-dash', '1'],
    ['delete', '-dash', '1'],
    ['draft', '-dash'],
    ['mailbox', 'create', '-dash'],
    ['append', 'INBOX', '-dash'],
  ])('says how a name is written that begins with a dash: %s', (verb, ...words) => {
    const hint = expect.stringMatching(new RegExp(`\`tidemail ${verb} (\\.\\.\\. )?-- -dash\`.*\`tidemail ${verb} --help\``))
    expect(() => parse(verb, ...words)).toThrow(expect.objectContaining({ code: 'input.usage', hint }))
    expect(parse(verb, '--json', '--', ...words.filter((word) => !/^(--add|seen)$/.test(word)))).toMatchObject({ kind: 'verb' })
  })

  // Verifies: I-SEC-1
  it('takes no password as an argument', () => {
    expect(() => parse('sync', '--password', 'geheim')).toThrow(usage("Unknown option '--password'."))
  })
})
