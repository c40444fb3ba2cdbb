/** Reads a scenario of the crash sweep: a line of segments, each with steps separated by semicolons. */

import type { Flag } from '@tidemail/core'

export interface BoxLine {
  readonly path: string
  readonly messages: readonly { readonly name: string; readonly flags: readonly Flag[] }[]
}

export type ScenarioAct =
  | { readonly verb: 'flag'; readonly names: readonly string[]; readonly add: readonly Flag[]; readonly remove: readonly Flag[] }
  | { readonly verb: 'move' | 'copy'; readonly names: readonly string[]; readonly path: string }
  | { readonly verb: 'expunge'; readonly names: readonly string[] }
  | { readonly verb: 'append'; readonly names: readonly string[]; readonly path: string }
  | { readonly verb: 'bump' | 'forget' | 'create' | 'delete'; readonly path: string }
  | { readonly verb: 'undo' }

export type ScenarioEvent =
  | { readonly by: 'user' | 'rival'; readonly text: string; readonly act: ScenarioAct }
  | { readonly by: 'sync'; readonly text: string }

export interface Scenario {
  readonly line: string
  readonly boxes: readonly BoxLine[]
  readonly events: readonly ScenarioEvent[]
}

/** @throws Error when the line cannot be read. */
export function readScenario(line: string): Scenario {
  const boxes: BoxLine[] = []
  const events: ScenarioEvent[] = []
  for (const segment of line.split('|').map((text) => text.trim())) {
    const [head = '', body = ''] = segment.split(':').map((text) => text.trim())
    const [by = '', path = ''] = head.split(' ')
    if (by === 'box') boxes.push({ path, messages: body.split(',').map(readMessage) })
    else if (by === 'sync') events.push({ by, text: 'sync' })
    else if (by === 'user' || by === 'rival') {
      for (const text of body.split(';')) events.push({ by, text: text.trim(), act: readAct(text.trim()) })
    } else throw new Error(`A scenario has no "${segment}".`)
  }
  return { line, boxes, events: [...events, { by: 'sync', text: 'sync' }] }
}

function readMessage(text: string): BoxLine['messages'][number] {
  const [name = '', ...flags] = text.split('+')
  return { name, flags: flags.map(flagCalled) }
}

function readAct(text: string): ScenarioAct {
  const [verb = '', first = '', ...more] = text.split(/\s+/)
  const names = first.split(',')
  switch (verb) {
    case 'flag': {
      const of = (sign: string): Flag[] => more.filter((word) => word.startsWith(sign)).map((word) => flagCalled(word.slice(1)))
      return { verb, names, add: of('+'), remove: of('-') }
    }
    case 'move':
    case 'copy':
    case 'append':
      return { verb, names, path: more[0] ?? '' }
    case 'expunge':
      return { verb, names }
    case 'bump':
    case 'forget':
    case 'create':
    case 'delete':
      return { verb, path: first }
    case 'undo':
      return { verb }
    default:
      throw new Error(`A scenario has no "${text}".`)
  }
}

function flagCalled(name: string): Flag {
  return name.startsWith('$') ? name : `\\${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
}
