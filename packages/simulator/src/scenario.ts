/** Reads a scenario of the crash sweep: a line of segments, each with steps separated by semicolons. */

import type { Flag } from '@tidemail/core'

export interface BoxLine {
  readonly path: string
  readonly messages: readonly { readonly name: string; readonly flags: readonly Flag[] }[]
}

export type ScenarioAct =
  | { readonly verb: 'flag'; readonly names: readonly string[]; readonly add: readonly Flag[]; readonly remove: readonly Flag[] }
  | { readonly verb: 'move' | 'copy' | 'trash'; readonly names: readonly string[]; readonly path: string }
  /** `mark`: for deletion, by a rival who leaves it at that. */
  | { readonly verb: 'expunge' | 'mark'; readonly names: readonly string[] }
  | { readonly verb: 'append' | 'submit'; readonly names: readonly string[]; readonly path: string }
  | { readonly verb: 'draft'; readonly names: readonly string[]; readonly path: string; readonly replaces: string | null }
  | { readonly verb: 'create' | 'bump' | 'forget'; readonly path: string }
  | { readonly verb: 'delete' | 'subscribe' | 'unsubscribe'; readonly path: string }
  | { readonly verb: 'rename'; readonly path: string; readonly to: string }
  /** `undo` takes back the last operation that waits; the others decide on the first that is parked. */
  | { readonly verb: 'undo' | 'retry' | 'discard' }
  | { readonly verb: 'retarget'; readonly path: string }

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
    case 'trash':
    case 'append':
    case 'submit':
      return { verb, names, path: more[0] ?? '' }
    case 'draft':
      return { verb, names, path: more[0] ?? '', replaces: more[1] ?? null }
    case 'expunge':
    case 'mark':
      return { verb, names }
    case 'rename':
      return { verb, path: first, to: more[0] ?? '' }
    case 'bump':
    case 'forget':
    case 'create':
      return { verb, path: first }
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
    case 'retarget':
      return { verb, path: first }
    case 'undo':
    case 'retry':
    case 'discard':
      return { verb }
    default:
      throw new Error(`A scenario has no "${text}".`)
  }
}

function flagCalled(name: string): Flag {
  return name.startsWith('$') ? name : `\\${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
}
