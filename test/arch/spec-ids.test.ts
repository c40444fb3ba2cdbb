/** Holds docs/spec and the tests together: nothing unknown is cited, and what this version must hold is cited, or listed with the reason why it is not. */

import { describe, expect, it } from 'vitest'
import { citationsIn, currentVersion, isDue, notHeldIn, readCitations, readNotHeld, readSpec, rowsOf } from './spec.ts'

const spec = readSpec()
const citations = readCitations()
const notHeld = readNotHeld()

describe('the specification', () => {
  it('names every rule once, with the release that must hold it', () => {
    const ids = spec.map((row) => row.id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(spec.filter((row) => !/^\d+\.\d+$/.test(row.release) || row.statement === '')).toEqual([])
    for (const family of ['I-', 'H-', 'DC-', 'FIELD-'])
      expect(ids.filter((id) => id.startsWith(family)).length).toBeGreaterThan(10)
  })

  it('knows everything that a test cites', () => {
    const ids = new Set(spec.map((row) => row.id))
    expect(citations.filter((citation) => !ids.has(citation.id)).map(({ id, at }) => `${id} at ${at}`)).toEqual([])
  })

  it('is held by a test wherever this version must hold it, or says why not', () => {
    const cited = new Set([...citations, ...notHeld].map(({ id }) => id))
    const due = spec.filter((row) => isDue({ release: row.release, version: currentVersion() }))
    expect(due.length).toBeGreaterThan(20)
    const missing = due.filter((row) => !cited.has(row.id)).map((row) => row.id)
    expect(missing, `No test says "Verifies:" for ${missing.join(', ')}`).toEqual([])
  })

  it('gives one reason, in a sentence, for each row that is not held, and none for one that is', () => {
    const ids = notHeld.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(notHeld.filter(({ why }) => !/^[A-Z].{30,}\.$/.test(why))).toEqual([])
    const known = new Set(spec.map((row) => row.id))
    expect(ids.filter((id) => !known.has(id))).toEqual([])
    const cited = new Set(citations.map((citation) => citation.id))
    expect(ids.filter((id) => cited.has(id))).toEqual([])
  })

  it('has no invariant and no hard case that is not held', () => {
    expect(notHeld.filter(({ id }) => /^[IH]-/.test(id))).toEqual([])
  })
})

describe('the reader of the specification', () => {
  it('reads the tables with an ID, and no other', () => {
    const text =
      '| word | meaning |\n| --- | --- |\n| x | y |\n\n| ID | statement | release |\n| --- | --- | --- |\n| I-X-1 | a \\| b | 0.2 |\n'
    expect(rowsOf('page.md', text)).toEqual([{ id: 'I-X-1', statement: 'a \\| b', release: '0.2', page: 'page.md' }])
  })

  it('reads what is not held, which is no row of its own', () => {
    const text = '| not held | why |\n| --- | --- |\n| DC-1-2 | Nobody asks for it. |\n'
    expect(notHeldIn(text)).toEqual([{ id: 'DC-1-2', why: 'Nobody asks for it.' }])
    expect(rowsOf('page.md', text)).toEqual([])
    expect(notHeldIn('| ID | statement | release |\n| --- | --- | --- |\n| I-X-1 | a | 0.2 |\n')).toEqual([])
  })

  it('reads citations in titles and in comments of several lines', () => {
    const says = (rest: string): string => `Verifies${':'} ${rest}`
    const text = `it('goes back (${says('I-X-1')})', f)\n/**\n * ${says('DC-4549-5.1-N1, FIELD-3,')}\n * H-4.\n */`
    expect(citationsIn({ path: 'x.test.ts', text })).toEqual([
      { id: 'I-X-1', at: 'x.test.ts:1' },
      { id: 'DC-4549-5.1-N1', at: 'x.test.ts:3' },
      { id: 'FIELD-3', at: 'x.test.ts:3' },
      { id: 'H-4', at: 'x.test.ts:3' },
    ])
  })

  it.each([
    { release: '0.1', version: '0.1.0', due: true },
    { release: '0.2', version: '0.1.9', due: false },
    { release: '0.2', version: '0.10.0', due: true },
    { release: '0.9', version: '1.0.0', due: true },
  ])('takes release $release to be due at $version: $due', ({ release, version, due }) => {
    expect(isDue({ release, version })).toBe(due)
  })
})
