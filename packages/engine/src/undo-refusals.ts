/** Says why an operation cannot be taken back, or sent elsewhere. */

import { type EntrySeq, SyncError } from '@tidemail/core'
import type { CompensatingRequest, Compensation, RetargetResult } from '@tidemail/replay-log'

/** @throws SyncError `input.not-undoable` */
export function possible(seq: EntrySeq, compensation: Compensation): readonly CompensatingRequest[] {
  if (compensation.kind === 'refused') throw notUndoable(seq, compensation.reason)
  return compensation.requests
}

/** There is nothing that could be put back: where something else was taken back, that is all. */
export class NothingToUndo extends SyncError {}

export function notUndoable(seq: EntrySeq, reason: Extract<Compensation, { kind: 'refused' }>['reason']): SyncError {
  const Refusal = reason === 'nothing' ? NothingToUndo : SyncError
  return new Refusal('input.not-undoable', REFUSED_UNDO[reason](seq))
}

const REFUSED_UNDO: Readonly<Record<Extract<Compensation, { kind: 'refused' }>['reason'], (seq: EntrySeq) => string>> = {
  parked: (seq) => `Operation #${seq} is parked and waits for a decision: retry or discard it.`,
  final: (seq) => `What operation #${seq} does cannot be undone once it is being sent.`,
  replaced: (seq) => `The version before is gone: without operation #${seq} nothing would be left of the draft.`,
  deleted: (seq) => `The mailbox that the messages of operation #${seq} were in is deleted.`,
  nothing: (seq) => `Nothing of operation #${seq} is there that could be put back.`,
}

export const REFUSED_RETARGET: Readonly<
  Record<Extract<RetargetResult, { kind: 'refused' }>['reason'], (seq: EntrySeq) => string>
> = {
  'no-destination': (seq) => `Operation #${seq} puts no message into a mailbox.`,
  sent: (seq) => `Operation #${seq} is being sent, or may have been sent already.`,
  'dead-targets': (seq) => `The messages of operation #${seq} are no more: their mailbox was made anew.`,
  same: (seq) => `The messages of operation #${seq} are in that mailbox already.`,
}
