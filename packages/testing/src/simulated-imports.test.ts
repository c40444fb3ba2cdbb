import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = dirname(fileURLToPath(import.meta.url))

/** Every file that the entry imports, directly or not, with what it imports from other packages. */
function closureOf(entry: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const open = [join(folder, entry)]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue
    const specifiers = [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s+'([^']+)'/g)].map((match) => match[1] ?? '')
    found.set(
      file,
      specifiers.filter((specifier) => !specifier.startsWith('.')),
    )
    for (const specifier of specifiers) if (specifier.startsWith('.')) open.push(join(dirname(file), specifier))
  }
  return found
}

it('keeps the simulated entry free of Node, so that it loads in a browser', () => {
  const closure = closureOf('simulated.ts')
  expect(closure.size).toBeGreaterThan(15)
  expect([...closure.values()].flat().filter((specifier) => /^(node:|vitest$)/.test(specifier))).toEqual([])
  for (const file of closure.keys()) expect(readFileSync(file, 'utf8'), file).not.toMatch(/\b(Buffer|process)\b[.(]/)
})
