/** Holds the rules of the house over every source and test, and shows that each rule is able to fail. */

import { describe, expect, it } from 'vitest'
import { filesUnder, type SourceFile } from './source-files.ts'
import {
  fileLength,
  fileName,
  functionLength,
  isTest,
  leftovers,
  noAny,
  noDefaultExport,
  onlyExports,
  openingSentence,
  purity,
  type TidyRule,
} from './tidy-rules.ts'

const everything = filesUnder('', /^(packages|test|benchmarks|demo)\/.*\.(ts|mts|js|mjs)$/)
const sources = everything.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path) && !isTest(path))
const indexes = sources.filter(({ path }) => path.endsWith('/src/index.ts'))
const decisions = sources.filter(({ path }) => /^packages\/(core|replay-log|planner)\/src\//.test(path))

/** Each rule, the files it is for, and files that break it, each in one way. */
const RULES: readonly {
  readonly says: string
  readonly rule: TidyRule
  readonly files: readonly SourceFile[]
  readonly wrong: readonly SourceFile[]
}[] = [
  {
    says: 'files are named after what they are, in kebab-case',
    rule: fileName,
    files: everything,
    wrong: [file('packages/x/src/mail-utils.ts', ''), file('packages/x/src/mailBox.ts', '')],
  },
  {
    says: 'a file fits a sitting',
    rule: fileLength,
    files: everything,
    wrong: [file('packages/x/src/long.ts', '\n'.repeat(301)), file('test/long.test.ts', '\n'.repeat(601))],
  },
  {
    says: 'a function fits a screen',
    rule: functionLength,
    files: sources,
    wrong: [file('packages/x/src/long.ts', `export const long = (): void => {${'\n'.repeat(80)}}`)],
  },
  {
    says: 'a file opens with a sentence',
    rule: openingSentence,
    files: sources.filter((source) => !indexes.includes(source)),
    wrong: [file('packages/x/src/mute.ts', '/** The mute one */\nexport {}'), file('packages/x/src/mute.ts', 'export {}')],
  },
  {
    says: 'decisions are pure',
    rule: purity,
    files: decisions,
    wrong: [
      'f(Date.now())',
      'f(new Date(0))',
      'f(Math.random())',
      'setTimeout(f, 1)',
      'export async function f() {}',
      'await f()',
    ].map((text) => file('packages/core/src/wrong.ts', text)),
  },
  {
    says: 'nothing is promised, silenced, left out or of one machine',
    rule: leftovers,
    files: everything,
    wrong: [`// ${'TO'}${'DO'}: later`, `// @ts-${'ignore'}`, `it.${'skip'}('x', f)`, `open('/${'home'}/ada/mail')`].map((text) =>
      file('test/wrong.test.ts', text),
    ),
  },
  { says: 'types say something', rule: noAny, files: everything, wrong: [file('test/wrong.ts', 'let x: any')] },
  {
    says: 'exports have names',
    rule: noDefaultExport,
    files: everything.filter(({ path }) => !path.endsWith('.config.ts')),
    wrong: [file('test/wrong.ts', 'export default function f() {}'), file('test/wrong.ts', 'export default 1')],
  },
  { says: 'index.ts only exports', rule: onlyExports, files: indexes, wrong: [file('packages/x/src/index.ts', 'const x = 1')] },
]

describe('the house is tidy', () => {
  it.each(RULES)('$says', ({ rule, files, wrong }) => {
    for (const example of wrong) expect(rule(example), `the rule finds what is wrong with ${example.text.trim()}`).not.toEqual([])
    expect(files.length, 'files that were looked at').toBeGreaterThan(0)
    expect(files.flatMap(rule)).toEqual([])
  })

  it('looks at every package', () => {
    expect(indexes.map(({ path }) => path.split('/')[1]).sort()).toEqual(
      [...new Set(filesUnder('packages', /^packages\/[^/]+\/package\.json$/).map(({ path }) => path.split('/')[1]))].sort(),
    )
  })
})

function file(path: string, text: string): SourceFile {
  return { path, text }
}
