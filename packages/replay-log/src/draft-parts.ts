/** Tells the parts of an upload apart: its own message, the handing over of a submission, and the version that a draft takes the place of. */

import { type LocalId, numbersOf, type Targets, withNumbers } from '@tidemail/core'
import type { Entry, Progress, TargetState } from './entry.ts'
import { isUpload, ownLocals, type UploadOperation } from './operation.ts'

/** Where a local of the entry stands; null when nothing of it remains. */
export function stateOfLocal({ progress }: Entry, local: LocalId): TargetState | null {
  return progress.find(({ targets }) => targets.kind === 'local' && targets.locals.has(local))?.state ?? null
}

/** Whether the entry is settled, for this local of it, as done on the server. */
export function isLocalApplied({ settled }: Entry, local: LocalId): boolean {
  return settled.some(({ outcome, targets }) => outcome === 'applied' && targets.kind === 'local' && targets.locals.has(local))
}

/** What may be uploaded now, as far as the entry itself tells: its message is queued, and what must come before it is done. */
export function uploadOf(entry: Entry): UploadOperation | null {
  const { operation } = entry
  if (!isUpload(operation) || operation.to === null) return null
  if (stateOfLocal(entry, operation.message.local) !== 'queued') return null
  // The copy for Sent tells that the message was sent.
  if (operation.kind === 'submit' && !isLocalApplied(entry, operation.deed)) return null
  return operation
}

/** What remains of the version that a draft takes the place of, as part of the groups it is in: a local may stand in one group with the draft's own. */
export function replacedBy(entry: Entry): readonly Progress[] {
  const { operation, progress } = entry
  if (operation.kind !== 'draft') return []
  const own = ownLocals(operation)
  return progress.flatMap((group) => {
    const targets = withoutLocals(group.targets, own)
    if (numbersOf(targets).isEmpty) return []
    return [targets === group.targets ? group : { ...group, targets }]
  })
}

/** The groups of a draft that may be removed now, as they are in its progress: those of the version before, once the new one is proved to be there. */
export function removalsOf(entry: Entry): readonly Progress[] {
  const { operation } = entry
  if (operation.kind !== 'draft' || !isLocalApplied(entry, operation.message.local)) return []
  return replacedBy(entry).filter(({ state, targets }) => state === 'queued' && targets.kind === 'stored')
}

function withoutLocals(targets: Targets, own: ReturnType<typeof ownLocals>): Targets {
  if (targets.kind === 'stored' || targets.locals.intersect(own).isEmpty) return targets
  return withNumbers(targets, targets.locals.difference(own))
}
