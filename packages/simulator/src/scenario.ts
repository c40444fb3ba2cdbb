/** Reads a scenario of the crash sweep: a line a side, columns of acts separated by semicolons. */

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
  readonly boxes: readonly BoxLine[]
  readonly events: readonly ScenarioEvent[]
  /** What it ends as, written as {@link describeEnd} does. */
  readonly end: string
}

/** @throws Error when it cannot be read. */
export function readScenario(text: string): Scenario {
  const [boxes = '', ...theirs] = columnsOf(text, 'server')
  const [, ...ours] = columnsOf(text, 'user')
  const rounds = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, i) => [
    ...actsOf('user', ours[i]),
    ...actsOf('rival', theirs[i]),
    { by: 'sync', text: 'sync' } as const,
  ])
  return { boxes: boxes.split('; ').map(readBox), events: rounds.flat(), end: columnsOf(text, 'end').join(' | ') }
}

function columnsOf(text: string, side: 'server' | 'user' | 'end'): string[] {
  const line = text.split('\n').find((one) => one.startsWith(`${side} `))
  if (line === undefined) throw new Error(`A scenario without "${side}": ${text}`)
  return line
    .slice(side.length)
    .split('|')
    .map((column) => column.trim())
}

function actsOf(by: 'user' | 'rival', column = ''): ScenarioEvent[] {
  return column === '' ? [] : column.split('; ').map((text) => ({ by, text, act: readAct(text) }))
}

function readBox(text: string): BoxLine {
  const [path = '', messages = ''] = text.split(': ')
  return { path, messages: messages.split(',').map(readMessage) }
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
