/** Answers that real servers give and the RFC does not have: the row they spoil is all they cost. */

import { afterEach, describe, expect, it } from 'vitest'
import { closeScripted, connectScripted, ofKind, outcomes, selectLines, step } from './scripted-session.ts'

const PLAIN = 'UIDPLUS MOVE'
const DATE = 'INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 100'
const TEXT_PART = '"TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 6 1'

afterEach(closeScripted)

/** `1.1.1`: as deep as many parts within parts. */
function deepSection(depth: number): string {
  return Array.from({ length: depth }, () => '1').join('.')
}

/** A structure of so many multiparts within each other, each with a text beside. */
function deepStructure(depth: number): string {
  return depth === 0 ? `(${TEXT_PART})` : `(${deepStructure(depth - 1)}(${TEXT_PART}) "MIXED")`
}

describe('a part nested deeper than a server can name', () => {
  // Verifies: I-SYNC-1; Cyrus 3.6 answers so, without the bracket, when the name of a section is longer than 92 octets.
  it.each([
    ['cut', `BODY[${deepSection(47)}{6}\r\nbeside`],
    ['cut before NIL', `BODY[${deepSection(47)}NIL`],
    ['cut before a string', `BODY[${deepSection(47)}"beside"`],
    ['unknown', `BODY[${deepSection(46)}] {6}\r\nbeside`],
  ])('is skipped where its name comes back %s, and what is beside it is not', async (_name, item) => {
    const { run, session } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID FETCH', `* 1 FETCH (UID 5 ${item} BODY[2] {5}\r\nhello FLAGS ())`, 'OK')
      await peer.answer('UID STORE', 'OK')
    })
    const parts = [
      { uid: 5, section: '1.9' },
      { uid: 5, section: '2' },
    ]
    const seen = await run(step.open('a'), step.body('b', parts), step.store('c', '5'))
    expect(session.ended).toBeNull()
    expect(outcomes(seen)).toBe('a:ok b:ok c:ok')
    expect(ofKind(seen, 'body').map(({ section, bytes }) => [section, bytes?.length ?? null])).toEqual([
      ['2', 5],
      ['1.9', null],
    ])
  })

  it('is not listed among the parts of its message, so that nobody asks for it', async () => {
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID FETCH', `* 1 FETCH (UID 5 FLAGS () ${DATE} ENVELOPE NIL BODYSTRUCTURE ${deepStructure(100)})`, 'OK')
    })
    const seen = await run(step.open('a'), step.fetch('b', '5', 'summary'))
    const sections = ofKind(seen, 'row')[0]?.summary?.parts.map(({ section }) => section) ?? []
    expect(sections).toContain('2')
    expect(sections).toContain(`${deepSection(20)}.2`)
    expect(Math.max(...sections.map(({ length }) => length))).toBeLessThanOrEqual(64)
  })

  it('is not asked for although it is known from an earlier look', async () => {
    const { run, server } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer('UID FETCH', '* 1 FETCH (UID 5 BODY[2] {5}\r\nhello)', 'OK')
      peer.finish()
    })
    const parts = [
      { uid: 5, section: deepSection(99) },
      { uid: 5, section: '2' },
      { uid: 6, section: deepSection(99) },
    ]
    const seen = await run(step.open('a'), step.body('b', parts))
    expect(outcomes(seen)).toBe('a:ok b:ok')
    expect(ofKind(seen, 'body').map(({ uid, section, bytes }) => [uid, section.length, bytes?.length ?? null])).toEqual([
      [5, 1, 5],
      [5, 197, null],
    ])
    const peer = await server.played
    expect(peer.lines.at(-1)).toMatch(/UID FETCH 5 \(UID BODY\.PEEK\[2\]\)$/)
  })
})

describe('an envelope', () => {
  const EMPTY = { subject: null, date: null, from: [], to: [], cc: [], bcc: [], messageId: null }

  it.each([
    ['is NIL', 'NIL', EMPTY],
    ['is an empty list', '()', EMPTY],
    [
      'ends too early',
      '(NIL "hi" (("Ann" NIL "ann" "b.c")))',
      { ...EMPTY, subject: 'hi', from: [{ name: 'Ann', address: 'ann@b.c' }] },
    ],
    [
      'has addresses of fewer fields',
      '(NIL "hi" (("Ann" NIL "ann")("Bob")()) NIL NIL ((NIL NIL "cy" "d.e" "more")) NIL NIL NIL "<x@y>")',
      {
        ...EMPTY,
        subject: 'hi',
        from: [
          { name: 'Ann', address: null },
          { name: 'Bob', address: null },
        ],
        to: [{ name: null, address: 'cy@d.e' }],
        messageId: '<x@y>',
      },
    ],
  ])('that %s does not end the session', async (_name, envelope, expected) => {
    const { run, session } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      const row = `FLAGS () ${DATE} ENVELOPE ${envelope} BODYSTRUCTURE (${TEXT_PART})`
      await peer.answer('UID FETCH', `* 1 FETCH (UID 5 ${row})`, 'OK')
    })
    const seen = await run(step.open('a'), step.fetch('b', '5', 'summary'))
    expect(session.ended).toBeNull()
    expect(outcomes(seen)).toBe('a:ok b:ok')
    expect(ofKind(seen, 'row')[0]?.summary?.envelope).toMatchObject(expected)
  })
})

