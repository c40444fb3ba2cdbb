/** Follows messages through the pending entries: what a reference means is what the view shows of it by now (I-STORE-3, H-18). */

import { type AccountId, type LocalId, NO_MAILBOX } from './ids.ts'
import type { MessageReference } from './message-store.ts'
import { isSamePlace, numbersOf, splitTargets, withNumbers } from './target-groups.ts'
import { UidSet } from './uid-set.ts'
import type { LocalTargets, PlaceEffect, Targets, ViewEffect } from './view-effect.ts'

/**
 * The targets as the view shows them: what an entry moved away, or replaced, is the local that it made; what it removed is left out. Pure. `log` has the
 * effects of each open entry of the account, by rising sequence number. The answer is split as by
 * {@link splitTargets}.
 */
export function followEffects(targets: readonly Targets[], log: readonly (readonly ViewEffect[])[]): Targets[] {
  let shown: readonly Targets[] = targets
  for (const effects of log) {
    const leaving = effects.flatMap((effect) => (effect.kind === 'hide' ? [effect.on] : []))
    if (leaving.length > 0) shown = shown.flatMap((group) => led(group, leaving, effects))
  }
  return splitTargets(shown)
}

/** One message of an account, as {@link followEffects}; null when an entry removed it. */
export function followReference(
  reference: MessageReference,
  accountId: AccountId,
  log: readonly (readonly ViewEffect[])[],
): MessageReference | null {
  // In which mailbox a local shows is nothing that a reference says.
  const start: Targets =
    reference.kind === 'stored'
      ? { ...reference, uids: UidSet.of(reference.uid) }
      : { kind: 'local', mailboxId: NO_MAILBOX, locals: UidSet.of(reference.local) }
  const [group] = followEffects([start], log)
  if (group === undefined) return null
  if (group.kind === 'local') return { kind: 'local', local: group.locals.min as LocalId, accountId }
  return reference
}

/** One group after one entry: what stays, and what the entry made of the rest. */
function led(group: Targets, leaving: readonly Targets[], effects: readonly ViewEffect[]): Targets[] {
  const numbers = numbersOf(group)
  const gone = leaving.reduce((all, on) => (isSamePlace(group, on) ? all.union(numbersOf(on)) : all), UidSet.EMPTY)
  const left = numbers.intersect(gone)
  if (left.isEmpty) return [group]
  const made = effects.flatMap((effect): LocalTargets[] => {
    if (effect.kind === 'new') return [{ kind: 'local', mailboxId: effect.mailboxId, locals: UidSet.of(effect.message.local) }]
    if (effect.kind !== 'place' || !isFrom(effect, group)) return []
    return [{ kind: 'local', mailboxId: effect.mailboxId, locals: effect.pairs.restrict(left).destinations }]
  })
  return [withNumbers(group, numbers.difference(left)), ...made]
}

function isFrom({ from }: PlaceEffect, group: Targets): boolean {
  return group.kind === 'stored' ? from.kind === 'stored' && from.box === group.box : from.kind === 'local'
}
