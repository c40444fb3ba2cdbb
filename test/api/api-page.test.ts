/** Holds the page of the public API to the truth: each of its examples is type-checked and run. */

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Example, examplesOf, moduleOf } from './page-examples.ts'
import { GIVEN, takeComparisons, tearDown } from './page-scene.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SCENE = join(ROOT, 'test/api/page-scene.ts')
const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')
const examples = examplesOf(page)
const TYPE_CHECK_MS_MAX = 60_000

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemail-api-page-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
})

afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  vi.spyOn(console, 'log').mockReturnValue()
})
afterEach(tearDown)

function write(name: string, example: Example, instead: Readonly<Record<string, string>>): string {
  const file = join(folder, name)
  writeFileSync(file, moduleOf(example, { scene: SCENE, given: GIVEN, instead }))
  return file
}

/** What the compiler says, with the lines of the page. */
function complaintsAbout(files: ReadonlyMap<string, Example>): readonly string[] {
  const config = ts.readConfigFile(join(ROOT, 'test/tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [] }, ts.sys, join(ROOT, 'test'))
  const program = ts.createProgram([...files.keys()], { ...options, incremental: false, noEmit: true })
  return [...files].flatMap(([file, example]) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((diagnostic) => {
      const { line } = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0) ?? { line: 0 }
      return `docs/api.md:${example.line + line - 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`
    })
  })
}

describe('docs/api.md', () => {
  it('has examples, and results in them', () => {
    expect(examples.length).toBeGreaterThan(15)
    expect(page.match(/^ *```ts$/gm)).toHaveLength(examples.length)
    expect(page.match(/ \/\/ => /g)?.length).toBeGreaterThan(20)
  })

  it('names everything that an engine can do', () => {
    const api = readFileSync(join(ROOT, 'packages/engine/src/api.ts'), 'utf8')
    const body = /export interface MailEngine \{(.*?)\n\}/s.exec(api)?.[1] ?? ''
    const names = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map((match) => match[1] ?? '')
    expect(names).toContain('syncOnce')
    expect(names.filter((name) => name !== 'accountId' && !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
  })

  it('has examples that are correctly typed', { timeout: TYPE_CHECK_MS_MAX }, () => {
    const files = new Map(examples.map((example, i) => [write(`checked-${i}.ts`, example, {}), example]))
    expect(complaintsAbout(files)).toEqual([])
  })

  it('would be found out if an example were wrong', { timeout: TYPE_CHECK_MS_MAX }, () => {
    const code = "const report = await mail.syncOnce()\nreport.outcome // => 'finished'"
    const file = write('wrong.ts', { line: 7, heading: 'wrong', code }, {})
    expect(complaintsAbout(new Map([[file, { line: 7, heading: 'wrong', code }]]))).toEqual([
      expect.stringMatching(/^docs\/api\.md:8 .*'"finished"' is not assignable/),
    ])
  })

  it.each(examples.map((example) => [example.heading, example.line, example] as const))(
    'runs "%s", line %i',
    async (_, line, example) => {
      const file = write(`run-${line}.ts`, example, { tidemail: SCENE, 'tidemail/node': SCENE })
      await import(pathToFileURL(file).href)
      expect(takeComparisons()).toBe(example.code.match(/ \/\/ => /g)?.length ?? 0)
    },
  )
})
