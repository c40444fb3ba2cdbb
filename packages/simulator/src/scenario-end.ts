/** How a scenario of the crash sweep ended: as its last line says it, and compared with how it ends undisturbed. */

import type { ContentForm } from './equality.ts'
import { idOf, nameOf } from './scenario-message.ts'

export interface ScenarioEnd {
  /** What the server holds. */
  readonly content: ContentForm
  /** Why entries were parked, in order. */
  readonly parkedFor: readonly string[]
}

/** Mailboxes that are left out of the words while they are empty. */
export const ALWAYS_THERE: readonly string[] = ['Archive', 'Work']

/** In the words of a scenario: `INBOX: a+seen,b; Archive: c | parked: uncertain`. */
export function describeEnd({ content, parkedFor }: ScenarioEnd): string {
  const there = describeContent(content)
  return parkedFor.length === 0 ? there : `${there} | parked: ${parkedFor.join(', ')}`
}

/**
 * The same messages with the same flags in the same mailboxes, or only more that is put to the user as uncertain (I-SYNC-3). With UIDPLUS
 * nothing but submissions is (ParkedChecks), of which the copies may be missing then: everything else has to be the same.
 */
export function isSameEnd(
  end: ScenarioEnd,
  undisturbed: ScenarioEnd,
  { hasUidplus, submitted }: { readonly hasUidplus: boolean; readonly submitted: readonly string[] },
): boolean {
  if (certain(end).join() !== certain(undisturbed).join()) return false
  if (end.parkedFor.length === undisturbed.parkedFor.length)
    return describeContent(end.content) === describeContent(undisturbed.content)
  if (!hasUidplus) return true
  const [found, wanted] = [end, undisturbed].map(({ content }) => describeContent(without(content, submitted)))
  return found === wanted
}

function certain({ parkedFor }: ScenarioEnd): readonly string[] {
  return parkedFor.filter((reason) => reason !== 'uncertain')
}

/** Mailboxes that hold nothing else are left out too: a copy may have made its own. */
function without(content: ContentForm, names: readonly string[]): ContentForm {
  const ids = new Set(names.map(idOf))
  const left = Object.entries(content).map(
    ([path, messages]) => [path, messages.filter((message) => !ids.has(idIn(message)))] as const,
  )
  return Object.fromEntries(left.filter(([, messages]) => messages.length > 0))
}

function describeContent(content: ContentForm): string {
  return Object.entries(content)
    .filter(([path, messages]) => messages.length > 0 || !ALWAYS_THERE.includes(path))
    .map(([path, messages]) => `${path}: ${messages.map(describeMessage).join(',')}`.trimEnd())
    .join('; ')
}

function describeMessage(message: string): string {
  const [, ...flags] = message.split(' ')
  return [nameOf(idIn(message)), ...flags.map((flag) => flag.replace('\\', ''))].join('+')
}

function idIn(message: string): string {
  return message.split(' ', 1)[0] ?? ''
}