describe('a mod-sequence of more than 63 bits', () => {
  it.each(['9223372036854775808', '9999999999999999999', '18446744073709551615', '-1', 'x'])(
    'such as %s is unknown, and costs no other row',
    async (digits) => {
      const capabilities = 'UIDPLUS LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE'
      const { run, session } = await connectScripted(capabilities, async (peer) => {
        const items = `MESSAGES 3 UIDNEXT 10 UIDVALIDITY 7 HIGHESTMODSEQ`
        await peer.answer(
          'LIST',
          '* LIST () "/" INBOX',
          '* LIST () "/" Odd',
          `* STATUS Odd (${items} ${digits})`,
          `* STATUS INBOX (${items} 40)`,
          'OK',
        )
        await peer.answer('STATUS', `* STATUS Odd (${items} ${digits})`, 'OK')
        await peer.answer('SELECT', ...selectLines([`* OK [HIGHESTMODSEQ ${digits}] odd`]))
      })
      const seen = await run(step.list('a'), step.status('b', 'Odd'), step.open('c', 'Odd'))
      expect(session.ended).toBeNull()
      expect(outcomes(seen)).toBe('a:ok b:ok c:ok')
      expect(ofKind(seen, 'status').map(({ path, messages, highestModSeq }) => [path, messages, highestModSeq])).toEqual([
        ['Odd', 3, null],
        ['INBOX', 3, 40n],
        ['Odd', 3, null],
      ])
      expect(ofKind(seen, 'opened')[0]?.highestModSeq).toBeNull()
    },
  )
})

describe('a mailbox that can only be read', () => {
  it.each([
    ['READ-ONLY', 'select', true],
    ['READ-WRITE', 'select', false],
    ['READ-ONLY', 'examine', true],
    ['PARSE', 'examine', true],
    ['PARSE', 'select', false],
  ] as const)('is told by [%s] in answer to %s', async (code, access, isReadOnly) => {
    const { run } = await connectScripted(PLAIN, async (peer) => {
      await peer.answer(access.toUpperCase(), ...selectLines([], code))
    })
    const seen = await run({ ...step.open('a'), access } as ReturnType<typeof step.open>)
    expect(ofKind(seen, 'opened')[0]?.isReadOnly).toBe(isReadOnly)
  })
})

describe('what nobody asked for', () => {
  // Verifies: I-SYNC-2
  it.each([
    ['SEARCH', '* SEARCH 1 2 3'],
    ['SEARCH of nothing', '* SEARCH'],
    ['ESEARCH of another tag', '* ESEARCH (TAG "nobody") UID ALL 1:3'],
    ['ESEARCH of an empty tag', '* ESEARCH (TAG "") UID'],
    ['ENABLED', '* ENABLED QRESYNC'],
    ['a row of UID 0', '* 1 FETCH (UID 0 FLAGS ())'],
  ])('is heard without harm, and says nothing of what is there: %s', async (_name, line) => {
    const { run, session } = await connectScripted('ESEARCH', async (peer) => {
      await peer.answer('SELECT "INBOX"', line, ...selectLines())
      const tag = await peer.expect('UID SEARCH RETURN (ALL) ALL')
      peer.send(line.includes('SEARCH') ? '* 3 EXISTS' : line, `* ESEARCH (TAG "${tag}") UID ALL 7:9`, `${tag} OK done`)
    })
    const seen = await run(step.open('a'), step.search('b'))
    expect(session.ended).toBeNull()
    expect(outcomes(seen)).toBe('a:ok b:ok')
    expect(session.server.enabled).toEqual([])
    expect(ofKind(seen, 'uids').map(({ uids }) => uids.toString())).toEqual(['7:9'])
    expect(ofKind(seen, 'row').filter(({ uid }) => uid === 0)).toEqual([])
  })
})
