/** The rules of the house as functions of one source file: each answers what breaks it, with its line. */

import ts from 'typescript'
import type { SourceFile } from './source-files.ts'

export const SOURCE_LINES_MAX = 300
export const TEST_LINES_MAX = 600
export const FUNCTION_LINES_MAX = 75

const BANNED_FILE_WORDS = ['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'handler', 'handlers', 'data', 'misc']

// Written in pieces: this file is read by the rules too.
const MARKS = new RegExp(`\\b(${['TO-DO', 'FIX-ME', 'X-XX', 'HA-CK'].map((mark) => mark.replace('-', '')).join('|')})\\b`)
const SILENCED = new RegExp(`@ts-(${['ignore', 'expect-error', 'nocheck'].join('|')})`)
const LEFT_OUT = new RegExp(
  `\\b(it|test|describe)\\.(${['skip', 'to-do', 'only'].map((word) => word.replace('-', '')).join('|')})\\b`,
)
const MACHINE_PATH = new RegExp(`(^|[\\s"'\`(=:])/(${['work', 'root', 'home', 'Users'].join('|')})/`)

/** A rule answers one sentence for each place where the file breaks it. */
export type TidyRule = (file: SourceFile) => readonly string[]

/** Files are kebab-case and named after what they are. */
export const fileName: TidyRule = ({ path }) => {
  const name = path.split('/').at(-1) ?? ''
  const stem = name.replace(/(\.(server|browser|sim|test|bench|config))*\.[cm]?[jt]s$/, '')
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) return [`${path} is not named in kebab-case`]
  const banned = stem.split('-').filter((word) => BANNED_FILE_WORDS.includes(word))
  return banned.map((word) => `${path} is named after "${word}", which says nothing`)
}

/** A file fits a sitting. */
export const fileLength: TidyRule = ({ path, text }) => {
  const lines = text.split('\n').length - 1
  const linesMax = isTest(path) ? TEST_LINES_MAX : SOURCE_LINES_MAX
  return lines > linesMax ? [`${path} has ${lines} lines, more than ${linesMax}`] : []
}

/** A function fits a screen. */
export const functionLength: TidyRule = (file) =>
  findNodes(file, (node, source) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return null
    const lines = lineOf(source, node.getEnd()) - lineOf(source, node.getStart(source)) + 1
    return lines > FUNCTION_LINES_MAX ? `a function of ${lines} lines, more than ${FUNCTION_LINES_MAX}` : null
  })

/** A file opens with a sentence that says what it decides or does. */
export const openingSentence: TidyRule = ({ path, text }) => {
  const opening = /^(#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)
  if (opening === null) return [`${path} does not open with a /** sentence */`]
  return /[.!?]\)?\s*$/.test(opening[2] ?? '') ? [] : [`${path} opens with something that is no sentence`]
}

/** Decisions are pure: no clock, no randomness, no timer, nothing awaited. */
export const purity: TidyRule = (file) =>
  findNodes(file, (node) => {
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) return 'async work where decisions are pure'
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date') return 'new Date where decisions are pure'
    if (ts.isPropertyAccessExpression(node) && ['Date.now', 'Math.random', 'performance.now'].includes(node.getText())) {
      return `${node.getText()} where decisions are pure`
    }
    const isTimer =
      ts.isCallExpression(node) && /^(setTimeout|setInterval|setImmediate|queueMicrotask)$/.test(node.expression.getText())
    return isTimer ? `${node.getText()} where decisions are pure` : null
  })

/** Nothing is promised, silenced, left out or addressed on one machine. */
export const leftovers: TidyRule = ({ path, text }) =>
  text.split('\n').flatMap((line, index) => {
    const found = [MARKS, SILENCED, LEFT_OUT, MACHINE_PATH].map((pattern) => pattern.exec(line)?.[0].trim())
    return found.filter((what) => what !== undefined).map((what) => `${path}:${index + 1} holds ${what}`)
  })

/** Types say something. */
export const noAny: TidyRule = (file) =>
  findNodes(file, (node) => (node.kind === ts.SyntaxKind.AnyKeyword ? 'the type any' : null))

/** Exports have names. */
export const noDefaultExport: TidyRule = (file) =>
  findNodes(file, (node) => {
    const isDefault = ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword
    return isDefault && !ts.isDefaultClause(node.parent) && !ts.isDefaultClause(node) ? 'a default export' : null
  })

/** `index.ts` lists what is published and does nothing. */
export const onlyExports: TidyRule = (file) => {
  const source = parse(file)
  return source.statements
    .filter((statement) => !ts.isExportDeclaration(statement))
    .map((statement) => `${file.path}:${lineOf(source, statement.getStart(source))} does more than export`)
}

/** Tests, what they use, and the contract suites that tests run. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/') || path.startsWith('packages/testing/src/contracts/')
}

function findNodes(file: SourceFile, judge: (node: ts.Node, source: ts.SourceFile) => string | null): readonly string[] {
  const source = parse(file)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const what = judge(node, source)
    if (what !== null) found.push(`${file.path}:${lineOf(source, node.getStart(source))} holds ${what}`)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>()

function parse(file: SourceFile): ts.SourceFile {
  const before = parsed.get(file)
  if (before !== undefined) return before
  const options = { languageVersion: ts.ScriptTarget.ES2023, jsDocParsingMode: ts.JSDocParsingMode.ParseNone }
  const source = ts.createSourceFile(file.path, file.text, options, true)
  parsed.set(file, source)
  return source
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1
}
