/** Takes the examples out of a page, and makes each a module that can be checked and run. */

import ts from 'typescript'

export interface Example {
  /** Of the first line of the code, in the page. */
  readonly line: number
  readonly heading: string
  readonly code: string
}

/** Every block that is marked as TypeScript. */
export function examplesOf(page: string): readonly Example[] {
  const examples: Example[] = []
  let heading = ''
  let open: { readonly line: number; readonly isCode: boolean; readonly lines: string[] } | null = null
  for (const [i, line] of page.split('\n').entries()) {
    if (open !== null && line === '```') {
      if (open.isCode) examples.push({ line: open.line, heading, code: open.lines.join('\n') })
      open = null
    } else if (open !== null) open.lines.push(line)
    else if (line.startsWith('```')) open = { line: i + 2, isCode: line === '```ts', lines: [] }
    else if (line.startsWith('#')) heading = line.replace(/^#+ /, '')
  }
  if (open !== null) throw new Error(`The block at line ${open.line} does not end.`)
  return examples
}

export interface ModuleOptions {
  /** The module that sets the scene. */
  readonly scene: string
  /** What the scene gives; a name that the example declares itself is left to it. */
  readonly given: readonly string[]
  /** Modules to be imported instead. */
  readonly instead: Readonly<Record<string, string>>
}

/** The example as a module whose first line, and no more, is ours: line n of the module is line n - 1 of the example. */
export function moduleOf({ code }: Example, { scene, given, instead }: ModuleOptions): string {
  const { used, declared } = namesIn(code)
  const names = given.filter((name) => used.has(name) && !declared.has(name))
  const prelude = `import { setUp, same } from '${scene}'; void same; const { ${names.join(', ')} } = await setUp()`
  const body = code
    .replace(/ from '([^']+)'/g, (whole, from: string) => (instead[from] === undefined ? whole : ` from '${instead[from]}'`))
    .replace(/^(\s*)(\S.*?) \/\/ => (.+)$/gm, '$1same($2, $3)')
  return `${prelude}\n${body}\nexport {}\n`
}

function namesIn(code: string): { readonly used: ReadonlySet<string>; readonly declared: ReadonlySet<string> } {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true)
  const used = new Set<string>()
  const declared = new Set<string>()
  const declare = (name: ts.BindingName): void => {
    if (ts.isIdentifier(name)) declared.add(name.text)
    else for (const element of name.elements) if (ts.isBindingElement(element)) declare(element.name)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) used.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) declare(name)
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) declared.add(statement.name.text)
  }
  return { used, declared }
}
