/** Keeps the list of mutants true: one for each invariant of this version, each still applicable to the source. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MUTANTS } from '../mutants/mutants.ts'
import { SIM_MUTANTS } from '../mutants/sim-mutants.ts'
import { ROOT } from './source-files.ts'
import { citationsIn, currentVersion, isDue, readSpec } from './spec.ts'

describe('the mutants', () => {
  it('break every invariant that this version must hold', () => {
    const due = readSpec().filter(({ id, release }) => id.startsWith('I-') && isDue({ release, version: currentVersion() }))
    expect(due.length).toBeGreaterThan(10)
    const broken = new Set(MUTANTS.map((mutant) => mutant.invariant))
    const missing = due.map((row) => row.id).filter((id) => !broken.has(id))
    expect(missing, `no mutant breaks ${missing.join(', ')}`).toEqual([])
  })

  it.each(MUTANTS)('$invariant: $breaks', ({ invariant, file, find, replace, test, suite }) => {
    expect(readFileSync(join(ROOT, file), 'utf8').split(find).length - 1, `places in ${file} that the mutant is for`).toBe(1)
    expect(replace).not.toBe(find)
    expect(existsSync(join(ROOT, test)), test).toBe(true)
    const citing = suite ?? test
    const cited = citationsIn({ path: citing, text: readFileSync(join(ROOT, citing), 'utf8') }).map((citation) => citation.id)
    expect(cited, `what ${citing} says that it verifies`).toContain(invariant)
  })

  it.each(SIM_MUTANTS)('for the simulator, $name: have a place in the source', ({ file, find, replace }) => {
    expect(readFileSync(join(ROOT, file), 'utf8').split(find).length - 1, `places in ${file} that the mutant is for`).toBe(1)
    expect(replace).not.toBe(find)
  })
})
