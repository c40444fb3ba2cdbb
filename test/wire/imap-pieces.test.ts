/** Ranges of a section: what is asked for, and what servers make of it (RFC 9051 §6.4.5). */

import { afterEach, describe, expect, it } from 'vitest'
import { closeScripted, connectScripted, ofKind, outcomes, selectLines, step } from './scripted-session.ts'

afterEach(closeScripted)

const FIRST = { uid: 5, section: '2', range: { offset: 0, lengthBytes: 4 } }
const SECOND = { uid: 5, section: '2', range: { offset: 4, lengthBytes: 4 } }
const ASKED_FIRST = 'UID FETCH 5 (UID BODY.PEEK[2]<0.4>)'
const ASKED_SECOND = 'UID FETCH 5 (UID BODY.PEEK[2]<4.4>)'

async function answered(first: string, second: string): Promise<readonly (string | null)[]> {
  const { run } = await connectScripted('UIDPLUS', async (peer) => {
    await peer.answer('SELECT "INBOX"', ...selectLines())
    await peer.answer(ASKED_FIRST, first, 'OK')
    await peer.answer(ASKED_SECOND, second, 'OK')
  })
  const seen = await run(step.open('a'), step.body('b', [FIRST]), step.body('c', [SECOND]))
  expect(outcomes(seen)).toBe('a:ok b:ok c:ok')
  return ofKind(seen, 'body').map(({ offset, bytes }) => (bytes === null ? null : `${offset} ${Buffer.from(bytes)}`))
}

describe('a range of a section', () => {
  // Verifies: DC-4549-4.3.1f, DC-4549-4.3.3a
  it('is asked for alone, and told with where it begins', async () => {
    expect(await answered('* 1 FETCH (UID 5 BODY[2]<0> {4}\r\nabcd)', '* 1 FETCH (UID 5 BODY[2]<4> "ef")')).toEqual([
      '0 abcd',
      '4 ef',
    ])
  })

  it('is empty beyond the end, whether the server says so, says NIL, or nothing', async () => {
    const first = '* 1 FETCH (UID 5 BODY[2]<0> "ab")'
    expect(await answered(first, '* 1 FETCH (UID 5 BODY[2]<4> "")')).toEqual(['0 ab', '4 '])
    expect(await answered(first, '* 1 FETCH (UID 5 BODY[2]<4> NIL)')).toEqual(['0 ab', null])
    expect(await answered(first, '* 1 FETCH (UID 5 FLAGS ())')).toEqual(['0 ab', null])
  })

  it('is cut out of more than was asked for', async () => {
    expect(await answered('* 1 FETCH (UID 5 BODY[2]<0> "abcdefgh")', '* 1 FETCH (UID 5 BODY[2]<4> "efghi")')).toEqual([
      '0 abcd',
      '4 efgh',
    ])
  })

  it('is cut out of the whole section where the server knows no ranges', async () => {
    const whole = '* 1 FETCH (UID 5 BODY[2] "abcdefg")'
    expect(await answered(whole, whole)).toEqual(['0 abcd', '4 efg'])
  })

  it('is not taken from elsewhere in the section', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer(ASKED_FIRST, '* 1 FETCH (UID 5 BODY[2]<4> "efgh")', 'OK')
    })
    const seen = await run(step.open('a'), step.body('b', [FIRST]))
    expect(ofKind(seen, 'body').map(({ offset, bytes }) => [offset, bytes])).toEqual([[0, null]])
  })

  it('is told apart from others of the section that are under way at once', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      const first = await peer.expect(ASKED_FIRST)
      const second = await peer.expect(ASKED_SECOND)
      peer.send('* 1 FETCH (UID 5 BODY[2]<4> "efgh")', '* 1 FETCH (UID 5 BODY[2]<0> "abcd")', `${first} OK`, `${second} OK`)
    })
    const seen = await run(step.open('a'), step.body('b', [FIRST]), step.body('c', [SECOND]))
    const told = ofKind(seen, 'body').map(({ id, offset, bytes }) => `${id} ${offset} ${Buffer.from(bytes ?? [])}`)
    expect(told.toSorted()).toEqual(['b 0 abcd', 'c 4 efgh'])
  })
})
