/** What an entry does to the view, by its operation and by what remains of it (H-17). */

import {
  assertNever,
  isSamePlace,
  type MailboxChange,
  numbersOf,
  type Targets,
  type UidPairs,
  type UidSet,
  type ViewEffect,
  withNumbers,
} from '@tidemail/core'
import type { Entry, Progress } from './entry.ts'
import {
  isOnMailbox,
  isUpload,
  type MailboxOperation,
  type MessageOperation,
  ownLocals,
  type UploadOperation,
} from './operation.ts'
import { joinRuns } from './progress-groups.ts'

/** The effects of what remains, in order. What is settled has none: it is server state, or it is reverted by leaving the log. */
export function effectsOf(entry: Entry): ViewEffect[] {
  const { operation } = entry
  if (isUpload(operation)) return effectsOfUpload(entry, operation)
  if (isOnMailbox(operation)) return effectsOnMailbox(entry, operation)
  return effectsOnMessages(entry, operation)
}

/** Whatever befalls an upload, the message stays visible, and its bytes stay named, until it has landed or the user gives it up (I-STORE-2). */
function effectsOfUpload({ progress }: Entry, operation: UploadOperation): ViewEffect[] {
  if (progress.length === 0) return []
  const { message, to } = operation
  if (to === null) return [{ kind: 'keep', bodyId: message.bodyId }]
  const own = ownLocals(operation)
  const awaitsLanding = progress.some(({ targets }) => targets.kind === 'local' && targets.locals.has(message.local))
  // What is not of its own is the version before, which the new one hides.
  const replaced = progress.filter(hasEffect).map(({ targets }) => withoutLocals(targets, own))
  return [
    ...(awaitsLanding ? [{ kind: 'new' as const, mailboxId: to, message }] : []),
    ...replaced.filter((targets) => !numbersOf(targets).isEmpty).map((on) => ({ kind: 'hide' as const, on })),
  ]
}

function withoutLocals(targets: Targets, locals: UidSet): Targets {
  return targets.kind === 'stored' ? targets : { ...targets, locals: targets.locals.difference(locals) }
}

/** A deletion that waits for the user does not hide what the user has to see in order to decide. */
function effectsOnMailbox({ progress }: Entry, operation: MailboxOperation): ViewEffect[] {
  const shows = operation.kind === 'delete-mailbox' ? ({ state }: Progress) => state !== 'parked' : hasEffect
  if (!progress.some(shows)) return []
  return [{ kind: 'mailbox', mailboxId: operation.mailboxId, change: changeOf(operation) }]
}

function changeOf(operation: MailboxOperation): MailboxChange {
  switch (operation.kind) {
    case 'create-mailbox':
      return { kind: 'create' }
    case 'rename-mailbox':
      return { kind: 'rename', path: operation.path }
    case 'delete-mailbox':
      return { kind: 'delete' }
    case 'subscribe-mailbox':
      return { kind: 'subscribe', isSubscribed: operation.isSubscribed }
    default:
      return assertNever(operation)
  }
}

function effectsOnMessages({ progress }: Entry, operation: MessageOperation): ViewEffect[] {
  return mergeByPlace(progress.filter(hasEffect)).flatMap(({ targets, placed }): ViewEffect[] => {
    switch (operation.kind) {
      case 'flag':
        return [{ kind: 'flags', on: targets, delta: { add: operation.add, remove: operation.remove } }]
      case 'copy':
        return placeEffect(targets, placed, operation.to)
      case 'move':
        return [...placeEffect(targets, placed, operation.to), { kind: 'hide', on: targets }]
      case 'expunge':
        return [{ kind: 'hide', on: targets }]
      default:
        return assertNever(operation)
    }
  })
}

/**
 * Whether the group still shows as done. Stored targets of a box that is gone name nothing; and what was to go to a mailbox that is gone shows where
 * it was, rather than nowhere.
 */
function hasEffect({ parkedFor, targets }: Progress): boolean {
  if (parkedFor === 'uidvalidity-changed') return targets.kind === 'local'
  return parkedFor !== 'mailbox-gone'
}

/** Targets of a move whose copy is proved have no pair: their copy is server state already. */
function placeEffect(targets: Targets, placed: UidPairs, to: Extract<ViewEffect, { kind: 'place' }>['mailboxId']): ViewEffect[] {
  const pairs = placed.restrict(numbersOf(targets))
  if (pairs.ranges.length === 0) return []
  const from =
    targets.kind === 'stored'
      ? { kind: 'stored' as const, mailboxId: targets.mailboxId, box: targets.box }
      : { kind: 'local' as const }
  return [{ kind: 'place', mailboxId: to, from, pairs }]
}

/** Groups of one place as one, whatever their states: an effect a place. */
function mergeByPlace(groups: readonly Progress[]): Pick<Progress, 'targets' | 'placed'>[] {
  const merged: Pick<Progress, 'targets' | 'placed'>[] = []
  for (const { targets, placed } of groups) {
    const at = merged.findIndex((other) => isSamePlace(other.targets, targets) && other.targets.mailboxId === targets.mailboxId)
    const other = merged[at]
    if (other === undefined) merged.push({ targets, placed })
    else {
      const numbers = numbersOf(other.targets).union(numbersOf(targets))
      merged[at] = { targets: withNumbers(targets, numbers), placed: joinRuns(other.placed.union(placed)) }
    }
  }
  return merged
}
