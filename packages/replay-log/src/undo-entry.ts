/** Takes an operation back, where that is free, and gives one up, where the user decides so (H-3). */

import type { StoredTargets } from '@tidemail/core'
import type { Entry, Progress } from './entry.ts'
import { copiedOf } from './progress-groups.ts'
import type { Receipt } from './receipt.ts'
import { receiptOf } from './receipt-of.ts'
import type { Forwarding } from './resolve-locals.ts'
import { isSettled, transition } from './transition.ts'

export type UndoResult =
  /** The entry leaves the log with this receipt, in one transaction that expects the entry as it was read. */
  | { readonly kind: 'undone'; readonly receipt: Receipt }
  /** Something of it was sent, or is settled, or waits for the user: undoing it is a new operation. */
  | { readonly kind: 'refused'; readonly reason: 'sent' | 'settled' | 'parked' }

export type DiscardResult =
  /** What is being sent stays in `entry`. `staying`: what was copied to be moved, and is not to be removed any more. */
  | { readonly kind: 'discarded'; readonly entry: Entry; readonly staying: readonly StoredTargets[] }
  /** All that remains is being sent, or its answer is looked for. */
  | { readonly kind: 'refused'; readonly reason: 'sent' }

/** Undoes an entry that is wholly queued: of which nothing was sent and nothing is settled, nor of what was folded into it. */
export function undoEntry(entry: Entry, now: number): UndoResult {
  const states = new Set(entry.progress.map(({ state }) => state))
  const isHeir = 'isHeir' in entry.operation && entry.operation.isHeir === true
  if (entry.settled.length > 0 || isSettled(entry) || isHeir) return { kind: 'refused', reason: 'settled' }
  if (states.has('parked')) return { kind: 'refused', reason: 'parked' }
  if (!entry.progress.every(isUnsent)) return { kind: 'refused', reason: 'sent' }
  return { kind: 'undone', receipt: receiptOf(settleWhere(entry, isUnsent, 'undo'), now) }
}

/** Takes back what of the entry was never sent; the rest, and what that has done, stays. The same object when there is nothing. */
export function undoQueued(entry: Entry): Entry {
  return settleWhere(entry, isUnsent, 'undo')
}

/** Of a move that is taken back before it was sent: what shows as its locals is the messages themselves again, for operations that name them, too. */
export function namesTakenBack({ operation, progress }: Entry): readonly Forwarding[] {
  if (operation.kind !== 'move') return []
  return progress.filter(isUnsent).map(({ placed, targets }) => {
    const { mailboxId } = targets
    return {
      from: { kind: 'local' },
      to: { mailboxId, box: targets.kind === 'stored' ? targets.box : null },
      pairs: placed.inverse,
    }
  })
}

function isUnsent({ mayBeDone, state }: Progress): boolean {
  return state === 'queued' && mayBeDone === undefined
}

/** Gives up what is parked, queued, or only half moved. Nothing is undone on the server. */
export function discardEntry(entry: Entry): DiscardResult {
  const waits = ({ state }: Progress): boolean => ['queued', 'copied', 'parked'].includes(state)
  const rest = settleWhere(entry, waits, 'discard')
  if (rest === entry) return { kind: 'refused', reason: 'sent' }
  const copied = entry.progress.filter(waits).map((group) => copiedOf(entry, group))
  const staying = copied.flatMap((targets) => (targets.kind === 'stored' && !targets.uids.isEmpty ? [targets] : []))
  return { kind: 'discarded', entry: rest, staying }
}

function settleWhere(entry: Entry, isMeant: (group: Progress) => boolean, kind: 'undo' | 'discard'): Entry {
  return entry.progress.filter(isMeant).reduce((rest, { targets }) => transition(rest, targets, { kind }).entry, entry)
}
